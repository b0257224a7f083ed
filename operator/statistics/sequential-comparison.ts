import type { Aggregate, Distribution, Proportion } from './aggregates.ts';
import { unitsOf } from './aggregates.ts';
import { compareShares } from './binomial-mixture.ts';
import { pastBurnIn } from './burn-in.ts';
import { checkAggregate } from './check-aggregate.ts';
import type { SequentialOptions, SequentialResult } from './confidence-sequence.ts';
import { asP, confidenceSequence, nothingKnown } from './confidence-sequence.ts';
import { differenceFromShare } from './effects.ts';
import type { Estimate, MeanLike } from './estimates.ts';
import { adjustForCovariate, estimateOf } from './estimates.ts';
import { compareQuantiles, quantileOf } from './quantile-sequence.ts';

export type ComparisonOptions = SequentialOptions & {
  /** Compare with so many times control; 1 unless said; above 0 for proportions and quantiles. */
  readonly factor?: number;
  /** Which quantile, for aggregates of type quantile. */
  readonly quantile?: number;
};

/** `effect` is treatment minus `factor` times control, left out where nothing tells it yet. */
export type Comparison = SequentialResult & { readonly effect?: number };

/** The part of alpha that the exact test of proportions may spend before the burn-in is over. */
const SHARE_OF_ALPHA_BEFORE = 0.1;

/**
 * Treatment against control, valid at every look, for each type of metric: the default of the A/B test.
 * Until the burn-in is over a proportion has the exact test, and other means are not judged.
 * @throws Error where an aggregate is impossible or the two are not of one type
 */
export const compareSequentially = (
  control: Aggregate,
  treatment: Aggregate,
  options: ComparisonOptions,
): Comparison => {
  checkAggregate(control, 'control');
  checkAggregate(treatment, 'treatment');
  if (unitsOf(control) === 0 || unitsOf(treatment) === 0) return nothingKnown;
  if (control.type === 'quantile' && treatment.type === 'quantile') {
    return quantileComparison(control, treatment, options);
  }
  if (control.type === 'proportion' && treatment.type === 'proportion') {
    return proportionComparison(control, treatment, options);
  }
  const ready = [control, treatment].every((each) => each.type !== 'quantile' && pastBurnIn(each));
  return meanComparison(estimatesOf(control, treatment), options, ready);
};

const quantileComparison = (
  control: Distribution,
  treatment: Distribution,
  { quantile, plannedUnits, factor = 1, ...options }: ComparisonOptions,
): Comparison => {
  if (quantile === undefined) throw new Error('a metric of type quantile needs quantile');
  const compared = compareQuantiles(control, treatment, {
    ...options,
    quantile,
    factor,
    plannedUnits: plannedUnits / 2,
  });
  const [of, than] = [treatment, control].map(({ bins }) => quantileOf(bins, quantile));
  const effect = of === undefined || than === undefined ? {} : { effect: of - factor * than };
  return { ...oneSided(compared, effect.effect ?? 0, options), ...effect };
};

const proportionComparison = (
  control: Proportion,
  treatment: Proportion,
  options: ComparisonOptions,
): Comparison => {
  const { alpha, factor = 1 } = options;
  const estimates = estimatesOf(control, treatment);
  if (pastBurnIn(control) && pastBurnIn(treatment)) {
    return afterBurnIn(control.type, alpha, (left) =>
      meanComparison(estimates, { ...options, alpha: left }, true),
    );
  }
  const effect = estimates.treatment.value - factor * estimates.control.value;
  return spending(SHARE_OF_ALPHA_BEFORE, alpha, (left) => ({
    ...oneSided(compareShares(control, treatment, { ...options, alpha: left }), effect, options),
    effect,
  }));
};

/** What alpha is left once the burn-in is over: proportions had the exact test before. */
export const afterBurnIn = (
  type: Aggregate['type'],
  alpha: number,
  compare: (alpha: number) => Comparison,
): Comparison =>
  type === 'proportion' ? spending(1 - SHARE_OF_ALPHA_BEFORE, alpha, compare) : compare(alpha);

/** A test that may spend `share` of alpha has its evidence counted as that share of itself. */
const spending = (
  share: number,
  alpha: number,
  compare: (alpha: number) => Comparison,
): Comparison => {
  const compared = compare(alpha * share);
  const logEvalue = compared.logEvalue + Math.log(share);
  return { ...compared, logEvalue, pValue: asP(logEvalue) };
};

const meanComparison = (
  { control, treatment }: Estimates,
  { factor = 1, ...options }: ComparisonOptions,
  ready: boolean,
): Comparison => {
  const effect = differenceFromShare(control, treatment, factor);
  return {
    ...(ready ? confidenceSequence(effect, options) : nothingKnown),
    effect: effect.value,
  };
};

/** Of a two-sided result what a one-sided test may say: one end, and evidence on its own side only. */
const oneSided = (
  result: SequentialResult,
  effect: number,
  { alternative = 'two-sided', null: origin = 0 }: Omit<SequentialOptions, 'plannedUnits'>,
): SequentialResult => {
  if (alternative === 'two-sided') return result;
  const { lower, upper } = nothingKnown.interval;
  const isGreater = alternative === 'greater';
  const logEvalue =
    isGreater === effect > origin ? result.logEvalue : Math.min(0, result.logEvalue);
  return {
    interval: isGreater ? { ...result.interval, upper } : { ...result.interval, lower },
    logEvalue,
    pValue: asP(logEvalue),
  };
};

type Estimates = { readonly control: Estimate; readonly treatment: Estimate };

const estimatesOf = (control: Aggregate, treatment: Aggregate): Estimates => {
  if (control.type === 'covariate-mean' && treatment.type === 'covariate-mean') {
    return adjustForCovariate(control, treatment);
  }
  const [one, other] = [meanLike(control, treatment), meanLike(treatment, control)];
  return { control: estimateOf(one, 'control'), treatment: estimateOf(other, 'treatment') };
};

const meanLike = (aggregate: Aggregate, other: Aggregate): MeanLike => {
  if (aggregate.type !== 'quantile' && aggregate.type === other.type) return aggregate;
  throw new Error(`control and treatment differ in type: ${aggregate.type} and ${other.type}`);
};
