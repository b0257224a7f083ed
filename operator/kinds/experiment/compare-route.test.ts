import { describe, expect, test } from '@jest/globals';
import { apiFixture, given, person } from '../../api/testing/api-fixture.ts';

const URL = '/api/v1/namespaces/demo/experiments/train/runs/compare';
const id = (hex: string): string => hex.repeat(32);

/** Runs 1 to 4: models a and b with seeds 0 and 1, nested under e and f; run 9 of another Experiment. */
const world = async () => {
  const fixture = await apiFixture();
  const { uid = '' } = (await given(fixture, 'Experiment', { namespace: 'demo', name: 'train' }))
    .metadata;
  const run = async (hex: string, experimentUid: string, parent?: string) =>
    fixture.runs.createRun({
      runId: id(hex),
      experiment: { uid: experimentUid, namespace: 'demo', name: 'train' },
      name: `run-${hex}`,
      userId: 'ada',
      startTime: Number.parseInt(hex, 16),
      ...(parent === undefined ? {} : { tags: { 'mlflow.parentRunId': id(parent) } }),
    });
  await run('e', uid);
  await run('f', uid);
  await run('9', 'other');
  const trained = [
    ['1', 'a', '0', 0.5, 'e'],
    ['2', 'a', '1', 0.75, 'e'],
    ['3', 'b', '0', 1, 'f'],
    ['4', 'b', '1', NaN, 'f'],
  ] as const;
  for (const [hex, model, seed, value, parent] of trained) {
    await run(hex, uid, parent);
    await fixture.runs.logBatch(id(hex), {
      params: { model, seed },
      metrics: [{ key: 'loss', value, timestamp: 1, step: 0 }],
    });
  }
  const headers = person(fixture, 'ada');
  const ask = async (query: string) => fixture.app.inject({ url: `${URL}?${query}`, headers });
  return { fixture, ask };
};

const allowed = async () => {
  const made = await world();
  made.fixture.cluster.allows = () => true;
  return made;
};

describe('comparing the runs of an Experiment', () => {
  test('is for those who may read it', async () => {
    const { fixture, ask } = await world();
    expect((await ask(`run=${id('1')}&run=${id('2')}`)).statusCode).toBe(403);
    fixture.pass(10_000);
    fixture.cluster.allows = (_user, { verb, resource }) =>
      verb === 'get' && resource === 'experiments';
    expect((await ask(`run=${id('1')}&run=${id('2')}`)).statusCode).toBe(200);
  });

  test('compares single runs, nested runs by parent, and all by a param', async () => {
    const { ask } = await allowed();
    const two = await ask(`run=${id('1')}&run=${id('3')}&run=${id('3')}`);
    // Nested runs of two parents: two groups of one run each.
    expect(two.json()).toMatchObject({
      groups: [
        { name: id('e'), runs: [{ runId: id('1'), name: 'run-1', status: 'RUNNING' }] },
        { name: id('f'), runs: [{ runId: id('3') }] },
      ],
      params: [{ name: 'model' }],
      metrics: [{ name: 'loss', comparisons: [{ difference: 0.5, pairs: 1 }] }],
    });
    const parents = await ask(`parent=${id('e')}&parent=${id('f')}`);
    expect(parents.json()).toMatchObject({
      groups: [{ runs: [{ name: 'run-1' }, { name: 'run-2' }] }, { name: id('f') }],
      metrics: [
        {
          groups: [
            { count: 2, mean: 0.625 },
            { count: 1, notFinite: [id('4')] },
          ],
          comparisons: [{ t: { test: 'paired-t', reason: 'NotEnoughRuns', needed: 2 } }],
        },
      ],
    });
    const models = (await ask('groupBy=model')).json<{ groups: unknown; ungrouped: string[] }>();
    expect(models.groups).toMatchObject([{ name: 'a' }, { name: 'b' }]);
    expect(models.ungrouped.toSorted()).toEqual([id('e'), id('f')]);
  });

  test('says of one run that it is not enough', async () => {
    const { ask } = await allowed();
    const one = await ask(`run=${id('1')}`);
    expect(one.statusCode).toBe(200);
    expect(one.json()).toMatchObject({ reason: 'NotEnoughRuns', needed: 2 });
  });

  test('names a run that is unknown, deleted or of another Experiment', async () => {
    const { fixture, ask } = await allowed();
    await fixture.runs.deleteRun(id('2'));
    for (const hex of ['a', '2', '9']) {
      for (const parameter of ['run', 'parent']) {
        const answer = await ask(`run=${id('1')}&${parameter}=${id(hex)}`);
        expect(answer.statusCode).toBe(404);
        expect(answer.json()).toMatchObject({ detail: `Run with id=${id(hex)} not found` });
      }
    }
  });

  test('refuses what is no id, a level beyond all, unknown metrics and a parent of none', async () => {
    const { ask } = await allowed();
    for (const query of ['run=x%00', 'confidence=1', 'groupBy=', `run=${id('1')}&metric=f1`]) {
      expect([query, (await ask(query)).statusCode]).toEqual([query, 400]);
    }
    expect((await ask(`parent=${id('1')}`)).json()).toMatchObject({
      code: 'InvalidRequest',
      detail: expect.stringContaining(`Run ${id('1')} has no nested runs`),
    });
  });

  test('refuses more than 200 runs', async () => {
    const { fixture, ask } = await allowed();
    const [first] = (await fixture.runs.listRuns({ experimentUids: ['other'] })).runs;
    if (first === undefined) throw new Error('There is no run.');
    const runs = Array.from({ length: 201 }, (_, i) => ({ ...first, runId: `${i}` }));
    fixture.runs.listRuns = async () => ({ runs });
    expect((await ask('')).json()).toMatchObject({
      code: 'InvalidRequest',
      detail: expect.stringContaining('More than 200 runs'),
    });
  });

  test('gives up looking for nested runs among more than 10000', async () => {
    const { fixture, ask } = await allowed();
    let pages = 0;
    fixture.runs.listRuns = async ({ limit }) => {
      pages += 1;
      expect(limit).toBe(200);
      return { runs: [], nextCursor: 'more' };
    };
    expect((await ask(`parent=${id('e')}`)).json()).toMatchObject({ code: 'InvalidRequest' });
    expect(pages).toBe(50);
  });
});
