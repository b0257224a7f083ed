import { describe, expect, test } from '@jest/globals';
import { estimateOf } from './estimates.ts';
import { proportionsTest, welchTest } from './fixed-horizon.ts';
import { momentsOf } from './moments.ts';

const mean = (values: readonly number[]) =>
  estimateOf({ type: 'mean', values: momentsOf(values) }, 'control');

describe('tests with a fixed horizon', () => {
  test("are Welch's for means", () => {
    const result = welchTest(mean([3, 5, 7, 9, 11, 4, 6]), mean([8, 9, 12, 15, 7, 11]), 0.05);
    // scipy 1.17.1: ttest_ind(treatment, control, equal_var=False), .confidence_interval(0.95)
    expect(result?.statistic).toBeCloseTo(2.430763583587884, 9);
    expect(result?.df).toBeCloseTo(10.529900241732276, 9);
    expect(result?.pValue).toBeCloseTo(0.034271345184103734, 10);
    expect(result?.interval.lower).toBeCloseTo(0.34976052030772653, 9);
    expect(result?.interval.upper).toBeCloseTo(7.459763289216084, 9);
  });

  test("are the pooled z test with Newcombe's interval for proportions", () => {
    const result = proportionsTest(
      { successes: 100, units: 1010 },
      { successes: 130, units: 1000 },
      0.05,
    );
    // statsmodels 0.15.0: proportions_ztest([130, 100], [1000, 1010]);
    // confint_proportions_2indep(130, 1000, 100, 1010, method='newcomb')
    expect(result?.statistic).toBeCloseTo(2.182266371100356, 9);
    expect(result?.pValue).toBeCloseTo(0.0290898794047878, 11);
    expect(result?.interval.lower).toBeCloseTo(0.003125299085450419, 11);
    expect(result?.interval.upper).toBeCloseTo(0.05896206981139447, 11);
  });

  test('stand a variant without successes', () => {
    const result = proportionsTest({ successes: 3, units: 12 }, { successes: 0, units: 10 }, 0.05);
    // statsmodels 0.15.0: confint_proportions_2indep(0, 10, 3, 12, method='newcomb')
    expect(result?.interval.lower).toBeCloseTo(-0.5323053349335658, 11);
    expect(result?.interval.upper).toBeCloseTo(0.0708804156994084, 11);
  });

  test('say nothing where nothing varies', () => {
    const none = { successes: 0, units: 10 };
    expect(proportionsTest(none, none, 0.05)).toBeUndefined();
    expect(proportionsTest(none, { successes: 0, units: 0 }, 0.05)).toBeUndefined();
    expect(welchTest(mean([1, 1]), mean([2, 2]), 0.05)).toBeUndefined();
    expect(welchTest(mean([1]), mean([2, 3]), 0.05)).toBeUndefined();
  });
});
