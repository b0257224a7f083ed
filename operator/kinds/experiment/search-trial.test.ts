import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Experiment } from '../../../crds/schema/experiment.ts';
import { JOB } from '../../runtime/kubernetes-types.ts';
import { aTemplate } from '../testing/an-experiment.ts';
import { key, keysOf } from '../testing/world.ts';
import { SearchWorld } from './testing/search-world.ts';

let at: SearchWorld;
beforeEach(() => {
  at = new SearchWorld();
});

const one = (spec: Partial<Experiment['spec']> = {}) =>
  at.create({ parallelTrialCount: 1, maxTrialCount: 3, ...spec });
const jobs = async () => keysOf(await at.world.list(JOB));
const first = async () => (await at.rows())[0];

const ended = (terminated: object) => ({
  phase: 'Failed',
  containerStatuses: [{ name: 'train', state: { terminated } }],
});

const disrupted = (reason: string) => ({
  phase: 'Failed',
  conditions: [{ type: 'DisruptionTarget', status: 'True', reason }],
});

describe('a trial that the cluster breaks', () => {
  test.each([
    ['Evicted', { phase: 'Failed', reason: 'Evicted', message: 'low on memory' }],
    ['Evicted', disrupted('EvictionByEvictionAPI')],
    ['NodeLost', disrupted('DeletionByTaintManager')],
    ['Killed', ended({ exitCode: 137, reason: 'Error' })],
  ])('by %s is started again and does not count as failed', async (reason, pod) => {
    await one();
    await at.pass();
    await at.pod('digits-train-0', pod);
    await at.end('digits-train-0', { type: 'Failed' });
    await at.passes(1);
    expect(await jobs()).toEqual(['digits-train-0-r1']);
    expect(await first()).toMatchObject({ phase: 'open', attempt: 1, reason });
    expect(await at.status()).toMatchObject({ trials: 1, trialsFailed: 0 });
    expect(at.world.events.map((event) => event.reason)).toContain('TrialRetried');
    await at.train('digits-train-0-r1', { accuracy: 0.5 });
    await at.passes(1);
    expect(await first()).toMatchObject({ phase: 'complete', values: [0.5] });
  });

  test('again and again fails in the end', async () => {
    await one({ trialTemplate: { ...aTemplate(), retryPolicy: { limit: 2 } } });
    for (const name of ['digits-train-0', 'digits-train-0-r1', 'digits-train-0-r2']) {
      await at.passes(1);
      await at.pod(name, disrupted('PreemptionByScheduler'));
      await at.end(name, { type: 'Failed' });
    }
    await at.passes(1);
    expect(await first()).toMatchObject({ phase: 'failed', reason: 'Evicted', attempt: 2 });
    expect(await at.status()).toMatchObject({ trialsFailed: 1 });
  });

  test('whose Job somebody deleted is started again', async () => {
    await one();
    await at.pass();
    await at.world.cluster.delete(JOB, key('digits-train-0'));
    await at.passes(1);
    expect(await jobs()).toEqual(['digits-train-0-r1']);
    expect(await first()).toMatchObject({ attempt: 1, reason: 'PodLost' });
  });

  test('by an image that cannot be pulled for ten minutes', async () => {
    await one({ trialTemplate: { ...aTemplate(), retryPolicy: { limit: 0 } } });
    await at.pass();
    const waiting = { reason: 'ImagePullBackOff', message: 'not found' };
    const containerStatuses = [{ name: 'train', state: { waiting } }];
    await at.pod('digits-train-0', { phase: 'Pending', containerStatuses });
    await at.passes(1);
    expect(await first()).toMatchObject({ phase: 'open' });
    at.world.advance(600_000);
    await at.passes(1);
    expect(await first()).toMatchObject({ phase: 'failed', reason: 'ImagePull' });
    expect(await jobs()).toEqual(['digits-train-1']);
  });
});

