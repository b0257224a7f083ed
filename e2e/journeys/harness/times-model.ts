import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { model, modelAlias, modelVersion } from './manifests.ts';
import { REPOSITORY } from './settings.ts';
import { BUCKET, digestOf, putObject } from './storage.ts';
import type { Manifest, Tenant } from './tenant.ts';

/** Where the bytes of a version of Model `times` are in the store. */
export const timesKey = ({ namespace }: Tenant, version: string): string =>
  `${namespace}/times-${version}.onnx`;

/**
 * Model `times` with these versions, each made of a small test model (`times-2`: twice the input), and its
 * alias `champion` on the first; their bytes are in the store.
 */
export const timesModel = async (
  tenant: Tenant,
  files: Readonly<Record<string, string>>,
): Promise<readonly Manifest[]> => {
  const versions = Object.entries(files).map(([version, file]) => ({
    ...{ version, key: timesKey(tenant, version) },
    bytes: readFileSync(join(REPOSITORY, `serving-runtime/testing/models/${file}.onnx`)),
  }));
  for (const { key, bytes } of versions) await putObject(key, bytes);
  return [
    model('times'),
    ...versions.map(({ version, key, bytes }) =>
      modelVersion('times', version, `s3://${BUCKET}/${key}`, {
        verification: { digest: digestOf(bytes) },
      }),
    ),
    modelAlias('times', 'champion', versions[0]?.version ?? ''),
  ];
};

/** One request for four numbers. */
export const timesQuestion = (...numbers: readonly number[]): object => ({
  inputs: [{ name: 'X', datatype: 'FP32', shape: [1, 4], data: numbers }],
});
