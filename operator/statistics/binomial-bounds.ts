import type { Count } from './binomial-mixture.ts';
import { logEvalueOfShare } from './binomial-mixture.ts';
import type { Interval } from './confidence-sequence.ts';
import { betaQuantile, betaTailQuantile, normalTailQuantile } from './special-functions.ts';

/**
 * Clopper & Pearson 1934: covers the true share with at least 1 - alpha, at one look, for any count. To
 * check, say, that a split of requests is what its weight says.
 */
export const exactInterval = ({ successes, units }: Count, alpha: number): Interval => ({
  lower: successes === 0 ? 0 : betaQuantile(alpha / 2, successes, units - successes + 1),
  upper: successes === units ? 1 : betaTailQuantile(alpha / 2, successes + 1, units - successes),
});

/** Wilson 1927: covers the share with about 1 - alpha, at one look; `units` must be above 0. */
export const wilsonInterval = ({ successes, units }: Count, alpha: number): Interval => {
  const z = normalTailQuantile(alpha / 2);
  const share = successes / units;
  const middle = share + (z * z) / (2 * units);
  const width = z * Math.sqrt((share * (1 - share)) / units + (z * z) / (4 * units * units));
  const scale = 1 + (z * z) / units;
  return { lower: (middle - width) / scale, upper: (middle + width) / scale };
};

export type Verdict = 'pass' | 'fail' | 'inconclusive';

export type RateRule = {
  /** The rate that is good, and which side of it. */
  readonly threshold: number;
  readonly side: 'at-least' | 'at-most';
  /** With fewer requests nothing is said; also how heavy the prior around the threshold is. */
  readonly minimumRequests: number;
  /** Chance of ever passing a rate on the bad side, and of ever failing one on the good side. */
  readonly alpha: number;
};

/**
 * Is the rate surely on the good side of the threshold (pass), surely on the bad one (fail), or is
 * neither sure? Holds at every look, as a canary is looked at again and again: the beta-binomial mixture
 * around the threshold. Rejecting on one side grows with the count, so that the bound at the threshold
 * holds for all rates beyond it. A quantile below x is the share of values up to x being that quantile.
 */
export const judgeRate = (count: Count, rule: RateRule): Verdict => {
  const { threshold, side, minimumRequests, alpha } = rule;
  const { successes, units } = count;
  if (!(threshold >= 0 && threshold <= 1)) {
    throw new Error(`the threshold of a rate is from 0 to 1, not ${threshold}`);
  }
  if (units === 0 || units < minimumRequests) return 'inconclusive';
  // Below 0 and above 1 there is nothing; on the edge one request of the other kind tells.
  if (threshold === 0 || threshold === 1) return judgeAtEdge(count, rule);
  const weight = Math.max(LEAST_WEIGHT, minimumRequests);
  const prior = { successes: threshold * weight, failures: (1 - threshold) * weight };
  if (logEvalueOfShare(count, threshold, prior) < -Math.log(alpha)) return 'inconclusive';
  return successes / units > threshold === (side === 'at-least') ? 'pass' : 'fail';
};

const LEAST_WEIGHT = 10;

const judgeAtEdge = ({ successes, units }: Count, { threshold, side }: RateRule): Verdict => {
  const isFree = (threshold === 0) === (side === 'at-least');
  if (isFree) return 'pass';
  return (threshold === 1 ? successes < units : successes > 0) ? 'fail' : 'inconclusive';
};
