import { describe, expect, test } from '@jest/globals';
import { SearchTally } from './search-tally.ts';
import type { Direction, Trial, TrialCounts } from './trial-store.ts';

const NONE: TrialCounts = {
  ...{ next: 0, total: 0, untold: 0, open: 0, complete: 0, pruned: 0, failed: 0, stopped: 0 },
};

const trial = (number: number, more: Partial<Trial> = {}): Trial => ({
  ...{ runId: `run-${number}`, number, phase: 'open', told: false, attempt: 0, assignments: [] },
  ...{ values: [], started: -1, reported: 0, runStatus: 'RUNNING' },
  ...more,
});

const tally = (direction: Direction = 'minimize'): SearchTally =>
  new SearchTally({ counts: NONE, best: undefined, unsettled: [], direction });

const complete = (of: SearchTally, number: number, value: number): void => {
  of.opened(trial(number));
  of.ended(trial(number, { phase: 'complete', values: [value] }));
};

describe('the tally of a pass', () => {
  test('counts what starts, ends and is told', () => {
    const at = tally();
    at.opened(trial(0));
    at.opened(trial(1));
    expect(at.counts).toEqual({ ...NONE, next: 2, total: 2, open: 2 });
    at.ended(trial(0, { phase: 'failed' }));
    expect(at.counts).toEqual({ ...NONE, next: 2, total: 2, open: 1, failed: 1, untold: 1 });
    at.told(trial(0));
    expect(at.counts).toEqual({ ...NONE, next: 2, total: 2, open: 1, failed: 1 });
    expect(at.unsettled.map(({ number }) => number)).toEqual([1]);
  });

  test('counts an end once, and telling once', () => {
    const at = tally();
    complete(at, 0, 1);
    at.ended(trial(0, { phase: 'failed' }));
    at.told(trial(0));
    at.told(trial(0));
    expect(at.counts).toEqual({ ...NONE, next: 1, total: 1, complete: 1 });
  });

  test.each([
    ['minimize', 1],
    ['maximize', 2],
  ] as const)('knows the best where it is to %s, of equals the first', (direction, number) => {
    const at = tally(direction);
    for (const [index, value] of [0.5, 0.25, 0.75, 0.25, 0.75].entries())
      complete(at, index, value);
    expect(at.best?.number).toBe(number);
  });

  test('takes no failed trial for the best', () => {
    const at = tally();
    at.opened(trial(0));
    at.ended(trial(0, { phase: 'pruned', values: [0] }));
    expect(at.best).toBeUndefined();
  });

  test('goes on from what the rows say, and follows attempts', () => {
    const best = trial(3, { phase: 'complete', told: true, values: [0.1] });
    const counts = { ...NONE, next: 5, total: 5, open: 1, complete: 4 };
    const at = new SearchTally({ counts, best, unsettled: [trial(4)], direction: 'minimize' });
    at.retried(trial(4, { attempt: 1 }));
    expect(at.unsettled).toEqual([trial(4, { attempt: 1 })]);
    at.ended(trial(4, { attempt: 1, phase: 'complete', values: [0.2] }));
    expect(at.best).toBe(best);
    expect(at.counts).toEqual({ ...NONE, next: 5, total: 5, complete: 5, untold: 1 });
  });
});
