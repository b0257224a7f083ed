import type { JointMoments, Moments } from './moments.ts';
import { mergeJointMoments, mergeMoments } from './moments.ts';

/**
 * What is kept of a variant's units for one metric: all that the tests need, in a few numbers that
 * merge. A unit (say, a user) is what was randomised: values are summed up per unit first.
 */
export type Aggregate = Proportion | Mean | CovariateMean | Ratio | Distribution;

/** `successes` of `units`. */
export type Proportion = {
  readonly type: 'proportion';
  readonly units: number;
  readonly successes: number;
};

/** One value a unit. */
export type Mean = { readonly type: 'mean'; readonly values: Moments };

/** One value a unit (first) and what is known of the unit from before the test (second), for CUPED. */
export type CovariateMean = { readonly type: 'covariate-mean'; readonly pairs: JointMoments };

/** The sum of all numerators (first, one a unit) by the sum of all denominators (second). */
export type Ratio = { readonly type: 'ratio'; readonly pairs: JointMoments };

/** How many units had a value in which bin, for quantiles; bins ascend and do not overlap. */
export type Distribution = { readonly type: 'quantile'; readonly bins: readonly Bin[] };

/** `count` units with values from lower to upper; both the same where values are kept as they were. */
export type Bin = { readonly lower: number; readonly upper: number; readonly count: number };

/**
 * Two aggregates of different units as one.
 * @throws Error where their types differ; bins that overlap are refused by checkAggregate
 */
export const mergeAggregates = (a: Aggregate, b: Aggregate): Aggregate => {
  if (a.type === 'proportion' && b.type === 'proportion') {
    return { ...a, units: a.units + b.units, successes: a.successes + b.successes };
  }
  if (a.type === 'mean' && b.type === 'mean') {
    return { ...a, values: mergeMoments(a.values, b.values) };
  }
  if ((a.type === 'ratio' || a.type === 'covariate-mean') && a.type === b.type) {
    return { ...a, pairs: mergeJointMoments(a.pairs, b.pairs) };
  }
  if (a.type === 'quantile' && b.type === 'quantile') {
    return { ...a, bins: mergeBins(a.bins, b.bins) };
  }
  throw new Error(`a ${a.type} cannot be merged with a ${b.type}: keep one aggregate per metric`);
};

/** How many units the aggregate is of. */
export const unitsOf = (aggregate: Aggregate): number => {
  switch (aggregate.type) {
    case 'proportion':
      return aggregate.units;
    case 'mean':
      return aggregate.values.count;
    case 'ratio':
    case 'covariate-mean':
      return aggregate.pairs.count;
    case 'quantile':
      return aggregate.bins.reduce((sum, { count }) => sum + count, 0);
  }
};

const mergeBins = (a: readonly Bin[], b: readonly Bin[]): readonly Bin[] => {
  const merged: Bin[] = [];
  for (const bin of [...a, ...b].toSorted((x, y) => x.lower - y.lower || x.upper - y.upper)) {
    const last = merged.at(-1);
    if (last?.lower === bin.lower && last.upper === bin.upper) {
      merged[merged.length - 1] = { ...last, count: last.count + bin.count };
    } else merged.push(bin);
  }
  return merged;
};
