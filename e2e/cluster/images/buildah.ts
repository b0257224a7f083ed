import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { run, succeeds } from '../command.ts';
import type { Config } from '../config.ts';

/** buildah on a storage of our own, so that nobody's images are touched. */
export async function buildah(
  config: Config,
  args: readonly string[],
  logFile?: string,
): Promise<string> {
  // One at a time: two clones share the storage, and clean up what they find in it.
  const lock = join(config.cache, 'images', 'lock');
  const options = logFile === undefined ? {} : { logFile };
  return run('flock', [lock, 'buildah', ...storage(config), ...args], options);
}

export async function imageExists(config: Config, ref: string): Promise<boolean> {
  mkdirSync(join(config.cache, 'images'), { recursive: true });
  return succeeds('buildah', [...storage(config), 'inspect', '--type=image', ref]);
}

/** A policy that accepts any image; the machine may have none, and buildah insists on one. */
export function signaturePolicy(config: Config): readonly string[] {
  const file = join(config.cache, 'images', 'policy.json');
  mkdirSync(join(config.cache, 'images'), { recursive: true });
  writeFileSync(file, JSON.stringify({ default: [{ type: 'insecureAcceptAnything' }] }));
  return ['--signature-policy', file];
}

function storage(config: Config): readonly string[] {
  const folder = join(config.cache, 'images');
  return [
    ...['--root', join(folder, 'storage'), '--runroot', join(folder, 'run')],
    ...['--storage-driver', 'overlay'],
    // Otherwise a mount of the storage on itself stays behind for good.
    ...['--storage-opt', 'overlay.skip_mount_home=true'],
  ];
}
