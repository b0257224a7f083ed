import { beforeAll, describe, expect, test } from '@jest/globals';
import {
  ExperimentClosed,
  InvalidRunInput,
  type Metric,
  ParamConflict,
  RunNotFound,
  type RunStore,
} from '../run-store.ts';

const experimentOf = (uid: string) => ({ uid, namespace: 'demo', name: 'digits-train' });

/** What every store of runs must do. */
export const describeRunStore = (name: string, make: () => Promise<RunStore>): void => {
  describe(`${name} keeps the contract of run stores`, () => {
    let store: RunStore;
    let lastId = 0;

    /** A new active run and its id. */
    const aRun = async (uid = 'uid-any', startTime = 1000): Promise<string> => {
      const runId = (++lastId).toString(16).padStart(32, '0');
      const name = `run-${lastId}`;
      await store.createRun({
        runId,
        experiment: experimentOf(uid),
        name,
        userId: 'ann',
        startTime,
      });
      return runId;
    };
    const point = (key: string, value: number, step = 0, timestamp = 0): Metric => ({
      ...{ key, value, step, timestamp },
    });

    beforeAll(async () => {
      store = await make();
    });

    test('a trial has the same run however often it is created', async () => {
      const trial = {
        ...{ experiment: experimentOf('uid-1'), number: 3, name: 'digits-train-3' },
        parameters: { hidden: '64', lr: '1e-3' },
      };
      const [run, again] = await Promise.all([store.createTrial(trial), store.createTrial(trial)]);
      expect(run).toEqual({
        runId: '762b0dc3b1ea7f8fbbfbc50eba1203f6',
        experiment: experimentOf('uid-1'),
        trialNumber: 3,
        name: 'digits-train-3',
        userId: '',
        status: 'SCHEDULED',
        lifecycleStage: 'active',
        params: { hidden: '64', lr: '1e-3' },
        tags: {},
        metrics: [],
      });
      expect(again).toEqual(run);
      const other = await store.createTrial({ ...trial, number: 4 });
      expect(other.runId).not.toBe(run.runId);
    });

    test('the training after a search is no trial, and has one run', async () => {
      const trial = {
        ...{ experiment: experimentOf('uid-final'), number: 'final' as const, name: 'a-final' },
        parameters: { lr: '1e-3' },
      };
      const run = await store.createTrial(trial);
      expect(run).not.toHaveProperty('trialNumber');
      expect(run).toMatchObject({ status: 'SCHEDULED', params: { lr: '1e-3' } });
      expect(await store.createTrial(trial)).toEqual(run);
      const first = await store.createTrial({ ...trial, number: 0 });
      expect(first.runId).not.toBe(run.runId);
    });

    test('the image of a run is the last one that was noted', async () => {
      const runId = await aRun();
      expect(await store.getRun(runId)).not.toHaveProperty('image');
      await store.setImage(runId, 'sha256:a');
      await store.setImage(runId, 'sha256:b');
      expect((await store.getRun(runId))?.image).toBe('sha256:b');
      await expect(store.setImage('nobody', 'sha256:a')).rejects.toThrow(RunNotFound);
    });

    test('a trial starts once and ends once', async () => {
      const trial = { experiment: experimentOf('uid-2'), number: 0, parameters: {}, name: 't' };
      const { runId } = await store.createTrial(trial);
      await store.startRun(runId, 1000);
      await store.startRun(runId, 2000);
      expect(await store.getRun(runId)).toMatchObject({ status: 'RUNNING', startTime: 1000 });
      await store.finishRun(runId, 'FAILED', 3000);
      await store.finishRun(runId, 'FINISHED', 4000);
      await store.startRun(runId, 5000);
      expect(await store.getRun(runId)).toMatchObject({
        ...{ status: 'FAILED', startTime: 1000, endTime: 3000 },
      });
    });

    test('a run that a client opens is running from the start', async () => {
      const run = await store.createRun({
        runId: 'f'.repeat(32),
        experiment: experimentOf('uid-3'),
        name: 'brave-fox',
        userId: 'ann',
        startTime: 1_700_000_000_123,
        tags: { 'mlflow.user': 'ann' },
      });
      expect(run).toEqual({
        runId: 'f'.repeat(32),
        experiment: experimentOf('uid-3'),
        name: 'brave-fox',
        userId: 'ann',
        status: 'RUNNING',
        startTime: 1_700_000_000_123,
        lifecycleStage: 'active',
        params: {},
        tags: { 'mlflow.user': 'ann' },
        metrics: [],
      });
      await expect(store.createRun(run as Required<typeof run>)).rejects.toThrow(InvalidRunInput);
      expect(await store.getRun(run.runId)).toEqual(run);
    });

    test('an update changes what it names and nothing else', async () => {
      const runId = await aRun();
      const updated = await store.updateRun(runId, { status: 'FINISHED', endTime: 5000 });
      expect(updated).toMatchObject({ status: 'FINISHED', endTime: 5000, startTime: 1000 });
      expect(await store.updateRun(runId, { name: 'renamed' })).toMatchObject({
        ...{ name: 'renamed', status: 'FINISHED' },
      });
      expect(await store.updateRun(runId, {})).toMatchObject({ name: 'renamed' });
    });

    test('a run nobody knows is named in the error', async () => {
      const calls: readonly ((id: string) => Promise<unknown>)[] = [
        (id) => store.startRun(id, 1),
        (id) => store.finishRun(id, 'KILLED', 1),
        (id) => store.updateRun(id, { name: 'x' }),
        (id) => store.deleteRun(id),
        (id) => store.restoreRun(id),
        (id) => store.logBatch(id, {}),
        (id) => store.deleteTag(id, 'x'),
        (id) => store.metricHistory(id, 'x'),
      ];
      for (const call of calls) {
        await expect(call('nobody')).rejects.toThrow(RunNotFound);
        await expect(call('nobody')).rejects.toThrow('Run with id=nobody not found');
      }
      expect(await store.getRun('nobody')).toBeUndefined();
    });

    test('parameters are written once, and a batch with a conflict writes nothing', async () => {
      const runId = await aRun();
      await store.logBatch(runId, { params: { lr: '0.1' } });
      await store.logBatch(runId, { params: { lr: '0.1', depth: '3' } });
      const conflict = store.logBatch(runId, {
        params: { lr: '0.2', more: 'x' },
        tags: { a: 'b' },
        metrics: [point('loss', 1)],
      });
      await expect(conflict).rejects.toThrow(ParamConflict);
      await expect(conflict).rejects.toThrow(
        "Param with key='lr' was already logged with value='0.1' for run ID=" +
          `'${runId}'. Attempted logging new value '0.2'.`,
      );
      expect(await store.getRun(runId)).toMatchObject({
        ...{ params: { lr: '0.1', depth: '3' }, tags: {}, metrics: [] },
      });
    });

    test('tags are overwritten and deleted', async () => {
      const runId = await aRun();
      await store.logBatch(runId, { tags: { stage: 'one', keep: 'me' } });
      await store.logBatch(runId, { tags: { stage: 'two' } });
      await store.deleteTag(runId, 'keep');
      expect((await store.getRun(runId))?.tags).toEqual({ stage: 'two' });
    });

    test.each<[string, readonly Metric[], Metric]>([
      ['the largest step', [point('a', 1, 5, 1), point('a', 9, 4, 9)], point('a', 1, 5, 1)],
      ['then the latest time', [point('a', 1, 5, 2), point('a', 9, 5, 1)], point('a', 1, 5, 2)],
      ['then the largest value', [point('a', 1), point('a', 2), point('a', -3)], point('a', 2)],
      ['any number before NaN', [point('a', -1), point('a', NaN)], point('a', -1)],
      ['NaN at a later step', [point('a', 1), point('a', NaN, 1)], point('a', NaN, 1)],
      ['infinity', [point('a', Infinity), point('a', 5)], point('a', Infinity)],
      ['negative steps', [point('a', 1, -2), point('a', 2, -3)], point('a', 1, -2)],
    ])('the latest of a metric is %s', async (_what, metrics, want) => {
      const together = await aRun();
      await store.logBatch(together, { metrics });
      expect((await store.getRun(together))?.metrics).toEqual([want]);
      for (const order of [metrics, metrics.toReversed()]) {
        const apart = await aRun();
        for (const metric of order) await store.logBatch(apart, { metrics: [metric] });
        expect((await store.getRun(apart))?.metrics).toEqual([want]);
      }
    });

    test('history keeps every point once, in order, whatever is sent again', async () => {
      const runId = await aRun();
      const metrics = [
        ...[point('loss', NaN, 2, 1), point('loss', 0.5, 1, 2), point('loss', 0.25, 1, 3)],
        ...[point('loss', -Infinity, 3, 1), point('other', 1), point('loss', 0.5, 1, 2)],
      ];
      await store.logBatch(runId, { metrics });
      await store.logBatch(runId, { metrics });
      const want = [0.5, 0.25, NaN, -Infinity];
      const { metrics: all, nextCursor } = await store.metricHistory(runId, 'loss');
      expect(all.map(({ value }) => value)).toEqual(want);
      expect(nextCursor).toBeUndefined();
      expect(all[0]).toEqual(point('loss', 0.5, 1, 2));
      const pages: number[] = [];
      let cursor: string | undefined;
      do {
        const page = await store.metricHistory(runId, 'loss', {
          limit: 3,
          ...(cursor !== undefined && { cursor }),
        });
        pages.push(...page.metrics.map(({ value }) => value));
        cursor = page.nextCursor;
      } while (cursor !== undefined);
      expect(pages).toEqual(want);
      expect((await store.metricHistory(runId, 'none')).metrics).toEqual([]);
    });

    test('a thousand metrics fit in a batch', async () => {
      const runId = await aRun();
      const metrics = Array.from({ length: 1000 }, (_, step) =>
        point('loss', 1 / (step + 1), step),
      );
      await store.logBatch(runId, { metrics });
      expect((await store.metricHistory(runId, 'loss')).metrics).toEqual(metrics);
    });

    test('a deleted run takes no more, until it is restored', async () => {
      const runId = await aRun();
      await store.deleteRun(runId);
      await store.deleteRun(runId);
      expect((await store.getRun(runId))?.lifecycleStage).toBe('deleted');
      await expect(store.logBatch(runId, { tags: { a: 'b' } })).rejects.toThrow(InvalidRunInput);
      await store.restoreRun(runId);
      await store.logBatch(runId, { tags: { a: 'b' } });
      expect((await store.getRun(runId))?.tags).toEqual({ a: 'b' });
    });

    test('runs are listed newest first, in pages, of the experiments asked for', async () => {
      const ids: string[] = [];
      for (const start of [100, 300, 200, 300, 100]) ids.push(await aRun('uid-list', start));
      await aRun('uid-elsewhere');
      const want = [ids[1], ids[3], ids[2], ids[0], ids[4]];
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await store.listRuns({
          ...{ experimentUids: ['uid-list', 'uid-none'], limit: 2 },
          ...(cursor !== undefined && { cursor }),
        });
        seen.push(...page.runs.map(({ runId }) => runId));
        cursor = page.nextCursor;
      } while (cursor !== undefined);
      expect(seen).toEqual(want);
      expect(await store.listRuns({ experimentUids: [] })).toEqual({ runs: [] });
    });

    test('listing tells active from deleted runs', async () => {
      const [kept, deleted] = [await aRun('uid-view'), await aRun('uid-view')];
      await store.deleteRun(deleted);
      const idsOf = async (view?: 'active' | 'deleted' | 'all') =>
        (await store.listRuns({ experimentUids: ['uid-view'], ...(view && { view }) })).runs.map(
          ({ runId }) => runId,
        );
      expect(await idsOf()).toEqual([kept]);
      expect(await idsOf('deleted')).toEqual([deleted]);
      expect(await idsOf('all')).toEqual([kept, deleted]);
    });

    test('the runs of an experiment go for good, and no others', async () => {
      const gone = await aRun('uid-gone');
      const kept = await aRun('uid-kept');
      await store.logBatch(gone, {
        params: { a: 'b' },
        metrics: [point('a', 1)],
        tags: { a: 'b' },
      });
      expect(await store.deleteExperimentRuns('uid-gone')).toBe(1);
      expect(await store.deleteExperimentRuns('uid-gone')).toBe(0);
      expect(await store.getRun(gone)).toBeUndefined();
      expect(await store.getRun(kept)).toBeDefined();
    });

    test('an experiment that is closed takes no more runs, and others do', async () => {
      const trial = { experiment: experimentOf('uid-shut'), number: 0, parameters: {}, name: 't' };
      const { runId } = await store.createTrial(trial);
      await store.closeExperiment('uid-shut');
      await store.closeExperiment('uid-shut');
      await expect(store.createTrial(trial)).rejects.toThrow(ExperimentClosed);
      await expect(store.createTrial({ ...trial, number: 1 })).rejects.toThrow(
        'Experiment demo/digits-train is being deleted and takes no more runs.',
      );
      await expect(aRun('uid-shut')).rejects.toThrow(ExperimentClosed);
      expect((await store.getRun(runId))?.status).toBe('SCHEDULED');
      await aRun('uid-open');
    });

    test.each([
      ['too many metrics', { metrics: Array.from({ length: 1001 }, (_, i) => point('a', i)) }],
      ['too many params', { params: manyOf(101) }],
      ['too many tags', { tags: manyOf(101) }],
      ['an empty key', { params: { '': 'x' } }],
      ['a long key', { metrics: [point('k'.repeat(251), 1)] }],
      ['a long param', { params: { a: 'x'.repeat(6001) } }],
      ['a long tag', { tags: { a: 'x'.repeat(8001) } }],
      ['NUL in a value', { tags: { a: '\u0000' } }],
      ['half a character', { params: { a: '\ud800' } }],
      ['a step between steps', { metrics: [point('a', 1, 0.5)] }],
      ['a time that is none', { metrics: [point('a', 1, 0, NaN)] }],
      ['a value that is no number', { metrics: [point('a', 'x' as unknown as number)] }],
    ])('refuses %s', async (_what, batch) => {
      const runId = await aRun();
      const before = await store.getRun(runId);
      await expect(store.logBatch(runId, batch)).rejects.toThrow(InvalidRunInput);
      expect(await store.getRun(runId)).toEqual(before);
    });

    test('refuses page sizes and cursors it did not give', async () => {
      const runId = await aRun();
      const experimentUids = ['uid-any'];
      for (const limit of [0, 1.5, 25_001])
        await expect(store.metricHistory(runId, 'a', { limit })).rejects.toThrow(InvalidRunInput);
      for (const limit of [0, 1001])
        await expect(store.listRuns({ experimentUids, limit })).rejects.toThrow(InvalidRunInput);
      for (const cursor of ['garbage', Buffer.from('[]').toString('base64url')]) {
        await expect(store.metricHistory(runId, 'a', { cursor })).rejects.toThrow(InvalidRunInput);
        await expect(store.listRuns({ experimentUids, cursor })).rejects.toThrow(InvalidRunInput);
      }
    });

    test('refuses names that cannot be stored', async () => {
      const runId = await aRun();
      await expect(store.updateRun(runId, { name: '\u0000' })).rejects.toThrow(InvalidRunInput);
    });
  });
};

const manyOf = (count: number): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`key-${index}`, 'x']));
