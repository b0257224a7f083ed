import { describe, expect, test } from '@jest/globals';
import {
  comparable,
  countAbove,
  difference,
  emptyHistogram,
  observations,
  quantile,
  sum,
} from './histogram.ts';

// testhistogram{start="positive"} and its quantiles in Prometheus' own tests:
// https://github.com/prometheus/prometheus/blob/main/promql/promqltest/testdata/histograms.test
const testhistogram = { bounds: [0.1, 0.2, 1], counts: [5, 2, 4, 1] };

describe('quantiles', () => {
  test.each([
    [0.2, 0.048],
    [0.5, 0.15],
    [0.8, 0.72],
    [1, 1],
  ])("are Prometheus': %d", (q, seconds) => {
    expect(quantile(testhistogram, q)).toBeCloseTo(seconds, 12);
  });

  test.each([
    [1 / 6, 1],
    [1 / 2, 3],
    [5 / 6, 5],
  ])('lie in the middle of a bucket where they should: testhistogram2, %d', (q, value) => {
    const testhistogram2 = { bounds: [0, 2, 4, 6], counts: [0, 1, 1, 1, 0] };
    expect(quantile(testhistogram2, q)).toBeCloseTo(value, 12);
  });

  test('are those of pods taken together: request_duration_seconds, summed by le', () => {
    const bounds = [0.1, 0.2];
    const all = sum([
      { bounds, counts: [1, 2, 1] },
      { bounds, counts: [2, 3, 1] },
      { bounds, counts: [3, 1, 2] },
      { bounds, counts: [4, 3, 2] },
    ]);
    expect(all.counts).toEqual([10, 9, 6]);
    expect(quantile(all, 0.3)).toBeCloseTo(0.075, 12);
    expect(quantile(all, 0.5)).toBeCloseTo(0.1277777777777778, 12);
  });

  test('need observations and a bound', () => {
    expect(quantile(emptyHistogram, 0.5)).toBeUndefined();
    expect(quantile({ bounds: [1], counts: [0, 0] }, 0.5)).toBeUndefined();
    expect(quantile({ bounds: [], counts: [3] }, 0.5)).toBeUndefined();
  });

  test('are over 0 and at most 1', () => {
    expect(() => quantile(testhistogram, 0)).toThrow('must be over 0 and at most 1, not 0');
    expect(() => quantile(testhistogram, 99)).toThrow('must be over 0 and at most 1, not 99');
    expect(() => quantile(testhistogram, NaN)).toThrow('must be over 0 and at most 1, not NaN');
  });
});

describe('how many took longer', () => {
  test('is exact at a bound', () => {
    expect(countAbove(testhistogram, 0.2)).toBe(5);
    expect(countAbove(testhistogram, 1)).toBe(1);
    expect(countAbove(testhistogram, 0)).toBe(12);
  });

  test('takes the whole bucket within one, and all over the last bound', () => {
    expect(countAbove(testhistogram, 0.15)).toBe(7);
    expect(countAbove(testhistogram, 60)).toBe(1);
  });
});

describe('sums and differences', () => {
  const after = { bounds: [0.1, 0.2, 1], counts: [6, 2, 7, 1] };

  test('go bucket by bucket', () => {
    expect(sum([testhistogram, after]).counts).toEqual([11, 4, 11, 2]);
    expect(difference(after, testhistogram).counts).toEqual([1, 0, 3, 0]);
    expect(observations(after)).toBe(16);
  });

  test('take a histogram without anything in it with any bounds', () => {
    expect(sum([])).toEqual(emptyHistogram);
    expect(sum([emptyHistogram, testhistogram, emptyHistogram])).toEqual(testhistogram);
    expect(difference(testhistogram, emptyHistogram)).toEqual(testhistogram);
    expect(comparable(emptyHistogram, testhistogram)).toBe(true);
  });

  test('refuse different bounds', () => {
    const other = { bounds: [0.1, 0.3, 1], counts: [0, 0, 0, 0] };
    expect(comparable(testhistogram, other)).toBe(false);
    expect(() => sum([testhistogram, other])).toThrow(
      'histograms with different bounds: 0.1 0.2 1 and 0.1 0.3 1',
    );
  });

  test('refuse observations that are gone', () => {
    expect(() => difference(testhistogram, after)).toThrow('fewer observations in a bucket');
  });
});
