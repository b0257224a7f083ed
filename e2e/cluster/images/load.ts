import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { clusterPaths } from '../cluster-processes.ts';
import { run } from '../command.ts';
import type { Config } from '../config.ts';
import type { Progress } from '../progress.ts';
import { buildImages, type ImageRefs } from './build.ts';
import { buildah, signaturePolicy } from './buildah.ts';
import type { ImageName } from './catalog.ts';
import { assembleOciLayout } from './oci-layout.ts';

type Context = { readonly config: Config; readonly progress: Progress };

/**
 * Builds what is missing, and gives the cluster's containerd those images it does not have. Returns
 * what it loaded, by name: sources that change meanwhile would give other names if asked again.
 */
export async function loadImages(
  context: Context,
  names: readonly ImageName[],
): Promise<ImageRefs> {
  const { config, progress } = context;
  const refs = await buildImages(context, names);
  const present = await loadedImages();
  const missing = Object.values(refs).filter((ref) => !present.has(ref));
  if (missing.length > 0) {
    await progress.step(`loading ${missing.length} images into the cluster`, () =>
      importImages(config, missing),
    );
  }
  return refs;
}

async function loadedImages(): Promise<ReadonlySet<string>> {
  return new Set((await run('ctr', [...ctr, 'images', 'ls', '-q'])).split('\n'));
}

/** All in one archive, so that the layers they share are read and unpacked once. */
async function importImages(config: Config, refs: readonly string[]): Promise<void> {
  const folder = mkdtempSync(join(config.cache, 'images', 'load-'));
  const layout = join(folder, 'layout');
  const archive = join(folder, 'images.tar');
  try {
    const written = new Map(refs.map((ref, index) => [ref, join(folder, `${index}`)]));
    for (const [ref, target] of written) {
      await buildah(config, ['push', '-q', '-D', ...signaturePolicy(config), ref, `dir:${target}`]);
    }
    assembleOciLayout(layout, written);
    await run('tar', ['-C', layout, '-cf', archive, '.']);
    await run('ctr', [...ctr, 'images', 'import', archive]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const ctr = ['-a', clusterPaths.runtime.socket, '-n', 'k8s.io'] as const;
