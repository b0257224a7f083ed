import { describe, expect, test } from '@jest/globals';
import { difference, differenceFromShare, relativeLift } from './effects.ts';
import { adjustForCovariate, estimateOf } from './estimates.ts';
import { jointMomentsOf, momentsOf } from './moments.ts';

const CONTROL = [
  [3, 2],
  [5, 5],
  [7, 6],
  [9, 8],
  [11, 12],
  [4, 3],
  [6, 7],
] as const;
const TREATMENT = [
  [8, 7],
  [9, 7],
  [12, 11],
  [15, 13],
  [7, 7],
  [11, 9],
] as const;

describe('estimates', () => {
  test('of a ratio have the variance of the delta method', () => {
    const { value, variance } = estimateOf(
      { type: 'ratio', pairs: jointMomentsOf(CONTROL) },
      'control',
    );
    // gbstats 0.8.0: RatioStatistic(...).mean, .variance / n
    expect(value).toBeCloseTo(1.0465116279069768, 12);
    expect(variance).toBeCloseTo(0.004237645498134197, 12);
  });

  test('are adjusted for a covariate with one theta of both variants', () => {
    const { control, treatment, theta } = adjustForCovariate(
      { type: 'covariate-mean', pairs: jointMomentsOf(CONTROL) },
      { type: 'covariate-mean', pairs: jointMomentsOf(TREATMENT) },
    );
    // gbstats 0.8.0: compute_theta, RegressionAdjustedStatistic(theta).mean, .variance / n
    expect(theta).toBeCloseTo(1.0110565110565108, 12);
    expect(treatment.value - control.value).toBeCloseTo(1.0160290160290177, 12);
    expect(control.variance).toBeCloseTo(0.13591473208882782, 12);
    expect(treatment.variance).toBeCloseTo(0.10829310436190169, 12);
  });

  test('are not adjusted where the covariate tells nothing', () => {
    const flat = (values: readonly number[]) => ({
      type: 'covariate-mean' as const,
      pairs: jointMomentsOf(values.map((value) => [value, 1] as const)),
    });
    const { control, theta } = adjustForCovariate(flat([1, 2, 6]), flat([2, 4]));
    expect(theta).toBe(0);
    expect(control).toEqual(estimateOf({ type: 'mean', values: momentsOf([1, 2, 6]) }, 'control'));
  });

  test('of no units have an infinite variance', () => {
    const none = estimateOf({ type: 'proportion', units: 0, successes: 0 }, 'control');
    expect(none.variance).toBe(Number.POSITIVE_INFINITY);
  });

  test('of a ratio with denominators of mean 0 are refused', () => {
    const pairs = jointMomentsOf([
      [1, -1],
      [1, 1],
    ]);
    expect(() => estimateOf({ type: 'ratio', pairs }, 'treatment')).toThrow(
      'treatment: the denominators have mean 0, so that there is no ratio',
    );
  });
});

describe('effects', () => {
  const control = { value: 10, variance: 9 / 3000, units: 3000 };
  const treatment = { value: 10.3, variance: 9.5 / 3100, units: 3100 };

  test('have the variance of the difference and, by the delta method, of the lift', () => {
    // gbstats 0.8.0: frequentist_variance(9, 10, 3000, 9.5, 10.3, 3100, relative)
    expect(difference(control, treatment).variance).toBeCloseTo(0.006064516129032258, 15);
    expect(relativeLift(control, treatment)?.value).toBeCloseTo(0.03, 12);
    expect(relativeLift(control, treatment)?.variance).toBeCloseTo(6.247216129032259e-5, 15);
    expect(relativeLift({ ...control, value: 0 }, treatment)).toBeUndefined();
  });

  test('swap their sign with the variants, and none is below a share of control', () => {
    expect(difference(treatment, control).value).toBe(-difference(control, treatment).value);
    const effect = differenceFromShare(control, treatment, 0.9);
    expect(effect.value).toBeCloseTo(1.3, 12);
    expect(effect.variance).toBeCloseTo(9.5 / 3100 + (0.81 * 9) / 3000, 15);
  });
});
