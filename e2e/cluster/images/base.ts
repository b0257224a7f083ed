import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { run } from '../command.ts';
import type { Config } from '../config.ts';

const release = 'bookworm';

/** As in Debian's own slim images: documentation and translations are of no use in a container. */
const unwanted = ['doc', 'man', 'info', 'locale', 'lintian'].map((name) => `/usr/share/${name}`);
const dpkgConfig = unwanted.map((folder) => `path-exclude ${folder}/*\n`).join('');

/** What the base image is made of, for its tag. */
export const baseParts: readonly string[] = [release, 'minbase', dpkgConfig];

/** Puts the root of a minimal Debian into `context` as root.tar. */
export async function collectBase(config: Config, context: string): Promise<void> {
  const root = join(context, 'root');
  const logFile = join(config.cache, 'logs', 'debootstrap.log');
  const mirror = await debianMirror();
  mkdirSync(root, { recursive: true });
  await run('debootstrap', ['--variant=minbase', release, root, mirror], { logFile });
  trim(root);
  // As an archive, because copying files one by one would give them all to root.
  await run('tar', ['-C', root, '--numeric-owner', '-cf', join(context, 'root.tar'), '.']);
  rmSync(root, { recursive: true, force: true });
}

/** The mirror this machine's own packages come from. */
async function debianMirror(): Promise<string> {
  const targets = await run('apt-get', [
    ...['indextargets', '--format', '$(REPO_URI)'],
    ...['Created-By: Packages', `Codename: ${release}`, 'Component: main'],
  ]);
  const mirrors = targets.split('\n').filter((uri) => /\/debian\/?$/.test(uri));
  const [mirror] = mirrors;
  if (mirror === undefined) {
    throw new Error(
      `No Debian mirror for ${release} is known; run "apt-get update", or set BASE_IMAGE to an image of yours.`,
    );
  }
  return mirror;
}

function trim(root: string): void {
  for (const folder of [...unwanted, '/var/cache/apt', '/var/lib/apt/lists', '/var/log']) {
    rmSync(join(root, folder), { recursive: true, force: true });
    mkdirSync(join(root, folder), { recursive: true });
  }
  writeFileSync(join(root, 'etc/dpkg/dpkg.cfg.d/slim'), dpkgConfig);
  writeFileSync(join(root, 'usr/sbin/policy-rc.d'), '#!/bin/sh\nexit 101\n', { mode: 0o755 });
}