describe('a trial that fails by itself', () => {
  const fail = async (name: string, terminated: object = { exitCode: 1 }): Promise<void> => {
    await at.pod(name, ended(terminated));
    await at.end(name, { type: 'Failed' });
  };

  test('keeps its reason and the last lines of its log', async () => {
    await one();
    await at.pass();
    const message = 'epoch 1\nTraceback\nValueError: no data';
    await fail('digits-train-0', { exitCode: 1, reason: 'Error', message });
    await at.passes(1);
    const row = await first();
    expect(row).toMatchObject({ phase: 'failed', reason: 'Error', told: true });
    expect(row?.message).toContain(message);
    const event = at.world.events.find(({ reason }) => reason === 'TrialFailed');
    expect(event?.message).toContain('ValueError: no data');
    expect(at.search.outcomes()[0]).toEqual({ state: 'failed' });
  });

  test('by too little memory counts as failed, unless the policy says otherwise', async () => {
    await one();
    await at.pass();
    await fail('digits-train-0', { exitCode: 137, reason: 'OOMKilled' });
    await at.passes(1);
    expect(await first()).toMatchObject({ phase: 'failed', reason: 'OutOfMemory' });
    at = new SearchWorld();
    await one({ trialTemplate: { ...aTemplate(), retryPolicy: { on: ['OutOfMemory'] } } });
    await at.pass();
    await fail('digits-train-0', { exitCode: 137, reason: 'OOMKilled' });
    await at.passes(1);
    expect(await first()).toMatchObject({ phase: 'open', attempt: 1 });
  });

  test('too often ends the Experiment and stops what runs', async () => {
    await at.create({ parallelTrialCount: 2, maxFailedTrialCount: 1, maxTrialCount: 9 });
    await at.pass();
    await fail('digits-train-0');
    await fail('digits-train-1');
    await at.passes(3);
    expect(at.started).toEqual(['digits-train-0', 'digits-train-1']);
    expect(await at.ready()).toMatch(
      /^False TrialFailed: 2 of 2 trials failed, more than spec.maxFailedTrialCount \(1\) allows/,
    );
    expect(await at.ready('Failed')).toMatch(/^True/);
  });

  test('stops those that still run', async () => {
    await at.create({ parallelTrialCount: 3, maxFailedTrialCount: 0, maxTrialCount: 9 });
    await at.pass();
    await fail('digits-train-0');
    await at.passes(3);
    expect((await at.rows()).map(({ phase, told }) => [phase, told])).toEqual([
      ['failed', true],
      ['stopped', true],
      ['stopped', true],
    ]);
    expect(await jobs()).toEqual([]);
    expect(await at.ready('Failed')).toMatch(/^True/);
  });

  test.each([
    [{}, /no metric accuracy/],
    [{ accuracy: Number.NaN }, /its accuracy is NaN/],
    [{ accuracy: Number.POSITIVE_INFINITY }, /its accuracy is Infinity/],
  ])('as it logged %j', async (metrics, words) => {
    await one();
    await at.pass();
    await at.train('digits-train-0', metrics);
    await at.passes(1);
    const row = await first();
    expect(row).toMatchObject({ phase: 'failed', reason: 'MetricMissing' });
    expect(row?.message).toMatch(words);
  });

  test('with none that finished well is no result', async () => {
    await one({ maxTrialCount: 1 });
    await at.pass();
    await fail('digits-train-0');
    await at.passes(1);
    expect(await at.ready()).toMatch(/^False TrialFailed: None of 1 trials finished well/);
  });
});

describe('a trial that failed', () => {
  const line = (second: number, words: string) => `2026-03-01T12:00:0${second}.000000001Z ${words}`;

  test('shows the end of its log where its pod keeps no last words', async () => {
    await one();
    await at.pass();
    await at.pod('digits-train-0', ended({ exitCode: 137, reason: 'OOMKilled' }));
    at.logs.write('digits-train-0-x', line(1, 'batch 1'), line(2, 'batch 2'));
    await at.end('digits-train-0', { type: 'Failed' });
    await at.passes(1);
    expect(await first()).toMatchObject({ phase: 'failed', reason: 'OutOfMemory' });
    expect((await first())?.message).toMatch(/\nbatch 1\nbatch 2$/);
    expect(at.world.events.map(({ message }) => message)).toContainEqual(
      expect.stringMatching(/^Trial 0: OutOfMemory: .*\nbatch 1\nbatch 2$/s),
    );
  });

  test('without a metric shows the end of its log, too', async () => {
    await one();
    await at.pass();
    await at.pod('digits-train-0', { phase: 'Succeeded' });
    at.logs.write('digits-train-0-x', line(1, 'acuracy=0.5'));
    await at.end('digits-train-0', { type: 'Complete' });
    await at.passes(1);
    expect(await first()).toMatchObject({ reason: 'MetricMissing' });
    expect((await first())?.message).toMatch(/\nacuracy=0.5$/);
  });

  test.each([
    ['whose log nobody answers for', ended({ exitCode: 1 }), /exit code 1/],
    ['on a node that is lost', disrupted('DeletionByTaintManager'), /failed/],
  ])('%s has ended all the same', async (_what, pod, words) => {
    await one({
      trialTemplate: { ...aTemplate(), retryPolicy: { limit: 0 } },
      metricsCollectorSpec: { collector: { kind: 'None' } },
    });
    await at.pass();
    await at.pod('digits-train-0', pod);
    at.logs.readLog = () => Promise.reject(new Error('dial tcp: i/o timeout'));
    await at.end('digits-train-0', { type: 'Failed' });
    await at.passes(1);
    expect(await first()).toMatchObject({ phase: 'failed' });
    expect((await first())?.message).toMatch(words);
  });

  test('with a long story keeps both ends of it in the Event', async () => {
    await one();
    await at.pass();
    const message = `${'x'.repeat(3000)}\nValueError: no data`;
    await at.pod('digits-train-0', ended({ exitCode: 1, reason: 'Error', message }));
    await at.end('digits-train-0', { type: 'Failed' });
    await at.passes(1);
    const told = at.world.events.find(({ reason }) => reason === 'TrialFailed');
    expect(told?.message).toMatch(/^Trial 0: Error: Job digits-train-0 failed.*no data$/s);
    expect(told?.message.length).toBeLessThan(1024);
  });
});

