import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { at, textAt } from './harness/kubectl.ts';
import {
  killOperator,
  killSearchService,
  operatorIsReady,
  replaceOperatorPods,
} from './harness/operator-pods.ts';
import { podsStarted } from './harness/search.ts';
import { Tenant } from './harness/tenant.ts';
import { digitsSearch } from './harness/trainings.ts';

const MINUTES = 60_000;
const SEARCH = 'long';
const TRIALS = 30;
const ASHA = {
  parallelTrialCount: 3,
  earlyStopping: {
    algorithmName: 'asha',
    algorithmSettings: [
      { name: 'min_resource', value: '2' },
      { name: 'reduction_factor', value: '3' },
    ],
  },
};

/** Real trainings; too long for every run. Journey 19 disturbs a shorter search. */
const atFullLength = process.env['SOAK'] === '1' ? describe : describe.skip;

atFullLength('Thirty trainings are searched over while what searches is killed', () => {
  let tenant: Tenant;

  beforeAll(async () => {
    await operatorIsReady();
    tenant = await Tenant.named('journey-long');
    await tenant.apply(digitsSearch(SEARCH, { trials: TRIALS, more: ASHA }));
  }, 3 * MINUTES);

  afterAll(async () => {
    await operatorIsReady();
    await tenant.abandon();
  }, 3 * MINUTES);

  const status = async () => at(await tenant.get('experiment', SEARCH), 'status');

  test(
    'the operator twice, and the search service once; the best becomes a version',
    async () => {
      for (const [count, kill] of [
        [5, killOperator],
        [12, killSearchService],
        [20, killOperator],
      ] as const) {
        await tenant.until(`${count} trials to be started`, 300, async () =>
          Number(at(await status(), 'trials') ?? 0) >= count ? true : undefined,
        );
        expect(await kill()).toBeGreaterThan(0);
        if (kill === killOperator) await replaceOperatorPods();
      }
      await tenant.awaits('experiment', SEARCH, { type: 'Complete', status: 'True' }, 600);
      expect(at(await status(), 'registeredVersion')).toBe('1.0.0');
      const version = await tenant.get('modelversion', 'digits-1.0.0');
      expect(textAt(version, 'spec.source.runId')).toBe(
        textAt(await status(), 'currentOptimalTrial.runId'),
      );
    },
    20 * MINUTES,
  );

  test('each trial had one pod', async () => {
    const names = Array.from({ length: TRIALS }, (_, number) => `${SEARCH}-${number}`);
    expect((await podsStarted(tenant, SEARCH)).toSorted()).toEqual(names.toSorted());
  });
});
