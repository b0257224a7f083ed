import type { Bin, Distribution } from './aggregates.ts';
import { logEvalueOfShare } from './binomial-mixture.ts';
import { checkAggregate } from './check-aggregate.ts';
import type { Interval, SequentialResult } from './confidence-sequence.ts';
import { asP, nothingKnown } from './confidence-sequence.ts';

/**
 * Quantiles at every look, exact and with no density: q is the p-quantile if units fall at or below it
 * with chance p, so that q is tested by counting them (Howard & Ramdas, "Sequential estimation of
 * quantiles", Bernoulli 2022, the beta-binomial mixture). Ties and bins: the true count is between that
 * below a bin and that up to its end, and the least evidence in between is taken, which is valid.
 */

export type QuantileOptions = {
  readonly quantile: number;
  readonly alpha: number;
  /** As in SequentialOptions. */
  readonly tunedFor?: number;
  /** Units of one variant where the interval is tightest; must not depend on the data. */
  readonly plannedUnits: number;
  /** Control's quantile is taken so many times; 1 unless said. Must be above 0. */
  readonly factor?: number;
  /** Value of the difference under the null hypothesis; 0 unless said. */
  readonly null?: number;
};

/** A stretch of values, and ln of the least e-value against "the quantile is in it". */
type Stretch = Interval & { readonly evidence: number };

/**
 * Treatment's quantile minus `factor` times control's. Evidence of independent variants multiplies; the
 * interval has all differences that some pair of quantiles has against which there is less than 1/alpha.
 */
export const compareQuantiles = (
  control: Distribution,
  treatment: Distribution,
  { factor = 1, null: origin = 0, ...options }: QuantileOptions,
): SequentialResult => {
  checkAggregate(control, 'control');
  checkAggregate(treatment, 'treatment');
  const of = ({ bins }: Distribution): readonly Stretch[] => stretches(bins, options);
  const controls = of(control).map((stretch) => ({
    ...stretch,
    lower: factor * stretch.lower,
    upper: factor * stretch.upper,
  }));
  const treatments = of(treatment);
  if (controls.length === 0 || treatments.length === 0) return nothingKnown;
  const limit = -Math.log(options.alpha);
  const logEvalue = evidenceAgainst(controls, treatments, origin);
  return {
    interval: acceptedDifferences(controls, treatments, limit),
    logEvalue,
    pValue: asP(logEvalue),
  };
};

/** The p-quantile of the bins (middle of its bin), undefined where there are no units. */
export const quantileOf = (bins: readonly Bin[], quantile: number): number | undefined => {
  const total = bins.reduce((sum, { count }) => sum + count, 0);
  let below = 0;
  for (const { lower, upper, count } of bins) {
    below += count;
    if (count > 0 && below >= quantile * total) return lower + (upper - lower) / 2;
  }
  return undefined;
};

/** The whole line: each bin, the gaps between them, and what is beyond; ends belong to both sides. */
const stretches = (
  bins: readonly Bin[],
  { quantile, plannedUnits, alpha, tunedFor = alpha }: Omit<QuantileOptions, 'factor' | 'null'>,
): readonly Stretch[] => {
  const units = bins.reduce((sum, { count }) => sum + count, 0);
  if (units === 0) return [];
  const prior = priorAt(quantile, plannedUnits, tunedFor);
  // Where the posterior's median is about the quantile there is the least evidence.
  const calmest = quantile * (units - 1) + 1 / 2;
  const evidence = (from: number, to: number): number => {
    const successes = Math.min(to, Math.max(from, calmest, 0));
    return logEvalueOfShare({ successes, units }, quantile, prior);
  };
  const line: Stretch[] = [];
  let [below, end] = [0, Number.NEGATIVE_INFINITY];
  for (const { lower, upper, count } of bins) {
    if (count === 0) continue;
    line.push({ lower: end, upper: lower, evidence: evidence(below, below) });
    line.push({ lower, upper, evidence: evidence(below, below + count) });
    below += count;
    end = upper;
  }
  return [
    ...line,
    { lower: end, upper: Number.POSITIVE_INFINITY, evidence: evidence(units, units) },
  ];
};

/** Beta with the quantile as its mean, as heavy as makes the interval about tightest when planned. */
const priorAt = (quantile: number, plannedUnits: number, alpha: number) => {
  const log = -2 * Math.log(alpha);
  const weight = Math.max(1, plannedUnits / (log + Math.log1p(log)));
  return { successes: quantile * weight, failures: (1 - quantile) * weight };
};

/** Least evidence over all pairs with a difference of `value`: both lines are walked upwards once. */
const evidenceAgainst = (
  controls: readonly Stretch[],
  treatments: readonly Stretch[],
  value: number,
): number => {
  let [least, c, t] = [Number.POSITIVE_INFINITY, 0, 0];
  for (;;) {
    const [control, treatment] = [controls[c], treatments[t]];
    if (control === undefined || treatment === undefined) return least;
    least = Math.min(least, control.evidence + treatment.evidence);
    if (control.upper === treatment.upper && control.upper === Number.POSITIVE_INFINITY)
      return least;
    const gap = control.upper + value - treatment.upper;
    // Where both end together, each also touches what comes after the other.
    if (gap === 0) least = Math.min(least, touching(controls, treatments, c, t));
    if (gap <= 0) c += 1;
    if (gap >= 0) t += 1;
  }
};

const touching = (
  controls: readonly Stretch[],
  treatments: readonly Stretch[],
  c: number,
  t: number,
): number => {
  const at = (stretch: Stretch | undefined): number =>
    stretch?.evidence ?? Number.POSITIVE_INFINITY;
  return Math.min(at(controls[c + 1]) + at(treatments[t]), at(controls[c]) + at(treatments[t + 1]));
};

const acceptedDifferences = (
  controls: readonly Stretch[],
  treatments: readonly Stretch[],
  limit: number,
): Interval => {
  let [lower, upper] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const possible = near(controls, limit - calmestOf(treatments));
  for (const treatment of near(treatments, limit - calmestOf(controls))) {
    const accepted = (control: Stretch): boolean => control.evidence + treatment.evidence < limit;
    const first = possible.find(accepted);
    const last = possible.findLast(accepted);
    if (first === undefined || last === undefined) continue;
    lower = Math.min(lower, treatment.lower - last.upper);
    upper = Math.max(upper, treatment.upper - first.lower);
  }
  return { lower, upper };
};

const calmestOf = (line: readonly Stretch[]): number =>
  line.reduce((least, { evidence }) => Math.min(least, evidence), Number.POSITIVE_INFINITY);

const near = (line: readonly Stretch[], limit: number): readonly Stretch[] =>
  line.filter(({ evidence }) => evidence < limit);
