import { describe, expect, test } from '@jest/globals';
import type { Experiment } from '../../../crds/schema/experiment.ts';
import { condition, ready, settled, working } from '../outcome.ts';
import { conditionOf } from '../testing/builders.ts';
import { StatusPace } from './status-pace.ts';
import { aSearch } from './testing/search-world.ts';

const shown: Experiment = {
  ...aSearch(),
  status: { trials: 1, conditions: [conditionOf('Ready', 'Unknown', 'TrialRunning', '1 trial')] },
};
const news = working(ready('Unknown', 'TrialRunning', '2 trials'), {
  ...{ status: { trials: 2 }, requeueAfterMs: 5_000 },
});
const time = (ms: number) => new Date(1_000_000 + ms);

describe('the pace of statuses', () => {
  test('lets numbers through once a second, and comes back for the rest', () => {
    const pace = new StatusPace();
    expect(pace.limit(shown, news, time(0))).toBe(news);
    expect(pace.limit(shown, news, time(300))).toMatchObject({
      ...{ status: { trials: 1 }, conditions: [{ message: '1 trial' }], requeueAfterMs: 700 },
    });
    expect(pace.limit(shown, news, time(1_000))).toBe(news);
  });

  test('writes at most one status a second, however many trials end', () => {
    const pace = new StatusPace();
    const written = Array.from({ length: 1_000 }, (_, index) =>
      pace.limit(shown, news, time(index * 10)),
    ).filter((outcome) => outcome === news);
    expect(written).toHaveLength(10);
  });

  test('holds back neither another reason nor the end', () => {
    const pace = new StatusPace();
    pace.limit(shown, news, time(0));
    const down = working(ready('Unknown', 'StoreUnavailable', 'x'));
    expect(pace.limit(shown, down, time(1))).toBe(down);
    const end = settled(ready('Unknown', 'TrialRunning', 'x'), {
      conditions: [condition('Complete', 'True', 'MaxTrialsReached', 'x')],
    });
    expect(pace.limit(shown, end, time(2))).toBe(end);
  });
});
