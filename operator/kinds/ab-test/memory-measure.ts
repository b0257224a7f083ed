import type { Bin } from '../../statistics/aggregates.ts';
import type { JointMoments } from '../../statistics/moments.ts';
import { BIN_GROWTH, SMALLEST_BINNED } from './measurement.ts';
import type { Measured, Measurement, MetricDefinition, Split } from './measurement.ts';
import type { NamedOutcome, Unit } from './memory-units.ts';
import type { TestScope } from './outcome-store.ts';
import { aggregatesOf } from './per-variant.ts';
import type { PerVariant } from './per-variant.ts';
import { periodsOf, pooledOf } from './periods.ts';
import { requestMetricOf } from './test-metrics.ts';
import type { RequestMetric } from './test-metrics.ts';

type Seen = {
  readonly units: ReadonlyMap<string, Unit>;
  readonly outcomes: readonly NamedOutcome[];
  readonly splits: readonly Split[];
};
type Named = readonly [name: string, unit: Unit];

/** What the SQL computes, from all that came, with no running sums. */
export const measureUnits = (
  test: TestScope,
  metrics: readonly MetricDefinition[],
  { units, outcomes, splits }: Seen,
): Measurement => {
  const whole: readonly Named[] = [...units].filter(
    ([, { conflicting }]) => test.moves || !conflicting,
  );
  const variantsOf = (members: readonly Named[]) =>
    test.variants.map((variant) => ({
      variant,
      units: members.filter(([, unit]) => unit.variant === variant).length,
    }));
  const measured = (members: readonly Named[]): readonly Measured[] =>
    metrics.flatMap((metric) =>
      aggregatesOf(
        perVariant(metric, outcomes, byVariant(test, members), test.moves),
        test.variants,
      ).map(([variant, aggregate]) => ({ variant, metric: metric.name, aggregate })),
    );
  const indexed = whole.map((named) => ({ named, period: periodOf(named, splits) }));
  const counted = indexed.map(({ named, period }) => ({
    ...{ variant: named[1].variant, period, units: 1 },
  }));
  const byPeriod = test.moves
    ? Array.from({ length: Math.max(1, splits.length) }, (_, index) =>
        measured(indexed.filter(({ period }) => period === index).map(({ named }) => named)),
      )
    : [];
  const judged = outcomes.map(({ unit = '', at }) => {
    const known = units.get(unit);
    return known === undefined ? 'unknown' : at > known.firstSeen ? 'after' : 'before';
  });
  return {
    variants: variantsOf(whole),
    conflictingUnits: [...units.values()].filter(({ conflicting }) => conflicting).length,
    outcomesOfUnknownUnits: judged.filter((side) => side === 'unknown').length,
    outcomesBeforeExposure: judged.filter((side) => side === 'before').length,
    metrics: test.moves ? pooledOf(byPeriod) : measured(whole),
    periods: periodsOf(test.variants, splits, { units: counted, measured: byPeriod }),
  };
};

/** Index of the split a unit came first in. */
const periodOf = ([, { firstSeen }]: Named, splits: readonly Split[]): number =>
  Math.max(
    0,
    splits.findLastIndex(({ since }) => Date.parse(since) <= firstSeen),
  );

const byVariant =
  (test: TestScope, counted: readonly Named[]): By =>
  (make) =>
    new Map(
      test.variants
        .map((name) => [name, counted.filter(([, { variant }]) => variant === name)] as const)
        .filter(([, members]) => members.length > 0)
        .map(([name, members]) => [name, make(members)]),
    );

type By = <T>(make: (units: readonly Named[]) => T) => ReadonlyMap<string, T>;

const perVariant = (
  metric: MetricDefinition,
  outcomes: readonly NamedOutcome[],
  by: By,
  moves: boolean,
): PerVariant => {
  const { name, type, numerator = '', denominator = '' } = metric;
  const request = requestMetricOf(metric);
  const values = (of: string, side: 'after' | 'before' = 'after') => valuesOf(outcomes, of, side);
  const pairs = (first: (unit: Named) => number, second: (unit: Named) => number) =>
    by((units) => jointOf(units.map((unit) => [first(unit), second(unit)])));
  switch (type) {
    case 'ratio': {
      const [above, below] = [values(numerator), values(denominator)];
      return {
        type,
        pairs: pairs(
          (unit) => sum(above(unit)),
          (unit) => sum(below(unit)),
        ),
      };
    }
    case 'proportion': {
      const positive = (unit: Named) => values(name)(unit).some((value) => value > 0);
      const counts = (units: readonly Named[]) => ({
        units: units.length,
        successes: units.filter(positive).length,
      });
      return request === undefined
        ? { type, counts: by(counts) }
        : {
            type: 'ratio',
            pairs: pairs(requestsWith(request), ([, unit]) => unit.requests.length),
          };
    }
    case 'mean':
      return request === undefined
        ? {
            type,
            pairs: pairs(
              (u) => sum(values(name)(u)),
              (u) => (moves ? 0 : sum(values(name, 'before')(u))),
            ),
          }
        : { type, pairs: pairs(perRequest(request), () => 0) };
    case 'quantile': {
      const meanOf = (unit: Named) => sum(values(name)(unit)) / values(name)(unit).length;
      const value = request === undefined ? meanOf : perRequest(request);
      return { type, bins: by((units) => binsOf(units.map(value))) };
    }
  }
};

const valuesOf =
  (outcomes: readonly NamedOutcome[], metric: string, side: 'after' | 'before') =>
  ([name, { firstSeen }]: Named): readonly number[] =>
    outcomes
      .filter((each) => each.unit === name && each.metric === metric)
      .filter(({ at }) => at > firstSeen === (side === 'after'))
      .map(({ value }) => value);

const requestsWith =
  (metric: RequestMetric) =>
  ([, { requests }]: Named): number =>
    requests.filter(({ status }) => status >= 500 === (metric === 'request-error-rate')).length;

const perRequest =
  (metric: RequestMetric) =>
  (unit: Named): number => {
    const { requests } = unit[1];
    const total =
      metric === 'request-duration'
        ? sum(requests.map(({ latencyMs }) => latencyMs))
        : requestsWith(metric)(unit);
    return total / requests.length;
  };

const sum = (values: readonly number[]): number => values.reduce((one, other) => one + other, 0);

const jointOf = (pairs: readonly (readonly [number, number])[]): JointMoments => {
  const count = pairs.length;
  const [mean1, mean2] = [sum(pairs.map(([y]) => y)) / count, sum(pairs.map(([, x]) => x)) / count];
  return {
    count,
    first: { mean: mean1, m2: sum(pairs.map(([y]) => (y - mean1) ** 2)) },
    second: { mean: mean2, m2: sum(pairs.map(([, x]) => (x - mean2) ** 2)) },
    cross: sum(pairs.map(([y, x]) => (y - mean1) * (x - mean2))),
  };
};

const binsOf = (values: readonly number[]): readonly Bin[] => {
  const found = new Map<string, Bin>();
  for (const value of values.filter((each) => !Number.isNaN(each))) {
    const key =
      Math.abs(value) < SMALLEST_BINNED
        ? 'zero'
        : `${Math.sign(value)} ${Math.ceil(Math.log(Math.abs(value)) / Math.log(BIN_GROWTH))}`;
    const bin = found.get(key) ?? { lower: value, upper: value, count: 0 };
    found.set(key, {
      lower: Math.min(bin.lower, value),
      upper: Math.max(bin.upper, value),
      count: bin.count + 1,
    });
  }
  return [...found.values()].sort((one, other) => one.lower - other.lower);
};