describe('metrics on stdout', () => {
  const line = (second: number, words: string) => `2026-03-01T12:00:0${second}.000000001Z ${words}`;

  test('are read while the trial runs and count at its end', async () => {
    await one({ maxTrialCount: 1 });
    await at.pass();
    await at.pod('digits-train-0', { phase: 'Running' });
    at.logs.write('digits-train-0-x', line(1, 'epoch=1 accuracy=0.5'), line(2, 'hello'));
    await at.passes(1);
    at.logs.write('digits-train-0-x', line(3, 'epoch=2 accuracy = 0.75, loss=9'));
    at.world.restart();
    await at.passes(1);
    at.logs.write('digits-train-0-x', line(4, 'epoch=3 accuracy=0.6'));
    await at.end('digits-train-0', { type: 'Complete' });
    await at.passes(1);
    const row = await first();
    expect(row).toMatchObject({ phase: 'complete', values: [0.75] });
    const { metrics } = await at.runs.metricHistory(row?.runId ?? '', 'accuracy');
    expect(metrics.map(({ step, value }) => [step, value])).toEqual([
      [1, 0.5],
      [2, 0.75],
      [3, 0.6],
    ]);
    expect(at.logs.reads.map(({ since, container }) => [since, container])).toEqual([
      [undefined, 'train'],
      ['2026-03-01T12:00:02Z', 'train'],
      ['2026-03-01T12:00:03Z', 'train'],
    ]);
  });

  test('are not looked for once the objective comes by the API, or with kind None', async () => {
    await one();
    await at.pass();
    await at.pod('digits-train-0', { phase: 'Running' });
    await at.runs.log((await first())?.runId ?? '', { accuracy: 0.1 });
    await at.passes(1);
    expect(at.logs.reads).toEqual([]);
    at = new SearchWorld();
    await one({ metricsCollectorSpec: { collector: { kind: 'None' } } });
    await at.pass();
    await at.pod('digits-train-0', { phase: 'Running' });
    await at.passes(1);
    expect(at.logs.reads).toEqual([]);
  });
});

describe('early stopping', () => {
  test('stops a hopeless trial within one report interval', async () => {
    await one({ earlyStopping: { algorithmName: 'median' } });
    at.search.prunes = (_number, { step, value }) => step >= 2 && value < 0.3;
    expect(await at.pass()).toEqual({ requeueAfterMs: 5_000 });
    await at.pod('digits-train-0', { phase: 'Running' });
    const runId = (await first())?.runId ?? '';
    const log = (step: number, value: number) =>
      at.runs.logBatch(runId, { metrics: [{ key: 'accuracy', value, step, timestamp: step }] });
    await log(1, 0.1);
    await at.passes(1);
    expect(await first()).toMatchObject({ phase: 'open', reported: 1 });
    await log(2, 0.2);
    await at.passes(1);
    expect(await first()).toMatchObject({ phase: 'pruned', told: true });
    expect(at.search.outcomes()[0]).toEqual({ state: 'pruned' });
    expect(await jobs()).toEqual(['digits-train-1']);
    expect(await at.status()).toMatchObject({ trialsEarlyStopped: 1, trialsFailed: 0 });
    expect((await at.runs.getRun(runId))?.status).toBe('KILLED');
  });
});
