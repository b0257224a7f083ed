import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { listAt } from './harness/kubectl.ts';
import { exampleManifest } from './harness/manifests.ts';
import { killOperator, operatorIsReady, replaceOperatorPods } from './harness/operator-pods.ts';
import { seededRandom } from '../seeded-random.ts';
import { RestUser } from './harness/rest.ts';
import { Tenant } from './harness/tenant.ts';

const MINUTES = 60_000;
const ROUNDS = 5;
const SEED = Number(process.env['JOURNEY_SEED'] ?? Date.now() % 100_000);

describe(`The operator is killed at random moments of the example (JOURNEY_SEED=${SEED})`, () => {
  let tenant: Tenant;

  beforeAll(async () => {
    await operatorIsReady();
    tenant = await Tenant.named('journey-killed');
  }, 3 * MINUTES);

  afterAll(async () => {
    await operatorIsReady();
    await tenant.abandon();
  }, 4 * MINUTES);

  test(
    `SIGKILL to all of it, ${ROUNDS} times, and the example still comes to its end`,
    async () => {
      const random = seededRandom(SEED);
      const files = ['model', 'experiment', 'deployment'] as const;
      await tenant.apply(...files.map(exampleManifest));
      for (let round = 0; round < ROUNDS; round++) {
        // A random moment is what is tried here, not something that is waited for.
        await new Promise((resolve) => setTimeout(resolve, random() * 5_000));
        expect(await killOperator()).toBeGreaterThan(0);
        await replaceOperatorPods();
        await operatorIsReady();
      }
      await tenant.awaits('experiment', 'digits-train', { type: 'Complete', status: 'True' }, 180);
      await tenant.awaits('modeldeployment', 'digits', { type: 'Ready', status: 'True' }, 180);
    },
    10 * MINUTES,
  );

  test('there is exactly one Job, one version, one alias and one run', async () => {
    const names = async (kind: string): Promise<readonly unknown[]> =>
      (await tenant.list(kind)).map((each) => (each['metadata'] as { name: string }).name);
    expect(await names('jobs')).toEqual(['digits-train-0']);
    expect(await names('modelversions')).toEqual(['digits-1.0.0']);
    expect(await names('modelaliases')).toEqual(['digits-champion']);
    const user = await RestUser.with('view', tenant);
    const runs = listAt(await user.read('experiments/digits-train/runs'), 'items');
    expect(runs.map(({ status }) => status)).toEqual(['FINISHED']);
  });
});
