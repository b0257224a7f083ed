import { beforeAll, describe, expect, test } from '@jest/globals';
import { InvalidRunInput, RunNotFound, type RunStore } from '../run-store.ts';
import type { TrialEnd, TrialStore } from '../trial-store.ts';

export type TrialStores = { readonly runs: RunStore; readonly trials: TrialStore };

/** What every store of trials must do. */
export const describeTrialStore = (name: string, make: () => Promise<TrialStores>): void => {
  describe(`${name} keeps the contract of trial stores`, () => {
    let stores: TrialStores;
    beforeAll(async () => {
      stores = await make();
    });

    /** An open trial with its run; answers the run's id. */
    const aTrial = async (uid: string, number: number): Promise<string> => {
      const experiment = { uid, namespace: 'demo', name: 'digits-train' };
      const run = { experiment, number, parameters: { lr: '0.1' }, name: `t-${number}` };
      const { runId } = await stores.runs.createTrial(run);
      const assignments = [{ name: 'lr', value: '0.1' }];
      await stores.trials.open({ experimentUid: uid, runId, number, assignments });
      return runId;
    };
    const ended = async (uid: string, number: number, end: TrialEnd, told = true) => {
      const runId = await aTrial(uid, number);
      await stores.trials.end(runId, end, ['minimize']);
      if (told) await stores.trials.told(runId);
      return runId;
    };
    const numbers = async (uid: string) =>
      (await stores.trials.unsettled(uid)).map(({ number }) => number);

    test('a trial is opened once, with its run', async () => {
      const runId = await aTrial('t-open', 0);
      expect(await aTrial('t-open', 0)).toBe(runId);
      await stores.runs.startRun(runId, 5000);
      expect(await stores.trials.unsettled('t-open')).toEqual([
        {
          runId,
          number: 0,
          phase: 'open',
          told: false,
          attempt: 0,
          started: -1,
          assignments: [{ name: 'lr', value: '0.1' }],
          values: [],
          reported: 0,
          runStatus: 'RUNNING',
          startTime: 5000,
        },
      ]);
    });

    test('nobody has a trial without a run', async () => {
      const trial = { experimentUid: 't-none', runId: 'nobody', number: 0, assignments: [] };
      await expect(stores.trials.open(trial)).rejects.toThrow(RunNotFound);
      await expect(stores.trials.end('nobody', { phase: 'failed' }, [])).rejects.toThrow(
        RunNotFound,
      );
      await expect(stores.trials.told('nobody')).rejects.toThrow(RunNotFound);
      await expect(stores.trials.progress('nobody', { reported: 1 })).rejects.toThrow(RunNotFound);
      const why = { reason: 'Killed', message: '' };
      await expect(stores.trials.retry('nobody', 1, why)).rejects.toThrow(RunNotFound);
    });

    test('a trial ends once, and is settled when the engine was told', async () => {
      const runId = await aTrial('t-end', 0);
      await aTrial('t-end', 1);
      await stores.trials.told(runId);
      expect(await numbers('t-end')).toEqual([0, 1]);
      const won = { phase: 'complete', values: [0.5] } as const;
      expect(await stores.trials.end(runId, won, ['minimize'])).toEqual(won);
      const late = { phase: 'failed', reason: 'Late' } as const;
      expect(await stores.trials.end(runId, late, ['minimize'])).toEqual(won);
      expect(await numbers('t-end')).toEqual([0, 1]);
      await stores.trials.told(runId);
      expect(await numbers('t-end')).toEqual([1]);
      const [first] = (await stores.trials.list('t-end')).trials;
      expect(first).toMatchObject({ phase: 'complete', told: true, values: [0.5] });
      expect(first).not.toHaveProperty('reason');
    });

    test('attempts are only ever raised, of open trials, and begin a new log', async () => {
      const runId = await aTrial('t-retry', 0);
      const log = { time: '2026-01-01T00:00:00.000000000Z', lines: 1, steps: { a: 2 } };
      await stores.trials.progress(runId, { log, reported: 3, started: 0 });
      expect((await stores.trials.unsettled('t-retry'))[0]).toMatchObject({
        ...{ log, reported: 3, started: 0 },
      });
      await stores.trials.retry(runId, 2, { reason: 'Evicted', message: 'low memory' });
      await stores.trials.retry(runId, 1, { reason: 'Killed', message: 'late' });
      const [row] = await stores.trials.unsettled('t-retry');
      expect(row).toMatchObject({ attempt: 2, reason: 'Evicted', message: 'low memory' });
      expect(row?.log).toBeUndefined();
      await stores.trials.end(runId, { phase: 'failed', reason: 'Error' }, ['minimize']);
      await stores.trials.retry(runId, 3, { reason: 'Killed', message: '' });
      expect((await stores.trials.unsettled('t-retry'))[0]?.attempt).toBe(2);
    });

    test('counts tell phases apart and name the next number', async () => {
      expect(await stores.trials.counts('t-nothing')).toEqual({
        ...{ next: 0, total: 0, untold: 0, open: 0, complete: 0, pruned: 0, failed: 0, stopped: 0 },
      });
      await ended('t-count', 0, { phase: 'complete', values: [1] });
      await ended('t-count', 1, { phase: 'pruned' }, false);
      await ended('t-count', 3, { phase: 'failed' });
      await ended('t-count', 4, { phase: 'stopped' });
      await aTrial('t-count', 5);
      expect(await stores.trials.counts('t-count')).toEqual({
        ...{ next: 6, total: 5, untold: 1, open: 1, complete: 1, pruned: 1, failed: 1, stopped: 1 },
      });
      expect(await stores.trials.gaps('t-count', 9, 10)).toEqual([2, 6, 7, 8]);
      expect(await stores.trials.gaps('t-count', 9, 2)).toEqual([2, 6]);
      expect(await stores.trials.gaps('t-count', 0, 10)).toEqual([]);
    });

    test('the best is the first of the best complete ones', async () => {
      for (const [number, value] of [3, 1, 2, 1, 3].entries())
        await ended('t-best', number, { phase: 'complete', values: [value] });
      await ended('t-best', 5, { phase: 'failed' });
      expect((await stores.trials.best('t-best', 'minimize'))?.number).toBe(1);
      expect((await stores.trials.best('t-best', 'maximize'))?.number).toBe(0);
      expect(await stores.trials.best('t-nothing', 'minimize')).toBeUndefined();
    });

    test('the Pareto front keeps what nothing beats everywhere', async () => {
      // Maximise the first, minimise the second: (9,10) (8,5) stay, (8,12) is beaten, (9,9) beats.
      const values = [[9, 10], [8, 5], [8, 12], [9, 9], [8, 5]] as const; // prettier-ignore
      for (const [number, each] of values.entries()) {
        const runId = await aTrial('t-front', number);
        await stores.trials.end(runId, { phase: 'complete', values: each }, [
          'maximize',
          'minimize',
        ]);
      }
      const { trials, total } = await stores.trials.front('t-front', 2);
      expect(trials.map(({ number }) => number)).toEqual([1, 4]);
      expect(total).toBe(3);
    });

    test('summaries take finite points for bounds, and the latest as it is', async () => {
      const runId = await aTrial('t-sum', 0);
      const point = (key: string, value: number, step: number) => ({
        ...{ key, value, step, timestamp: 0 },
      });
      await stores.runs.logBatch(runId, {
        metrics: [
          ...[point('a', 2, 0), point('a', Infinity, 1), point('a', -1, 2), point('a', NaN, 3)],
          ...[point('b', NaN, 0), point('c', 1, 0)],
        ],
      });
      expect(await stores.trials.summaries(runId, ['a', 'b', 'none'])).toEqual([
        { name: 'a', latest: NaN, min: -1, max: 2 },
        { name: 'b', latest: NaN },
      ]);
      expect(await stores.trials.summaries(runId, [])).toEqual([]);
    });

    test('lists go by number, in pages, or from a number on', async () => {
      for (const number of [4, 0, 2, 1, 3]) await aTrial('t-list', number);
      const seen: number[] = [];
      let cursor: string | undefined;
      do {
        const page = await stores.trials.list('t-list', {
          limit: 2,
          ...(cursor === undefined ? {} : { cursor }),
        });
        seen.push(...page.trials.map(({ number }) => number));
        cursor = page.nextCursor;
      } while (cursor !== undefined);
      expect(seen).toEqual([0, 1, 2, 3, 4]);
      const rest = await stores.trials.list('t-list', { from: 3 });
      expect(rest.trials.map(({ number }) => number)).toEqual([3, 4]);
      await expect(stores.trials.list('t-list', { limit: 0 })).rejects.toThrow(InvalidRunInput);
      await expect(stores.trials.list('t-list', { cursor: '?' })).rejects.toThrow(InvalidRunInput);
    });

    test('messages are kept up to 4000 characters, whatever is in them', async () => {
      const runId = await aTrial('t-long', 0);
      const message = `nul\u0000${'x'.repeat(5000)}`;
      await stores.trials.end(runId, { phase: 'failed', message }, ['minimize']);
      const [row] = await stores.trials.unsettled('t-long');
      expect(row?.message?.startsWith('nulxxx')).toBe(true);
      expect(row?.message?.length).toBe(4000);
    });

    test('a trial shows the image of its run', async () => {
      const runId = await aTrial('t-image', 0);
      await stores.runs.setImage(runId, 'sha256:a');
      expect((await stores.trials.list('t-image')).trials[0]?.image).toBe('sha256:a');
    });

    test('trials go with their runs', async () => {
      await aTrial('t-gone', 0);
      await stores.runs.deleteExperimentRuns('t-gone');
      expect((await stores.trials.counts('t-gone')).total).toBe(0);
    });
  });
};
