import type { Aggregate, Bin } from '../../statistics/aggregates.ts';
import { noJointMoments, type JointMoments } from '../../statistics/moments.ts';
import { firstOf } from './measurement.ts';

type By<T> = ReadonlyMap<string, T>;

/** What was found of one metric, by variant; variants without units are absent. */
export type PerVariant =
  | {
      readonly type: 'proportion';
      readonly counts: By<{ readonly units: number; readonly successes: number }>;
    }
  | { readonly type: 'mean' | 'ratio'; readonly pairs: By<JointMoments> }
  | { readonly type: 'quantile'; readonly bins: By<readonly Bin[]> };

/** One for each variant. A mean has its covariate in all or, where no unit has one, in none. */
export const aggregatesOf = (
  found: PerVariant,
  variants: readonly string[],
): readonly (readonly [variant: string, aggregate: Aggregate])[] => {
  const make = aggregateOf(found);
  return variants.map((variant) => [variant, make(variant)]);
};

const aggregateOf = (found: PerVariant): ((variant: string) => Aggregate) => {
  switch (found.type) {
    case 'proportion':
      return (variant) => ({
        type: 'proportion',
        ...(found.counts.get(variant) ?? { units: 0, successes: 0 }),
      });
    case 'ratio':
      return (variant) => ({ type: 'ratio', pairs: pairsOf(found, variant) });
    case 'quantile':
      return (variant) => ({ type: 'quantile', bins: found.bins.get(variant) ?? [] });
    case 'mean': {
      const varies = [...found.pairs.values()].some(({ second }) => second.m2 > 0);
      return (variant) => {
        const pairs = pairsOf(found, variant);
        return varies
          ? { type: 'covariate-mean', pairs }
          : { type: 'mean', values: firstOf(pairs) };
      };
    }
  }
};

const pairsOf = ({ pairs }: { readonly pairs: By<JointMoments> }, variant: string): JointMoments =>
  pairs.get(variant) ?? noJointMoments;
