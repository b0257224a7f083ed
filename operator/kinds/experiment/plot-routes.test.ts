import { describe, expect, test } from '@jest/globals';
import { apiFixture, given, person } from '../../api/testing/api-fixture.ts';
import { MemoryRunStore } from './memory-run-store.ts';
import { MemoryTrialStore } from './memory-trial-store.ts';
import { noSearchEngine, StudyBehind, type ImportanceSource } from './search-engine.ts';
import { plotRoutes } from './plot-routes.ts';

const SPEC = {
  objective: {
    type: 'maximize',
    objectiveMetricName: 'accuracy<&>',
    additionalObjectives: [{ name: 'latency', type: 'minimize' }],
  },
  algorithm: { algorithmName: 'nsgaii' },
  parameters: [
    {
      name: 'lr',
      parameterType: 'double',
      feasibleSpace: { min: '0.01', max: '1', distribution: 'logUniform' },
    },
    {
      name: 'optimizer',
      parameterType: 'categorical',
      feasibleSpace: { list: ['sgd', 'adam'] },
    },
  ],
};

/** Experiment demo/train with a trial for each pair of values; undefined for one that failed. */
const searched = async (
  outcomes: readonly (readonly [number, number] | undefined)[],
  spec: object = SPEC,
  importance: ImportanceSource = noSearchEngine(),
) => {
  const runs = new MemoryRunStore();
  const trials = new MemoryTrialStore(runs);
  const fixture = await apiFixture({ routes: [plotRoutes(trials, importance)] });
  const { uid = '' } = (
    await given(fixture, 'Experiment', { namespace: 'demo', name: 'train' }, { spec })
  ).metadata;
  const experiment = { uid, namespace: 'demo', name: 'train' };
  for (const [number, values] of outcomes.entries()) {
    const parameters = { lr: String(10 ** (number - 2)), optimizer: 'adam' };
    const { runId } = await runs.createTrial({ experiment, number, parameters, name: 't' });
    await trials.open({
      ...{ experimentUid: uid, runId, number },
      assignments: Object.entries(parameters).map(([name, value]) => ({ name, value })),
    });
    const end =
      values === undefined ? { phase: 'failed' as const } : { phase: 'complete' as const, values };
    await trials.end(runId, end, ['maximize', 'minimize']);
  }
  const headers = person(fixture, 'ada');
  const get = async (plot: string) =>
    fixture.app.inject({ url: `/api/v1/namespaces/demo/experiments/train/plots/${plot}`, headers });
  return { fixture, get, trials, uid };
};

const circles = (svg: string): readonly string[] =>
  [...svg.matchAll(/cx="([^"]+)" cy="([^"]+)"/g)].map(([, x, y]) => `${x} ${y}`);

