import type { Count } from './binomial-mixture.ts';
import { wilsonInterval } from './binomial-bounds.ts';
import type { Interval } from './confidence-sequence.ts';
import type { Effect } from './effects.ts';
import { difference } from './effects.ts';
import type { Estimate } from './estimates.ts';
import { normalTail, studentTwoSidedQuantile, studentTwoSidedTail } from './special-functions.ts';

/**
 * Tests for one look, at a number of units fixed beforehand. Looking again until one of them is
 * significant makes every test significant in the end: for that there are the sequential ones.
 */

export type FixedResult = {
  readonly statistic: number;
  readonly pValue: number;
  readonly interval: Interval;
};

/**
 * Welch's t test of two means, with the degrees of freedom of Welch (1947) and Satterthwaite (1946).
 * @returns undefined where the variances are zero or unknown
 */
export const welchTest = (
  control: Estimate,
  treatment: Estimate,
  alpha: number,
): (FixedResult & { readonly df: number; readonly effect: Effect }) | undefined => {
  const effect = difference(control, treatment);
  if (!Number.isFinite(effect.variance) || effect.variance === 0) return undefined;
  const [a, b] = [control.variance, treatment.variance];
  const df = effect.variance ** 2 / (a ** 2 / (control.units - 1) + b ** 2 / (treatment.units - 1));
  const error = Math.sqrt(effect.variance);
  const statistic = effect.value / error;
  const width = error * studentTwoSidedQuantile(alpha, df);
  return {
    statistic,
    df,
    effect,
    pValue: studentTwoSidedTail(statistic, df),
    interval: { lower: effect.value - width, upper: effect.value + width },
  };
};

/**
 * z test of two proportions with the pooled variance, and Newcombe's hybrid Wilson interval (Stat. Med.
 * 1998, method 10), which keeps within -1 and 1 and is good for small counts.
 * @returns undefined where a variant has no units, or no unit differs from the others
 */
export const proportionsTest = (
  control: Count,
  treatment: Count,
  alpha: number,
): FixedResult | undefined => {
  const units = control.units + treatment.units;
  const pooled = (control.successes + treatment.successes) / units;
  const variance = pooled * (1 - pooled) * (1 / control.units + 1 / treatment.units);
  if (!Number.isFinite(variance) || variance === 0) return undefined;
  const effect = treatment.successes / treatment.units - control.successes / control.units;
  const statistic = effect / Math.sqrt(variance);
  return {
    statistic,
    pValue: 2 * normalTail(Math.abs(statistic)),
    interval: newcombeInterval(control, treatment, alpha),
  };
};

const newcombeInterval = (control: Count, treatment: Count, alpha: number): Interval => {
  const [c, t] = [control.successes / control.units, treatment.successes / treatment.units];
  const [ofC, ofT] = [wilsonInterval(control, alpha), wilsonInterval(treatment, alpha)];
  return {
    lower: t - c - Math.hypot(t - ofT.lower, ofC.upper - c),
    upper: t - c + Math.hypot(ofT.upper - t, c - ofC.lower),
  };
};
