import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';

import type { Config } from '../cluster/config.ts';
import { splitRef } from './install.ts';

const TRAINER = 'localhost/mlops-trainer-digits';

/**
 * A kustomization of a folder of `examples/` that only says which image the trainer is here. It gets
 * the folder's name `as` it is called among those of the build, which is returned.
 */
export function writeOverlay(
  { build, repository }: Pick<Config, 'build' | 'repository'>,
  images: Readonly<Record<string, string>>,
  example: string,
  as: string,
): string {
  const folder = join(build, 'demo', as);
  mkdirSync(folder, { recursive: true });
  const { registry, repository: name, tag } = splitRef(images['mlops-trainer-digits'] ?? '');
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: [relative(folder, join(repository, 'examples', example))],
    images: [{ name: TRAINER, newName: `${registry}/${name}`, newTag: tag }],
  };
  writeFileSync(join(folder, 'kustomization.yaml'), JSON.stringify(kustomization, null, 2));
  return folder;
}
