import type { CovariateMean, Mean, Proportion, Ratio } from './aggregates.ts';
import { checkAggregate } from './check-aggregate.ts';
import type { JointMoments } from './moments.ts';
import { mergeJointMoments, variance } from './moments.ts';

/**
 * A metric's value in one variant with the variance of that value (not of a unit): for many units it
 * is normal. The variance is infinite while too few units tell it.
 */
export type Estimate = {
  readonly value: number;
  readonly variance: number;
  readonly units: number;
};

/** Aggregates whose value is a smooth function of means; quantiles have quantile-sequence.ts. */
export type MeanLike = Proportion | Mean | CovariateMean | Ratio;

/**
 * Value and variance; a covariate is left aside (see adjustForCovariate).
 * @throws Error where the aggregate is impossible, or the denominators of a ratio have mean 0
 */
export const estimateOf = (aggregate: MeanLike, where: string): Estimate => {
  checkAggregate(aggregate, where);
  switch (aggregate.type) {
    case 'proportion':
      return proportionEstimate(aggregate);
    case 'mean':
      return meanEstimate(aggregate.values);
    case 'covariate-mean':
      return meanEstimate({ count: aggregate.pairs.count, ...aggregate.pairs.first });
    case 'ratio':
      return ratioEstimate(aggregate.pairs, where);
  }
};

/**
 * CUPED (Deng, Xu, Kohavi & Walker, WSDM 2013): takes out of both variants what the covariate foretold,
 * with one theta = cov(y, x) / var(x) over the units of both stacked. The covariate must be from before
 * the test, or an effect of the treatment would be taken out as well.
 */
export const adjustForCovariate = (
  control: CovariateMean,
  treatment: CovariateMean,
): { readonly control: Estimate; readonly treatment: Estimate; readonly theta: number } => {
  checkAggregate(control, 'control');
  checkAggregate(treatment, 'treatment');
  const stacked = mergeJointMoments(control.pairs, treatment.pairs);
  const theta = stacked.second.m2 === 0 ? 0 : stacked.cross / stacked.second.m2;
  const adjusted = ({ count, first, second, cross }: JointMoments): Estimate =>
    meanEstimate({
      count,
      mean: first.mean - theta * (second.mean - stacked.second.mean),
      m2: Math.max(0, first.m2 + theta * theta * second.m2 - 2 * theta * cross),
    });
  return { control: adjusted(control.pairs), treatment: adjusted(treatment.pairs), theta };
};

const proportionEstimate = ({ units, successes }: Proportion): Estimate => {
  if (units === 0) return { value: 0, variance: Number.POSITIVE_INFINITY, units };
  const value = successes / units;
  return { value, variance: (value * (1 - value)) / units, units };
};

const meanEstimate = (moments: { count: number; mean: number; m2: number }): Estimate => ({
  value: moments.mean,
  variance: variance(moments) / Math.max(1, moments.count),
  units: moments.count,
});

/** Delta method (Deng, Knoblich & Lu, KDD 2018): the units are independent, not what they divide. */
const ratioEstimate = ({ count, first, second, cross }: JointMoments, where: string): Estimate => {
  if (count < 2) return { value: 0, variance: Number.POSITIVE_INFINITY, units: count };
  if (second.mean === 0) {
    throw new Error(`${where}: the denominators have mean 0, so that there is no ratio`);
  }
  const value = first.mean / second.mean;
  const residual = first.m2 - 2 * value * cross + value * value * second.m2;
  const perUnit = Math.max(0, residual) / (count - 1) / (second.mean * second.mean);
  return { value, variance: perUnit / count, units: count };
};
