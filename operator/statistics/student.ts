import type { Interval } from './confidence-sequence.ts';
import type { Estimate } from './estimates.ts';
import type { FixedResult } from './fixed-horizon.ts';
import { momentsOf, variance } from './moments.ts';
import { studentTwoSidedQuantile, studentTwoSidedTail } from './special-functions.ts';

/** For one look, as fixed-horizon.ts: few values, taken as normal. */

/** Mean of the values, with its variance. */
export const estimateMean = (values: readonly number[]): Estimate => {
  const moments = momentsOf(values);
  return {
    value: moments.mean,
    variance: variance(moments) / Math.max(1, moments.count),
    units: moments.count,
  };
};

/** Student's interval (1908) of a mean, of level 1 - alpha; undefined for fewer than two units. */
export const studentInterval = (
  { value, variance: ofMean, units }: Estimate,
  alpha: number,
): Interval | undefined => {
  if (units < 2) return undefined;
  const width = Math.sqrt(ofMean) * studentTwoSidedQuantile(alpha, units - 1);
  return { lower: value - width, upper: value + width };
};

/**
 * Student's t test of paired values, given their differences.
 * @returns undefined for fewer than two, or where they are all the same
 */
export const pairedTest = (
  differences: readonly number[],
  alpha: number,
): (FixedResult & { readonly df: number }) | undefined => {
  const mean = estimateMean(differences);
  const interval = studentInterval(mean, alpha);
  if (interval === undefined || mean.variance === 0) return undefined;
  const df = mean.units - 1;
  const statistic = mean.value / Math.sqrt(mean.variance);
  return { statistic, df, interval, pValue: studentTwoSidedTail(statistic, df) };
};
