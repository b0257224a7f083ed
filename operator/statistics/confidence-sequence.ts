import type { Effect } from './effects.ts';
import { normalTail } from './special-functions.ts';

/**
 * Asymptotic confidence sequence: an interval that covers the true effect at all looks at once, with
 * probability 1 - alpha, however often and for whatever reason one looks, once there are enough units
 * (burn-in.ts) for the estimate to be about normal. Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas,
 * "Time-uniform central limit theory and asymptotic confidence sequences", Ann. Stat. 2024
 * (arXiv 2103.06476): two-sided a mixture over a normal, one-sided over its half (appendix B).
 */

/** greater and less: the effect is above, or below, `null`; the interval then has one finite end. */
type Alternative = 'two-sided' | 'greater' | 'less';

export type SequentialOptions = {
  /** Chance of ever being wrong, over all looks. */
  readonly alpha: number;
  /** Units of both variants together where the interval is tightest; must not depend on the data. */
  readonly plannedUnits: number;
  readonly alternative?: Alternative;
  /** The alpha for which it is tightest at plannedUnits, where `alpha` depends on the data; else `alpha`. */
  readonly tunedFor?: number;
  /** Effect under the null hypothesis; 0 unless said. */
  readonly null?: number;
};

export type Interval = { readonly lower: number; readonly upper: number };

/** An end may be infinite. logEvalue is ln e: evidence against the null hypothesis; p is min(1, 1/e). */
export type SequentialResult = {
  readonly interval: Interval;
  readonly logEvalue: number;
  readonly pValue: number;
};

/** What is known before anything is. */
export const nothingKnown: SequentialResult = {
  interval: { lower: Number.NEGATIVE_INFINITY, upper: Number.POSITIVE_INFINITY },
  logEvalue: 0,
  pValue: 1,
};

/** Says nothing where the variance is zero or infinite: then no unit has shown how much it varies. */
export const confidenceSequence = (
  effect: Effect,
  options: SequentialOptions,
): SequentialResult => {
  const error = Math.sqrt(effect.variance);
  if (!Number.isFinite(error) || error === 0) return nothingKnown;
  const { alpha, plannedUnits, alternative = 'two-sided', null: origin = 0 } = options;
  const progress = effect.units * tuning(options.tunedFor ?? alpha, plannedUnits, alternative);
  const logEvalue = logMixture((effect.value - origin) / error, progress, alternative);
  const width = error * boundary(alpha, progress, alternative);
  return { interval: around(effect.value, width, alternative), logEvalue, pValue: asP(logEvalue) };
};

/** The p-value of all looks so far: the caller keeps the previous one (1 at first). */
export const runningPValue = (previous: number, current: number): number =>
  Math.min(previous, current);

/** An anytime-valid p-value of an e-value. */
export const asP = (logEvalue: number): number => Math.min(1, Math.exp(-logEvalue));

/**
 * How many standard errors the estimate must be from the null hypothesis when `units` of
 * `plannedUnits` are there.
 */
export const boundaryAt = (
  units: number,
  { alpha, plannedUnits, alternative = 'two-sided' }: Omit<SequentialOptions, 'null'>,
): number => boundary(alpha, units * tuning(alpha, plannedUnits, alternative), alternative);

/** rho squared: makes the interval about tightest at plannedUnits; one-sided with twice alpha. */
const tuning = (alpha: number, plannedUnits: number, alternative: Alternative): number => {
  const level = alternative === 'two-sided' ? alpha : Math.min(2 * alpha, 0.5);
  const log = -2 * Math.log(level);
  return (log + Math.log1p(log)) / plannedUnits;
};

/** ln of the mixture at z standard errors; progress is units * rho squared. */
const logMixture = (z: number, progress: number, alternative: Alternative): number => {
  const twoSided = ((z * z * progress) / (progress + 1) - Math.log1p(progress)) / 2;
  if (alternative === 'two-sided') return twoSided;
  const towards = alternative === 'greater' ? z : -z;
  const half = normalTail(-towards * Math.sqrt(progress / (progress + 1)));
  return half === 0 ? Number.NEGATIVE_INFINITY : Math.LN2 + twoSided + Math.log(half);
};

const boundary = (alpha: number, progress: number, alternative: Alternative): number => {
  const twoSided = Math.sqrt(
    ((progress + 1) / progress) * (Math.log1p(progress) - 2 * Math.log(alpha)),
  );
  if (alternative === 'two-sided') return twoSided;
  // No closed form; the mixture increases from below 1/alpha at 0 to above it at the two-sided one.
  let [low, high] = [0, twoSided];
  for (let step = 0; step < 60; step += 1) {
    const middle = (low + high) / 2;
    if (logMixture(middle, progress, 'greater') < -Math.log(alpha)) low = middle;
    else high = middle;
  }
  return high;
};

const around = (value: number, width: number, alternative: Alternative): Interval => ({
  lower: alternative === 'less' ? Number.NEGATIVE_INFINITY : value - width,
  upper: alternative === 'greater' ? Number.POSITIVE_INFINITY : value + width,
});
