import { sql } from 'kysely';
import { byVariant, measureMetric, type Grouping } from './measure-sql.ts';
import type { Measured, Measurement, MetricDefinition, Split } from './measurement.ts';
import type { TestScope } from './outcome-store.ts';
import { aggregatesOf } from './per-variant.ts';
import { periodsOf, pooledOf } from './periods.ts';
import { readSplits, splitIndex } from './split-sql.ts';
import type { Tx } from './test-row-sql.ts';

type TestFigures = { readonly id: number; readonly pending: number; readonly before: number };

/** All of a test at one moment, in a transaction that sees one. */
export const measureTest = async (
  tx: Tx,
  test: TestScope,
  metrics: readonly MetricDefinition[],
): Promise<Measurement> => {
  const { rows } = await sql<TestFigures>`
    select id, outcomes_pending::float8 as pending, outcomes_before_exposure::float8 as before
    from ab_tests where uid = ${test.uid}`.execute(tx);
  // Before the first call of absorb there is no row, and nothing to count: no test has the id 0.
  const { id, pending, before } = rows[0] ?? { id: 0, pending: 0, before: 0 };
  const splits = await readSplits(tx, id);
  const units = await countUnits(tx, id, splits);
  const counted = units.filter(({ conflicting }) => test.moves || !conflicting);
  const byPeriod = test.moves ? await measurePeriods(tx, id, { test, splits, metrics }) : [];
  const periods = periodsOf(test.variants, splits, { units: counted, measured: byPeriod });
  return {
    variants: test.variants.map((variant) => ({
      variant,
      units: total(counted.filter((each) => each.variant === variant)),
    })),
    conflictingUnits: total(units.filter(({ conflicting }) => conflicting)),
    outcomesOfUnknownUnits: pending,
    outcomesBeforeExposure: before,
    metrics: test.moves
      ? pooledOf(byPeriod)
      : await measureAll(tx, { test, metrics }, byVariant(id)),
    periods,
  };
};

type Wish = { readonly test: TestScope; readonly metrics: readonly MetricDefinition[] };

const measureAll = async (
  tx: Tx,
  { test, metrics }: Wish,
  group: Grouping,
): Promise<readonly Measured[]> => {
  const measured: Measured[] = [];
  for (const metric of metrics) {
    const found = aggregatesOf(await measureMetric(tx, group, metric), test.variants);
    for (const [variant, aggregate] of found) {
      measured.push({ variant, metric: metric.name, aggregate });
    }
  }
  return measured;
};

/** By split: the metrics of the units that came first in it. One query a metric, whatever their number. */
const measurePeriods = async (
  tx: Tx,
  testId: number,
  { test, splits, metrics }: Wish & { readonly splits: readonly Split[] },
): Promise<readonly (readonly Measured[])[]> => {
  // No variant's name has a space.
  const by = sql`${splitIndex(splits)} || ' ' || a.variant`;
  const groups = Array.from({ length: Math.max(1, splits.length) }, (_, index) =>
    test.variants.map((variant) => `${index} ${variant}`),
  );
  const periods: Measured[][] = groups.map(() => []);
  for (const metric of metrics) {
    const found = new Map(
      aggregatesOf(await measureMetric(tx, { testId, by, moves: true }, metric), groups.flat()),
    );
    groups.forEach((keys, index) => {
      keys.forEach((key, at) => {
        const [variant, aggregate] = [test.variants[at], found.get(key)];
        if (variant === undefined || aggregate === undefined) return;
        periods[index]?.push({ variant, metric: metric.name, aggregate });
      });
    });
  }
  return periods;
};

type CountedUnits = {
  readonly variant: string;
  readonly period: number;
  readonly conflicting: boolean;
  readonly units: number;
};

const countUnits = async (
  tx: Tx,
  testId: number,
  splits: readonly Split[],
): Promise<readonly CountedUnits[]> => {
  const { rows } = await sql<CountedUnits>`
    select a.variant, ${splitIndex(splits)} as period, a.conflicting, count(*)::float8 as units
    from ab_assignments a where a.test_id = ${testId} group by 1, 2, 3`.execute(tx);
  return rows;
};

const total = (counted: readonly CountedUnits[]): number =>
  counted.reduce((sum, { units }) => sum + units, 0);
