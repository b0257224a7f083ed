import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { clusterPaths } from '../cluster-processes.ts';
import { run } from '../command.ts';
import type { Config } from '../config.ts';
import type { Progress } from '../progress.ts';
import { buildImages } from './build.ts';
import { buildah, signaturePolicy } from './buildah.ts';
import { imageRef, type ImageName } from './catalog.ts';

type Context = { readonly config: Config; readonly progress: Progress };

type OciIndex = {
  readonly manifests: readonly { readonly annotations?: Readonly<Record<string, string>> }[];
};

/** Builds what is missing, and gives the cluster's containerd those images it does not have. */
export async function loadImages(context: Context, names: readonly ImageName[]): Promise<void> {
  const { config, progress } = context;
  await buildImages(context, names);
  const present = await loadedImages();
  const missing = names.map((name) => imageRef(config, name)).filter((ref) => !present.has(ref));
  if (missing.length === 0) return;
  await progress.step(`loading ${missing.length} images into the cluster`, () =>
    importImages(config, missing),
  );
}

async function loadedImages(): Promise<ReadonlySet<string>> {
  return new Set((await run('ctr', [...ctr, 'images', 'ls', '-q'])).split('\n'));
}

async function importImages(config: Config, refs: readonly string[]): Promise<void> {
  const folder = mkdtempSync(join(config.cache, 'images', 'load-'));
  const archive = `${folder}.tar`;
  try {
    // One archive for all, so that the layers they share are written and read once.
    for (const ref of refs) {
      await buildah(config, [
        'push',
        '-q',
        '-D',
        ...signaturePolicy(config),
        ref,
        `oci:${folder}:${ref}`,
      ]);
    }
    const index = join(folder, 'index.json');
    writeFileSync(index, withContainerdNames(readFileSync(index, 'utf8')));
    await run('tar', ['-C', folder, '-cf', archive, '.']);
    await run('ctr', [...ctr, 'images', 'import', archive]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
    rmSync(archive, { force: true });
  }
}

/** containerd takes an image's full name from an annotation of its own, and else invents a prefix. */
export function withContainerdNames(indexJson: string): string {
  const index = JSON.parse(indexJson) as OciIndex;
  const manifests = index.manifests.map((manifest) => ({
    ...manifest,
    annotations: {
      ...manifest.annotations,
      'io.containerd.image.name': manifest.annotations?.['org.opencontainers.image.ref.name'] ?? '',
    },
  }));
  return JSON.stringify({ ...index, manifests });
}

const ctr = ['-a', clusterPaths.runtime.socket, '-n', 'k8s.io'] as const;
