import type { SequentialResult } from './confidence-sequence.ts';
import { asP, nothingKnown } from './confidence-sequence.ts';
import type { Tangent } from './roots.ts';
import { rootByNewton } from './roots.ts';
import { logBeta } from './special-functions.ts';

/**
 * Exact tests of shares at every look: the likelihood, mixed over a Beta prior, by that of the share
 * under test is a martingale with mean 1 (Ville 1939, Robbins 1970; a "beta-binomial mixture" in Howard,
 * Ramdas, McAuliffe & Sekhon, Ann. Stat. 2021). No burn-in: it holds from the first unit on.
 */

export type Count = { readonly successes: number; readonly units: number };

/** Pseudo-counts of the Beta prior the alternatives are drawn from. */
export type Prior = { readonly successes: number; readonly failures: number };

/** Jeffreys: no share is far from it. */
const anyShare: Prior = { successes: 1 / 2, failures: 1 / 2 };

/** ln of the e-value against "the share is `share`". */
export const logEvalueOfShare = (
  { successes, units }: Count,
  share: number,
  prior: Prior = anyShare,
): number =>
  logBeta(prior.successes + successes, prior.failures + units - successes) -
  logBeta(prior.successes, prior.failures) -
  logLikelihood({ successes, units }, share);

/**
 * Treatment's share minus `factor` times control's: two martingales of independent units multiply to
 * one, and the least over all shares with that difference is below it, whatever control's share is.
 * The interval has both ends; one-sided tests take one of them.
 */
export const compareShares = (
  control: Count,
  treatment: Count,
  { alpha, factor = 1, null: origin = 0 }: ShareOptions,
): SequentialResult => {
  if (control.units === 0 || treatment.units === 0) return nothingKnown;
  const tangent = evidenceOf(control, treatment, factor);
  const estimate =
    treatment.successes / treatment.units - (factor * control.successes) / control.units;
  const limit = -Math.log(alpha);
  /** Evidence grows from the estimate outwards, towards 1 for sign 1, towards -factor for -1. */
  const end = (outside: number, sign: 1 | -1): number => {
    if (tangent(outside).value < limit) return outside;
    const beyond = (at: number): Tangent => {
      const { value, slope } = tangent(sign * at);
      return { value: value - limit, slope: sign * slope };
    };
    return sign * rootByNewton(beyond, sign * estimate, sign * outside);
  };
  const logEvalue = tangent(origin).value;
  return {
    interval: { lower: end(-factor, -1), upper: end(1, 1) },
    logEvalue,
    pValue: asP(logEvalue),
  };
};

export type ShareOptions = {
  readonly alpha: number;
  readonly factor?: number;
  /** Value of the difference under the null hypothesis; 0 unless said. */
  readonly null?: number;
};

/**
 * The least ln e-value over all pairs of shares whose difference is a value, and its slope there (by the
 * envelope theorem that of treatment's part alone): convex in the value, with its low at the estimate.
 */
const evidenceOf = (control: Count, treatment: Count, factor: number) => {
  // What does not depend on the shares.
  const constant = [control, treatment].reduce(
    (sum, count) => sum + logEvalueOfShare(count, 1 / 2) - count.units * Math.LN2,
    0,
  );
  return (difference: number): Tangent => {
    const share = likeliestShare(control, treatment, factor, difference);
    const other = within(factor * share + difference);
    return {
      value: constant - logLikelihood(control, share) - logLikelihood(treatment, other),
      slope: slopeAt(treatment, other),
    };
  };
};

/** Control's share at which the difference has most likelihood: where the slope, which grows, is 0. */
const likeliestShare = (
  control: Count,
  treatment: Count,
  factor: number,
  difference: number,
): number => {
  const low = Math.max(0, -difference / factor);
  const high = Math.min(1, (1 - difference) / factor);
  const slope = (share: number): Tangent => {
    const other = within(factor * share + difference);
    return {
      value: slopeAt(control, share) + factor * slopeAt(treatment, other),
      slope: bendAt(control, share) + factor * factor * bendAt(treatment, other),
    };
  };
  return rootByNewton(slope, low, high);
};

const logLikelihood = ({ successes, units }: Count, share: number): number =>
  times(successes, Math.log(share)) + times(units - successes, Math.log1p(-share));

/** Slope and bend of -logLikelihood. */
const slopeAt = ({ successes, units }: Count, share: number): number =>
  over(units - successes, 1 - share) - over(successes, share);

const bendAt = ({ successes, units }: Count, share: number): number =>
  over(units - successes, (1 - share) ** 2) + over(successes, share ** 2);

/** What rounding put just outside of 0 to 1 is put back. */
const within = (share: number): number => (share < 0 ? 0 : share > 1 ? 1 : share);

const over = (count: number, share: number): number => (count === 0 ? 0 : count / share);

/** 0 times ln 0 is 0 here. */
const times = (count: number, log: number): number => (count === 0 ? 0 : count * log);
