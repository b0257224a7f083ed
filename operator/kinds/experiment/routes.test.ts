import { describe, expect, test } from '@jest/globals';
import { apiFixture, given, person } from '../../api/testing/api-fixture.ts';
import { MemoryRunStore } from './memory-run-store.ts';
import { MemoryTrialStore } from './memory-trial-store.ts';
import { trialRoutes } from './routes.ts';

const URL = '/api/v1/namespaces/demo/experiments/train/runs';

describe('the runs of an Experiment', () => {
  test('are shown to who may get it, without the operator’s records', async () => {
    const fixture = await apiFixture();
    const { uid = '' } = (await given(fixture, 'Experiment', { namespace: 'demo', name: 'train' }))
      .metadata;
    const runId = 'a'.repeat(32);
    await fixture.runs.createRun({
      runId,
      experiment: { uid, namespace: 'demo', name: 'train' },
      name: 'train-0',
      userId: 'operator',
      startTime: 1,
      tags: { stage: 'x', 'mlops.record.artifact.1': '{}' },
    });
    const metrics = [{ key: 'loss', value: NaN, timestamp: 1, step: 0 }];
    await fixture.runs.logBatch(runId, { metrics });
    const headers = person(fixture, 'ada');
    expect((await fixture.app.inject({ url: URL, headers })).statusCode).toBe(403);
    fixture.pass(10_000);
    fixture.cluster.allows = () => true;
    expect((await fixture.app.inject({ url: URL, headers })).json()).toEqual({
      items: [
        {
          runId,
          name: 'train-0',
          userId: 'operator',
          startTime: 1,
          status: 'RUNNING',
          lifecycleStage: 'active',
          params: {},
          tags: { stage: 'x' },
          metrics: [{ key: 'loss', value: 'NaN', timestamp: 1, step: 0 }],
        },
      ],
    });
    const missing = await fixture.app.inject({ url: URL.replace('train', 'none'), headers });
    expect(missing.json()).toMatchObject({ code: 'NotFound' });
  });

  test('say where the next page starts', async () => {
    const fixture = await apiFixture();
    await given(fixture, 'Experiment', { namespace: 'demo', name: 'train' });
    fixture.cluster.allows = () => true;
    fixture.runs.listRuns = async ({ limit, cursor }) => ({
      runs: [],
      nextCursor: `${limit}-${cursor}`,
    });
    const headers = person(fixture, 'ada');
    const response = await fixture.app.inject({ url: `${URL}?limit=2&cursor=x`, headers });
    expect(response.json()).toEqual({ items: [], nextCursor: '2-x' });
  });
});

describe('the trials of a search', () => {
  test('are shown by number, in pages, to who may get it', async () => {
    const runs = new MemoryRunStore();
    const trials = new MemoryTrialStore(runs);
    const fixture = await apiFixture({ routes: [trialRoutes(trials)] });
    const { uid = '' } = (await given(fixture, 'Experiment', { namespace: 'demo', name: 'train' }))
      .metadata;
    const experiment = { uid, namespace: 'demo', name: 'train' };
    for (const number of [0, 1]) {
      const parameters = { lr: '0.1' };
      const run = await runs.createTrial({ experiment, number, parameters, name: 't' });
      const assignments = [{ name: 'lr', value: '0.1' }];
      await trials.open({ experimentUid: uid, runId: run.runId, number, assignments });
      await trials.progress(run.runId, { started: 0 });
    }
    const [first] = (await trials.list(uid)).trials;
    const end = { phase: 'failed', reason: 'OutOfMemory', message: 'Killed' } as const;
    await trials.end(first?.runId ?? '', end, ['minimize']);
    const url = '/api/v1/namespaces/demo/experiments/train/trials';
    const headers = person(fixture, 'ada');
    expect((await fixture.app.inject({ url, headers })).statusCode).toBe(403);
    fixture.pass(10_000);
    fixture.cluster.allows = () => true;
    const answer = await fixture.app.inject({ url: `${url}?limit=1`, headers });
    const page = answer.json<{ items: unknown; nextCursor: string }>();
    expect(page.items).toEqual([
      {
        number: 0,
        runId: first?.runId,
        state: 'failed',
        attempts: 1,
        parameters: { lr: '0.1' },
        values: [],
        reason: 'OutOfMemory',
        message: 'Killed',
      },
    ]);
    const rest = await fixture.app.inject({ url: `${url}?cursor=${page.nextCursor}`, headers });
    expect(rest.json()).toMatchObject({ items: [{ number: 1, state: 'open' }] });
    const missing = await fixture.app.inject({ url: url.replace('train/', 'none/'), headers });
    expect(missing.json()).toMatchObject({ code: 'NotFound' });
  });
});
