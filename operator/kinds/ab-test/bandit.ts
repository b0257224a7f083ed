/** What a bandit believes of its variants, and whom it sends how many units. Pure; draws nothing. */
import type { ABTest } from '../../../crds/schema/ab-test.ts';
import { parseDuration } from '../../../serving-runtime/protocol/duration.ts';
import { probabilitiesBest, trafficWeights } from '../../statistics/bandit.ts';
import {
  effectiveCount,
  inverselyWeighted,
  type WeightedEstimate,
} from '../../statistics/inverse-propensity.ts';
import { betaPosterior, normalPosterior, type Posterior } from '../../statistics/posteriors.ts';
import { aggregateOf, strataOf } from './comparer.ts';
import type { Measurement, Weights } from './measurement.ts';
import { CONTROL, type TestPlan } from './test-plan.ts';

export type Belief = { readonly variant: string; readonly probabilityBest: number };

/** A mean of fewer units of equal weight tells too little of how they vary. */
const LEAST_UNITS_OF_A_MEAN = 100;

/**
 * P(best) of control and the candidates that are not harmful. A unit counts by one over its chance to be where it
 * is: variants whose units came at other times, or have had less time for their outcomes, are compared
 * fairly. Empty while one of them has too few units.
 */
export const beliefsOf = (
  { candidates, metrics }: Pick<TestPlan, 'candidates' | 'metrics'>,
  measurement: Measurement,
  harmful: readonly string[],
): readonly Belief[] => {
  const [goal] = metrics.goal;
  if (goal === undefined) return [];
  const variants = [CONTROL, ...candidates.map(({ name }) => name)].filter(
    (name) => !harmful.includes(name),
  );
  const isShare = aggregateOf(measurement, goal.name, CONTROL).type === 'proportion';
  const posteriors = variants.flatMap((variant) => {
    const estimate = inverselyWeighted(strataOf(measurement, goal.name, variant), variant);
    const sign = goal.direction === 'increase' ? 1 : -1;
    return (isShare ? shareBelief(estimate, sign) : meanBelief(estimate, sign)) ?? [];
  });
  if (posteriors.length < variants.length) return [];
  const best = probabilitiesBest(posteriors);
  return variants.map((variant, index) => ({ variant, probabilityBest: best[index] ?? 0 }));
};

/** Beta by as many equal units as the weighted ones are worth, on a uniform prior; -1: the share of the others. */
const shareBelief = (estimate: WeightedEstimate, sign: 1 | -1): Posterior => {
  const { successes, units } =
    estimate.units < 2 ? { successes: 0, units: 0 } : effectiveCount(estimate);
  const [yes, no] = [1 + successes, 1 + units - successes];
  return sign === 1 ? betaPosterior(yes, no) : betaPosterior(no, yes);
};

const meanBelief = (
  { value, variance, effectiveUnits }: WeightedEstimate,
  sign: 1 | -1,
): Posterior | undefined =>
  effectiveUnits < LEAST_UNITS_OF_A_MEAN || !(variance > 0)
    ? undefined
    : normalPosterior(sign * value, Math.sqrt(variance));

/**
 * Percent of the units for each variant from now on: what there is, without what was dropped, whose share
 * goes to control; and by the beliefs when the last change is over and an interval old.
 */
export const nextWeights = (
  test: ABTest,
  { periods }: Pick<Measurement, 'periods'>,
  {
    beliefs,
    dropped,
    now,
  }: {
    readonly beliefs: readonly Belief[];
    readonly dropped: readonly string[];
    readonly now: Date;
  },
): Weights => {
  const asked = askedWeights(test, periods);
  const kept = withoutDropped(asked, dropped);
  const last = periods.at(-1);
  const intervalMs = parseDuration(test.spec.allocation?.interval ?? '') ?? Infinity;
  const isSettled = last?.weights !== undefined && sameWeights(last.weights, kept);
  if (!isSettled || now.getTime() - Date.parse(last.since) < intervalMs) return kept;
  if (beliefs.length === 0) return kept;
  const shares = trafficWeights(
    beliefs.map(({ probabilityBest }) => probabilityBest),
    test.spec.allocation?.floor ?? 0,
  );
  return {
    ...Object.fromEntries(Object.keys(kept).map((variant) => [variant, 0])),
    ...Object.fromEntries(beliefs.map(({ variant }, index) => [variant, shares[index] ?? 0])),
  };
};

/** As the status asks for; where it was idle, as it was before; or as at first. */
const askedWeights = (test: ABTest, periods: Measurement['periods']): Weights =>
  askedOf(test) ??
  periods.findLast(({ weights }) => weights !== undefined)?.weights ??
  startWeights(test.spec);

/** What the status asks for; undefined while it asks for nothing. */
export const askedOf = ({ status }: ABTest): Weights | undefined => {
  const asked = Object.fromEntries(
    (status?.variants ?? []).map(({ name, weight = 0 }) => [name, weight]),
  );
  return sumOf(asked) === 0 ? undefined : asked;
};

export const startWeights = ({ candidates }: Pick<TestPlan, 'candidates'>): Weights => {
  const shares = Object.fromEntries(candidates.map(({ name, weight }) => [name, weight]));
  return { [CONTROL]: 100 - sumOf(shares), ...shares };
};

/** What candidates that were dropped leave goes to control. */
export const withoutDropped = (weights: Weights, dropped: readonly string[]): Weights => {
  const kept = Object.fromEntries(
    Object.entries(weights).map(([name, weight]) => [name, dropped.includes(name) ? 0 : weight]),
  );
  return { ...kept, [CONTROL]: (kept[CONTROL] ?? 0) + sumOf(weights) - sumOf(kept) };
};

export const sameWeights = (one: Weights, other: Weights): boolean =>
  [...new Set([...Object.keys(one), ...Object.keys(other)])].every(
    (name) => (one[name] ?? 0) === (other[name] ?? 0),
  );

const sumOf = (weights: Weights): number =>
  Object.values(weights).reduce((sum, weight) => sum + weight, 0);