describe('the plots of a search', () => {
  test('are SVG that can run nothing, for who may get the Experiment', async () => {
    const { fixture, get } = await searched([[0, 1], undefined, [1, 2]]);
    expect((await get('optimization-history')).statusCode).toBe(403);
    fixture.pass(10_000);
    fixture.cluster.allows = () => true;
    const answer = await get('optimization-history');
    expect(answer.statusCode).toBe(200);
    expect(answer.headers).toMatchObject({
      'content-type': 'image/svg+xml; charset=utf-8',
      'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
      'x-content-type-options': 'nosniff',
    });
    expect(circles(answer.body)).toEqual(['96 366', '690 68']);
    expect(answer.body).toContain('>accuracy&lt;&amp;&gt;</text>');
  });

  test('are all drawn, and say so where nothing is complete', async () => {
    const { fixture, get } = await searched([]);
    fixture.cluster.allows = () => true;
    for (const kind of ['optimization-history', 'slice', 'parallel-coordinates', 'contour'])
      expect((await get(kind)).body).toContain('No trial has started yet.');
    expect((await get('pareto-front')).body).toContain('No trial has started yet.');
    expect((await get('intermediate-values')).body).toContain('No trial has reported a value');
  });

  test('show what the address chooses', async () => {
    const { fixture, get } = await searched([
      [0, 1],
      [1, 3],
      [0.5, 5],
    ]);
    fixture.cluster.allows = () => true;
    expect(circles((await get('slice')).body)).toEqual(['96 366', '393 68', '690 217']);
    const slice = await get('slice?parameter=optimizer&objective=latency');
    expect(slice.body).toContain('Slice of train by optimizer');
    // The second of two choices; latency from 1 to 5.
    expect(circles(slice.body)).toEqual(['541.5 366', '541.5 217', '541.5 68']);
    expect((await get('contour?x=optimizer')).body).toContain(
      'Contour of train by optimizer and lr',
    );
    // On the front: the most accurate and the fastest; trial 2 is beaten by trial 1.
    const front = (await get('pareto-front')).body;
    expect(front).toContain('>Pareto front (2)</text>');
    expect(circles(front)).toEqual(['393 68', '96 366', '690 217']);
  });

  test('read the trials page by page', async () => {
    const { fixture, get, trials } = await searched([
      [0, 1],
      [1, 3],
      [0.5, 5],
    ]);
    fixture.cluster.allows = () => true;
    const list = trials.list.bind(trials);
    trials.list = async (uid, page) => list(uid, { ...page, limit: 2 });
    expect(circles((await get('optimization-history')).body)).toHaveLength(3);
  });

  test('show the values that trials reported on their way', async () => {
    const { fixture, get, trials, uid } = await searched([[0, 1], undefined]);
    fixture.cluster.allows = () => true;
    const histories = new Map(
      (await trials.list(uid)).trials.map(({ runId, number }) => [runId, number]),
    );
    fixture.runs.metricHistory = async (runId, key) => ({
      metrics:
        histories.get(runId) === 0
          ? [0, 1].map((step) => ({ key, step, value: step, timestamp: step }))
          : [],
    });
    expect((await get('intermediate-values')).body).toContain('d="M96 366L690 68"');
  });

  test('show what the engine says matters for the objective', async () => {
    const importance: ImportanceSource = {
      importances: async (study, objective) => ({
        evaluator: `Fake of ${study.split('/').slice(0, 2).join('/')}`,
        importances: [
          { parameter: 'lr', importance: 0.25 * objective },
          { parameter: 'optimizer', importance: 0.75 },
        ],
      }),
    };
    const { fixture, get } = await searched([], SPEC, importance);
    fixture.cluster.allows = () => true;
    const { body } = await get('importance?objective=latency');
    expect(body).toContain('>Importance for latency</text>');
    expect(body).toContain('By Optuna&#39;s Fake of demo/train.');
    // The axis goes from 0 at pixel 186 to 0.8 at 690; the most important stands first.
    expect([...body.matchAll(/width="([^"]+)" fill="#0072b2"/g)].map(([, wide]) => wide)).toEqual([
      ...['472.5', '157.5'],
    ]);
    expect(body.indexOf('>optimizer<')).toBeLessThan(body.indexOf('>lr<'));
  });

  test('say what is missing where the engine has no study, or there is no engine', async () => {
    const none = await searched([]);
    none.fixture.cluster.allows = () => true;
    const answer = await none.get('importance');
    expect(answer.json()).toMatchObject({
      code: 'NotReady',
      detail: expect.stringContaining('set hpo.enabled in the chart'),
    });
    const behind = await searched([], SPEC, {
      importances: async (study) => Promise.reject(new StudyBehind(study, 0)),
    });
    behind.fixture.cluster.allows = () => true;
    expect((await behind.get('importance')).body).toContain('Not enough complete trials');
  });

  test('refuse names that the search does not have', async () => {
    const { fixture, get } = await searched([]);
    fixture.cluster.allows = () => true;
    const detail = async (plot: string): Promise<unknown> => {
      const answer = await get(plot);
      expect(answer.statusCode).toBe(400);
      return answer.json<{ detail: string }>().detail;
    };
    expect(await detail('slice?parameter=depth')).toBe(
      '?parameter=depth names no parameter of this search; it has lr, optimizer.',
    );
    expect(await detail('pareto-front?x=lr')).toBe(
      '?x=lr names no objective of this search; it has accuracy<&>, latency.',
    );
    expect((await get('pie')).statusCode).toBe(400);
  });

  test('need two objectives, two parameters, or a search at all where they show them', async () => {
    const { additionalObjectives: _none, ...objective } = SPEC.objective;
    const narrow = { ...SPEC, objective, parameters: SPEC.parameters.slice(0, 1) };
    const { fixture, get } = await searched([], narrow);
    fixture.cluster.allows = () => true;
    expect((await get('pareto-front')).json()).toMatchObject({
      detail: 'This plot needs 2 objectives, and the search has 1: accuracy<&>.',
    });
    expect((await get('contour')).json()).toMatchObject({
      detail: 'This plot needs 2 parameters, and the search has 1: lr.',
    });
    const training = await searched([], {});
    training.fixture.cluster.allows = () => true;
    expect((await training.get('slice')).json()).toMatchObject({
      code: 'InvalidRequest',
      detail: expect.stringContaining('is one training and no search'),
    });
  });
});
