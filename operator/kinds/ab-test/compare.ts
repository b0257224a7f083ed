/** A goal of a candidate beside control's, by the way of inference the test asks for. Pure. */
import type { ABTestSpec } from '../../../crds/schema/ab-test.ts';
import type { Aggregate } from '../../statistics/aggregates.ts';
import { compareBetas, compareNormals, type BayesianResult } from '../../statistics/bayesian.ts';
import { nothingKnown } from '../../statistics/confidence-sequence.ts';
import { difference, type Effect } from '../../statistics/effects.ts';
import { adjustForCovariate, estimateOf, type Estimate } from '../../statistics/estimates.ts';
import { proportionsTest, welchTest } from '../../statistics/fixed-horizon.ts';
import {
  compareSequentially,
  type Comparison,
  type ComparisonOptions,
} from '../../statistics/sequential-comparison.ts';

export type Inference = NonNullable<ABTestSpec['inference']>;

/** With what is believed of it where inference is Bayesian. */
export type GoalComparison = Comparison &
  Partial<Pick<BayesianResult, 'probabilityToBeat' | 'expectedLoss'>>;

export type CompareOptions = ComparisonOptions & { readonly mode?: Inference['mode'] };

export const compareGoal = (
  control: Aggregate,
  treatment: Aggregate,
  { mode = 'sequential', ...options }: CompareOptions,
): GoalComparison => {
  if (mode === 'sequential') return compareSequentially(control, treatment, options);
  const pair = estimatesOf(control, treatment);
  if (pair === undefined) return nothingKnown;
  return mode === 'bayesian'
    ? believed(control, treatment, pair, options.alpha)
    : atOneLook(control, treatment, pair, options.alpha);
};

type Pair = { readonly control: Estimate; readonly treatment: Estimate };

/** Undefined where a variant has too few units to tell how they vary, and for quantiles. */
const estimatesOf = (control: Aggregate, treatment: Aggregate): Pair | undefined => {
  if (control.type === 'quantile' || treatment.type === 'quantile') return undefined;
  const pair =
    control.type === 'covariate-mean' && treatment.type === 'covariate-mean'
      ? adjustForCovariate(control, treatment)
      : { control: estimateOf(control, 'control'), treatment: estimateOf(treatment, 'treatment') };
  const isKnown = [pair.control, pair.treatment].every(
    ({ units, variance }) => units > 1 && Number.isFinite(variance),
  );
  return isKnown ? pair : undefined;
};

const atOneLook = (
  control: Aggregate,
  treatment: Aggregate,
  pair: Pair,
  alpha: number,
): GoalComparison => {
  const tested =
    control.type === 'proportion' && treatment.type === 'proportion'
      ? proportionsTest(control, treatment, alpha)
      : welchTest(pair.control, pair.treatment, alpha);
  const effect = difference(pair.control, pair.treatment).value;
  if (tested === undefined) return { ...nothingKnown, effect };
  const { interval, pValue } = tested;
  return { effect, interval, pValue, logEvalue: 0 };
};

const believed = (
  control: Aggregate,
  treatment: Aggregate,
  pair: Pair,
  alpha: number,
): GoalComparison => {
  const effect: Effect = difference(pair.control, pair.treatment);
  const isProportion = control.type === 'proportion' && treatment.type === 'proportion';
  if (!isProportion && effect.variance === 0) return { ...nothingKnown, effect: effect.value };
  const { interval, probabilityToBeat, expectedLoss } = isProportion
    ? compareBetas(control, treatment, { level: 1 - alpha })
    : compareNormals(effect, { level: 1 - alpha });
  return {
    ...{ effect: effect.value, interval, probabilityToBeat, expectedLoss },
    // Twice what is believed to lie on the other side of none.
    pValue: Math.min(1, 2 * Math.min(probabilityToBeat, 1 - probabilityToBeat)),
    logEvalue: 0,
  };
};
