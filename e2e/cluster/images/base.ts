import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { run } from '../command.ts';
import type { Config } from '../config.ts';
import { buildah, signaturePolicy } from './buildah.ts';

const release = 'bookworm';

/** As in Debian's own slim images: documentation and translations are of no use in a container. */
const unwanted = ['doc', 'man', 'info', 'locale', 'lintian'].map((name) => `/usr/share/${name}`);
const dpkgConfig = unwanted.map((folder) => `path-exclude ${folder}/*\n`).join('');

/** What the base image is made of, for its tag. */
export const baseParts: readonly string[] = [release, 'minbase', dpkgConfig];

/** Makes a minimal Debian image out of packages alone: no registry is asked. */
export async function buildBaseImage(config: Config, ref: string): Promise<void> {
  const root = join(config.cache, 'images', `root.${process.pid}`);
  const logFile = join(config.cache, 'logs', 'image-mlops-base.log');
  mkdirSync(root, { recursive: true });
  try {
    await run('debootstrap', ['--variant=minbase', release, root, await debianMirror()], {
      logFile,
    });
    trim(root);
    await commit(config, root, ref);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** The mirror this machine's own packages come from, else Debian's. */
async function debianMirror(): Promise<string> {
  const targets = await run('apt-get', [
    ...['indextargets', '--format', '$(REPO_URI)'],
    ...['Created-By: Packages', `Codename: ${release}`, 'Component: main'],
  ]);
  const mirrors = targets.split('\n').filter((uri) => /\/debian\/?$/.test(uri));
  return mirrors[0] ?? 'http://deb.debian.org/debian';
}

function trim(root: string): void {
  for (const folder of [...unwanted, '/var/cache/apt', '/var/lib/apt/lists', '/var/log']) {
    rmSync(join(root, folder), { recursive: true, force: true });
    mkdirSync(join(root, folder), { recursive: true });
  }
  writeFileSync(join(root, 'etc/dpkg/dpkg.cfg.d/slim'), dpkgConfig);
  writeFileSync(join(root, 'usr/sbin/policy-rc.d'), '#!/bin/sh\nexit 101\n', { mode: 0o755 });
}

async function commit(config: Config, root: string, ref: string): Promise<void> {
  const container = (await buildah(config, ['from', 'scratch'])).trim();
  try {
    const mount = (await buildah(config, ['mount', container])).trim();
    // Not `buildah copy`, which would give every file to root.
    await run('cp', ['-a', `${root}/.`, mount]);
    await buildah(config, ['umount', container]);
    const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
    await buildah(config, ['config', '--env', path, '--cmd', '/bin/bash', container]);
    await buildah(config, ['commit', '-q', ...signaturePolicy(config), container, ref]);
  } finally {
    await buildah(config, ['rm', container]);
  }
}
