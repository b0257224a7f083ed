import { afterAll, describe, expect, test } from '@jest/globals';

import { kubectl, tryKubectl } from './harness/kubectl.ts';
import { exampleManifest } from './harness/manifests.ts';
import { scaleService } from './harness/operator-pods.ts';
import { FINALIZER_DEADLINE_SECONDS } from './harness/settings.ts';
import { liveObjects } from './harness/storage.ts';
import { Tenant } from './harness/tenant.ts';

const MINUTES = 60_000;

/** Everything the API server still has in a namespace, as `kind/name`; Events aside. */
const remains = async (namespace: string): Promise<readonly string[]> => {
  const kinds = await kubectl(['api-resources', '--namespaced', '--verbs=list', '-o', 'name']);
  const wanted = kinds
    .split('\n')
    .filter((kind) => kind !== '' && !/^(events|pods\.metrics)/.test(kind));
  const found = await tryKubectl(['get', wanted.join(','), '-n', namespace, '-o', 'name']);
  return found.stdout.split('\n').filter((line) => line !== '');
};

const served = async (namespace: string): Promise<Tenant> => {
  const tenant = await Tenant.named(namespace);
  const files = ['model', 'experiment', 'deployment'] as const;
  await tenant.apply(...files.map(exampleManifest));
  await tenant.awaits('modeldeployment', 'digits', { type: 'Ready', status: 'True' });
  return tenant;
};

describe('A user deletes the namespace', () => {
  test(
    'nothing is left in the cluster, and nothing among the live objects of S3',
    async () => {
      const tenant = await served('journey-deleted');
      expect((await liveObjects(tenant.namespace)).length).toBeGreaterThan(0);
      await tenant.delete(90);
      expect(await remains(tenant.namespace)).toEqual([]);
      expect(await liveObjects(tenant.namespace)).toEqual([]);
    },
    6 * MINUTES,
  );
});

describe('A user deletes the namespace while S3 is away', () => {
  afterAll(async () => {
    await scaleService('s3', 1);
  }, 3 * MINUTES);

  test(
    'the deletion does not hang: after the deadline the objects are let go',
    async () => {
      const tenant = await served('journey-deleted-without-s3');
      await scaleService('s3', 0);
      const began = Date.now();
      await tenant.delete(FINALIZER_DEADLINE_SECONDS + 90);
      const seconds = (Date.now() - began) / 1000;
      expect(seconds).toBeGreaterThan(FINALIZER_DEADLINE_SECONDS - 5);
      expect(await remains(tenant.namespace)).toEqual([]);
    },
    7 * MINUTES,
  );
});
