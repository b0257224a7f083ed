import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { queryDatabase } from './harness/database.ts';
import { applyExample, exampleDiff } from './harness/course.ts';
import { at, listAt, type Json } from './harness/kubectl.ts';
import { mlops } from './harness/mlops.ts';
import {
  killOperator,
  killSearchService,
  operatorIsReady,
  replaceOperatorPods,
} from './harness/operator-pods.ts';
import { RestUser } from './harness/rest.ts';
import { lossAt, podsStarted, trialsOfEngine, valleySearch } from './harness/search.ts';
import { Tenant } from './harness/tenant.ts';

const MINUTES = 60_000;
const SEARCH = 'valley';
const SOAK = process.env['SOAK'] === '1';
/** At full length: with early stopping, of trials that are long enough to be stopped. */
const SHAPE = SOAK
  ? {
      ...{ trials: 30, steps: 9, pauseSeconds: 1 },
      earlyStopping: {
        algorithmName: 'asha',
        algorithmSettings: [
          { name: 'min_resource', value: '1' },
          { name: 'reduction_factor', value: '3' },
        ],
      },
    }
  : { trials: 12, steps: 3, pauseSeconds: 0.3 };

let demo: Tenant;

/** The example trains while the other search is disturbed. */
beforeAll(async () => {
  await operatorIsReady();
  demo = await Tenant.named('demo-search');
  await applyExample('05-search');
  await demo.apply(valleySearch(SEARCH, SHAPE));
}, 3 * MINUTES);

afterAll(async () => {
  await operatorIsReady();
  await demo.abandon();
}, 3 * MINUTES);

describe('A search over parameters goes on whatever is killed', () => {
  const search = (): Promise<Json | undefined> => demo.get('experiment', SEARCH);
  const trialsStarted = (count: number): Promise<true> =>
    demo.until(`${count} trials to be started`, 120, async () =>
      Number(at(await search(), 'status.trials') ?? 0) >= count ? true : undefined,
    );

  test(
    'the operator twice, and the search service once',
    async () => {
      for (const [count, kill] of [
        [2, killOperator],
        [5, killSearchService],
        [8, killOperator],
      ] as const) {
        await trialsStarted(count);
        expect(await kill()).toBeGreaterThan(0);
        if (kill === killOperator) await replaceOperatorPods();
      }
      await operatorIsReady();
      await demo.awaits(
        'experiment',
        SEARCH,
        { type: 'Complete', status: 'True' },
        SOAK ? 600 : 180,
      );
    },
    (SOAK ? 15 : 6) * MINUTES,
  );

  test('every trial that was asked for had exactly one pod', async () => {
    const names = Array.from({ length: SHAPE.trials }, (_, number) => `${SEARCH}-${number}`);
    expect((await podsStarted(demo, SEARCH)).toSorted()).toEqual(names.toSorted());
  });

  test('Experiment, runs and engine count the same trials', async () => {
    const status = at(await search(), 'status') as Readonly<Record<string, number | undefined>>;
    const { trials, trialsSucceeded, trialsEarlyStopped = 0, trialsFailed = 0 } = status;
    expect([trials, trialsFailed]).toEqual([SHAPE.trials, 0]);
    expect(Number(trialsSucceeded) + trialsEarlyStopped).toBe(SHAPE.trials);
    expect(trialsEarlyStopped > 0).toBe(SOAK);
    expect(await trialsOfEngine(demo, SEARCH)).toEqual({
      COMPLETE: trialsSucceeded,
      ...(trialsEarlyStopped > 0 ? { PRUNED: trialsEarlyStopped } : {}),
    });
    const user = await RestUser.with('view', demo);
    const runs = listAt(await user.read(`experiments/${SEARCH}/runs`), 'items');
    expect(runs.map(({ status: each }) => each).toSorted()).toEqual([
      ...Array<string>(Number(trialsSucceeded)).fill('FINISHED'),
      ...Array<string>(trialsEarlyStopped).fill('KILLED'),
    ]);
  });

  test('the best trial is the one that printed the lowest loss', async () => {
    const best = at(await search(), 'status.currentOptimalTrial');
    const [x, y] = listAt(best, 'parameterAssignments').map(({ value }) => Number(value));
    const [loss] = listAt(best, 'observation.metrics');
    expect(Number(loss?.['latest'])).toBeCloseTo(lossAt(x ?? NaN, y ?? NaN), 6);
    const lowest = await queryDatabase(
      `select min(v.value) from optuna.trial_values v join optuna.trials t using (trial_id)
       join optuna.studies s using (study_id) where s.study_name like 'demo-search/${SEARCH}/%'`,
    );
    expect(Number(lowest[0])).toBeCloseTo(Number(loss?.['latest']), 6);
  });

  test('the command line says in what trials differ, and which parameters matter', async () => {
    const user = await RestUser.with('view', demo);
    const runs = listAt(await user.read(`experiments/${SEARCH}/runs`), 'items');
    const two = runs.slice(0, 2).flatMap(({ runId }) => ['--run', String(runId)]);
    const page = await mlops(user, 'compare', SEARCH, '-n', demo.namespace, ...two);
    expect(page).toContain('2 runs in 2 groups');
    expect(page).toMatch(/LOSS +RUNS +MEAN .*\n.*not enough runs \(2 needed\)/);
    const importance = await mlops(user, 'importance', SEARCH, '-n', demo.namespace);
    const table = /WHAT MATTERS FOR loss .*\n[xy] +0\.\d\d .*\n[xy] +0\.\d\d/;
    // Of thirty trials that are stopped early, few may reach their end.
    expect(importance).toMatch(SOAK ? /WHAT MATTERS|Too few trials have finished well/ : table);
  });

  test('the API draws it', async () => {
    const user = await RestUser.with('view', demo);
    const svg = await user.text(`experiments/${SEARCH}/plots/optimization-history`);
    expect(svg.match(/<circle /g)?.length).toBeGreaterThanOrEqual(1);
    expect(svg).toMatch(/^<svg [\s\S]*<\/svg>\s*$/);
  });

  test(
    'with the Experiment the engine forgets the study',
    async () => {
      await demo.kubectl('delete', 'experiment', SEARCH, '--timeout=60s');
      expect(await trialsOfEngine(demo, SEARCH)).toEqual({});
    },
    2 * MINUTES,
  );
});

describe('A user applies the example of a search', () => {
  test(
    'its best trial becomes the first version',
    async () => {
      await demo.awaits('experiment', 'digits-search', { type: 'Complete', status: 'True' });
      const status = at(await demo.get('experiment', 'digits-search'), 'status');
      expect(at(status, 'trialsSucceeded')).toBe(4);
      expect(at(status, 'registeredVersion')).toBe('1.0.0');
      await demo.awaits('modelversion', 'digits-1.0.0', { type: 'Ready', status: 'True' });
      const version = await demo.get('modelversion', 'digits-1.0.0');
      expect(JSON.stringify(at(version, 'spec'))).toContain(
        String(at(status, 'currentOptimalTrial.runId')),
      );
      const alias = await demo.get('modelalias', 'digits-champion');
      expect(at(alias, 'spec.version')).toBe('1.0.0');
    },
    5 * MINUTES,
  );

  test('the live objects do not differ from what was applied', async () => {
    expect(await exampleDiff('05-search')).toEqual({ ok: true, stdout: '', stderr: '' });
  });
});
