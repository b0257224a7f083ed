/** Units and metrics by the weights there were when a unit came first. Pure: both stores make these. */
import { mergeAggregates } from '../../statistics/aggregates.ts';
import type { Measured, Period, Split } from './measurement.ts';

type Found = {
  /** `period`: index of the split. */
  readonly units: readonly {
    readonly variant: string;
    readonly period: number;
    readonly units: number;
  }[];
  /** By split; none where they are not told apart. */
  readonly measured: readonly (readonly Measured[])[];
};

export const periodsOf = (
  variants: readonly string[],
  splits: readonly Split[],
  { units, measured }: Found,
): readonly Period[] =>
  splits.map((split, index) => ({
    ...split,
    variants: variants.map((variant) => ({
      variant,
      units: units
        .filter((each) => each.period === index && each.variant === variant)
        .reduce((sum, each) => sum + each.units, 0),
    })),
    metrics: measured[index] ?? [],
  }));

/** All periods as one. */
export const pooledOf = (periods: readonly (readonly Measured[])[]): readonly Measured[] => {
  const pooled = new Map<string, Measured>();
  for (const measured of periods.flat()) {
    const key = `${measured.metric} ${measured.variant}`;
    const known = pooled.get(key);
    const aggregate =
      known === undefined
        ? measured.aggregate
        : mergeAggregates(known.aggregate, measured.aggregate);
    pooled.set(key, { ...measured, aggregate });
  }
  return [...pooled.values()];
};
