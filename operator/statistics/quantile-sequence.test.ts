import { describe, expect, test } from '@jest/globals';
import type { Distribution } from './aggregates.ts';
import { logEvalueOfShare } from './binomial-mixture.ts';
import { compareQuantiles, quantileOf } from './quantile-sequence.ts';

const points = (values: readonly number[]): Distribution => ({
  type: 'quantile',
  bins: values.map((value) => ({ lower: value, upper: value, count: 1 })),
});
const upTo = (count: number, shift = 0): readonly number[] =>
  Array.from({ length: count }, (_, index) => index + shift);
const median = { quantile: 0.5, alpha: 0.05, plannedUnits: 1000 };

describe('the difference of quantiles', () => {
  test('is found where one variant is above the other', () => {
    const { interval, pValue } = compareQuantiles(
      points(upTo(1000)),
      points(upTo(1000, 200)),
      median,
    );
    expect(pValue).toBeLessThan(0.001);
    expect(interval.lower).toBeGreaterThan(0);
    expect(interval.lower).toBeLessThan(200);
    expect(interval.upper).toBeGreaterThan(200);
    expect(interval.lower + interval.upper).toBeCloseTo(400, -1);
  });

  test('is nothing for the same values, and unbounded for a few', () => {
    const same = compareQuantiles(points(upTo(1000)), points(upTo(1000)), median);
    expect(same.pValue).toBe(1);
    expect(same.interval.lower).toBe(-same.interval.upper);
    const few = compareQuantiles(points([1, 2, 3]), points([9, 10, 11]), median);
    expect(few.interval).toEqual({
      lower: Number.NEGATIVE_INFINITY,
      upper: Number.POSITIVE_INFINITY,
    });
  });

  test('has the evidence of both variants where they share no value', () => {
    // The common median costs least between them: all of control below it, none of treatment.
    const log = -2 * Math.log(0.05);
    const weight = 1000 / (log + Math.log1p(log)) / 2;
    const prior = { successes: weight, failures: weight };
    const { logEvalue } = compareQuantiles(points(upTo(10)), points(upTo(10, 100)), median);
    const all = logEvalueOfShare({ successes: 10, units: 10 }, 0.5, prior);
    const half = logEvalueOfShare({ successes: 5, units: 10 }, 0.5, prior);
    expect(logEvalue).toBeGreaterThan(2 * half);
    expect(logEvalue).toBeLessThanOrEqual(2 * all);
  });

  test('takes a tie for what speaks least against equality', () => {
    const tied: Distribution = { type: 'quantile', bins: [{ lower: 1, upper: 1, count: 1000 }] };
    expect(compareQuantiles(tied, tied, median).pValue).toBe(1);
    const above: Distribution = { type: 'quantile', bins: [{ lower: 1, upper: 2, count: 1000 }] };
    expect(compareQuantiles(tied, above, median).pValue).toBe(1);
    const far: Distribution = { type: 'quantile', bins: [{ lower: 3, upper: 4, count: 1000 }] };
    const apart = compareQuantiles(tied, far, median);
    expect(apart.pValue).toBeLessThan(1e-9);
    expect(apart.interval).toEqual({ lower: 2, upper: 3 });
  });

  test('can be against a multiple of control', () => {
    const [control, treatment] = [points(upTo(2000, 1000)), points(upTo(2000, 1100))];
    expect(
      compareQuantiles(control, treatment, { ...median, factor: 1.5 }).interval.upper,
    ).toBeLessThan(0);
    expect(compareQuantiles(control, treatment, { ...median, null: 100 }).pValue).toBe(1);
  });

  test('refuses bins that overlap', () => {
    const bins = [
      { lower: 0, upper: 2, count: 1 },
      { lower: 1, upper: 3, count: 1 },
    ];
    expect(() => compareQuantiles(points([1]), { type: 'quantile', bins }, median)).toThrow(
      'treatment.bins[1].lower is 1, inside or below the bin before it, up to 2',
    );
  });
});

test('a quantile is the middle of its bin', () => {
  const bins = [
    { lower: 0, upper: 2, count: 5 },
    { lower: 2, upper: 4, count: 5 },
  ];
  expect(quantileOf(bins, 0.5)).toBe(1);
  expect(quantileOf(bins, 0.51)).toBe(3);
  expect(quantileOf([], 0.5)).toBeUndefined();
});
