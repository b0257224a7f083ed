import { checkAggregate } from './check-aggregate.ts';
import type { Count } from './binomial-mixture.ts';
import type { Estimate, MeanLike } from './estimates.ts';
import type { JointMoments } from './moments.ts';

/** Units of one variant that came while it had the same share of all units: `propensity`, above 0. */
export type Stratum = { readonly propensity: number; readonly aggregate: MeanLike };

/** `units` as in an Estimate: how many were seen. */
export type WeightedEstimate = Estimate & {
  /** Of one unit's value. */
  readonly unitVariance: number;
  /** How many units of all variants the weights stand for. */
  readonly represented: number;
  /** So many units with equal weights would say as much (Kish 1965). */
  readonly effectiveUnits: number;
};

/**
 * A variant's value where its share of the units changed with what was seen of them: each unit counts by
 * one over the chance it had to be in the variant, divided by the sum of these weights (Horvitz &
 * Thompson 1952; Hájek 1971). Plain means would mix up when units came with where they went. The variance
 * is that of the linear part, with the residuals squared by weight.
 * @throws Error where an aggregate is impossible, a propensity is not in (0, 1], or denominators are 0
 */
export const inverselyWeighted = (strata: readonly Stratum[], where: string): WeightedEstimate => {
  const parts = strata.map((stratum) => partOf(stratum, where)).filter(({ n }) => n > 0);
  const sum = (of: (part: Part) => number): number =>
    parts.reduce((total, part) => total + of(part), 0);
  const units = sum(({ n }) => n);
  const represented = sum(({ n, weight }) => n * weight);
  if (units < 2) {
    return {
      value: 0,
      variance: Infinity,
      units,
      unitVariance: Infinity,
      represented,
      effectiveUnits: units,
    };
  }
  const below = sum(({ n, weight, pairs }) => n * weight * pairs.second.mean);
  if (below === 0) {
    throw new Error(`${where}: the denominators have mean 0, so that there is no ratio`);
  }
  const value = sum(({ n, weight, pairs }) => n * weight * pairs.first.mean) / below;
  const scale = (represented / below) ** 2;
  const residuals = (part: Part): number => scale * residualSquares(part, value);
  return {
    ...{ value, units, represented },
    variance: sum((part) => part.weight ** 2 * residuals(part)) / represented ** 2,
    unitVariance: sum((part) => part.weight * residuals(part)) / represented,
    effectiveUnits: represented ** 2 / sum(({ n, weight }) => n * weight ** 2),
  };
};

/** A share as if so many equal units had shown it, for tests and beliefs that take counts. */
export const effectiveCount = ({ value, effectiveUnits }: WeightedEstimate): Count => ({
  units: effectiveUnits,
  successes: value * effectiveUnits,
});

type Part = { readonly n: number; readonly weight: number; readonly pairs: JointMoments };

const partOf = ({ propensity, aggregate }: Stratum, where: string): Part => {
  checkAggregate(aggregate, where);
  if (!(propensity > 0 && propensity <= 1)) {
    throw new Error(`${where}: the propensity ${propensity} must be above 0 and at most 1`);
  }
  const pairs = pairsOf(aggregate);
  return { n: pairs.count, weight: 1 / propensity, pairs };
};

/** Sum over the units of (first - value * second) squared. */
const residualSquares = ({ n, pairs: { first, second, cross } }: Part, value: number): number =>
  Math.max(0, first.m2 - 2 * value * cross + value * value * second.m2) +
  n * (first.mean - value * second.mean) ** 2;

const ONE = { mean: 1, m2: 0 };

/** All as ratios: of a share or a mean the denominator of each unit is 1. A covariate is left aside. */
const pairsOf = (aggregate: MeanLike): JointMoments => {
  switch (aggregate.type) {
    case 'proportion': {
      const { units: count, successes } = aggregate;
      const mean = count === 0 ? 0 : successes / count;
      return { count, first: { mean, m2: successes * (1 - mean) }, second: ONE, cross: 0 };
    }
    case 'mean': {
      const { count, ...first } = aggregate.values;
      return { count, first, second: ONE, cross: 0 };
    }
    case 'covariate-mean':
      return { count: aggregate.pairs.count, first: aggregate.pairs.first, second: ONE, cross: 0 };
    case 'ratio':
      return aggregate.pairs;
  }
};
