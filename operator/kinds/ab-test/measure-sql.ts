import { sql, type RawBuilder } from 'kysely';
import type { Bin } from '../../statistics/aggregates.ts';
import { noJointMoments, type JointMoments } from '../../statistics/moments.ts';
import { BIN_GROWTH, SMALLEST_BINNED } from './measurement.ts';
import type { MetricDefinition } from './measurement.ts';
import type { PerVariant } from './per-variant.ts';
import { requestMetricOf } from './test-metrics.ts';
import type { RequestMetric } from './test-metrics.ts';
import type { Tx } from './test-row-sql.ts';

/** A number of each unit `a`: where it is found, and how it is computed. */
type Column = { readonly join: RawBuilder<unknown>; readonly value: RawBuilder<unknown> };

const none = sql``;

const totalOf = (metric: string, alias: 'y' | 'x' = 'y'): Column => ({
  join: sql`left join ab_unit_metrics ${sql.ref(alias)} on ${sql.ref(`${alias}.test_id`)} = a.test_id
    and ${sql.ref(`${alias}.metric`)} = ${metric} and ${sql.ref(`${alias}.unit`)} = a.unit`,
  value: sql`coalesce(${sql.ref(`${alias}.total`)}, 0)`,
});

const before: Column = { join: none, value: sql`coalesce(y.total_before, 0)` };
const zero: Column = { join: none, value: sql`0::float8` };

const requests: Column = { join: none, value: sql`a.requests::float8` };

const requestsWith = (metric: RequestMetric): Column => ({
  join: none,
  value:
    metric === 'request-error-rate'
      ? sql`a.failed_requests::float8`
      : sql`(a.requests - a.failed_requests)::float8`,
});

/** Every unit has a request. PostgreSQL refuses a quotient that is too small for a number of 64 bits. */
const perRequest = (metric: RequestMetric): Column => ({
  join: none,
  value:
    metric === 'request-duration'
      ? sql`case when a.latency_ms_total < 1e-9 then 0 else a.latency_ms_total / a.requests end`
      : sql`${requestsWith(metric).value} / a.requests`,
});

/** Of which test, and by what its units `a` are put together: a text each. */
export type Grouping = {
  readonly testId: number;
  readonly by: RawBuilder<unknown>;
  /** Whether units that were seen in a second variant count. */
  readonly moves: boolean;
};

/** By variant, without units that were seen in two of them. */
export const byVariant = (testId: number): Grouping => ({
  testId,
  by: sql`a.variant`,
  moves: false,
});

const unitsOf = ({ testId, moves }: Grouping): RawBuilder<unknown> =>
  sql`a.test_id = ${testId} ${moves ? sql`` : sql`and not a.conflicting`}`;

/** One metric of all groups that have units, in one query. */
export const measureMetric = async (
  tx: Tx,
  group: Grouping,
  metric: MetricDefinition,
): Promise<PerVariant> => {
  const { name, type, numerator = '', denominator = '' } = metric;
  const request = requestMetricOf(metric);
  switch (type) {
    case 'ratio': {
      const pairs = await joint(tx, group, totalOf(numerator), totalOf(denominator, 'x'));
      return { type, pairs };
    }
    case 'proportion':
      return request === undefined
        ? { type, counts: await successes(tx, group, name) }
        : { type: 'ratio', pairs: await joint(tx, group, requestsWith(request), requests) };
    case 'mean':
      return request === undefined
        ? { type, pairs: await joint(tx, group, totalOf(name), group.moves ? zero : before) }
        : { type, pairs: await joint(tx, group, perRequest(request), zero) };
    case 'quantile':
      return { type, bins: await bins(tx, group, request ? perRequest(request) : meanOf(name)) };
  }
};

const successes = async (tx: Tx, group: Grouping, metric: string) => {
  const { join } = totalOf(metric);
  const { rows } = await sql<{ variant: string; units: number; successes: number }>`
    select ${group.by} as variant, count(*)::float8 as units,
      count(*) filter (where y.positive > 0)::float8 as successes
    from ab_assignments a ${join}
    where ${unitsOf(group)} group by 1`.execute(tx);
  return new Map(rows.map(({ variant, ...counts }) => [variant, counts]));
};

type JointRow = Readonly<
  Record<'count' | 'mean1' | 'm2_1' | 'mean2' | 'm2_2' | 'cross_12', number>
> & { readonly variant: string };

/**
 * One pass for all six numbers, without the loss of digits of sums of squares: the regr_ aggregates keep
 * sums of squared deviations since PostgreSQL 12 (Youngs & Cramer 1971; src/backend/utils/adt/float.c,
 * float8_regr_accum).
 */
const joint = async (
  tx: Tx,
  group: Grouping,
  first: Column,
  second: Column,
): Promise<ReadonlyMap<string, JointMoments>> => {
  const pair = sql`${first.value}, ${second.value}`;
  const { rows } = await sql<JointRow>`
    select ${group.by} as variant, count(*)::float8 as count,
      regr_avgy(${pair}) as mean1, regr_syy(${pair}) as m2_1,
      regr_avgx(${pair}) as mean2, regr_sxx(${pair}) as m2_2, regr_sxy(${pair}) as cross_12
    from ab_assignments a ${first.join} ${second.join}
    where ${unitsOf(group)} group by 1`.execute(tx);
  return new Map(
    rows.map(({ variant, count, ...of }) => [
      variant,
      {
        ...noJointMoments,
        count,
        first: { mean: of.mean1, m2: of.m2_1 },
        second: { mean: of.mean2, m2: of.m2_2 },
        cross: of.cross_12,
      },
    ]),
  );
};

/** Null for a unit without outcomes: it has no value, and is in no bin. */
const meanOf = (metric: string): Column => ({
  ...totalOf(metric),
  value: sql`case when y.outcomes > 0 then y.total / y.outcomes end`,
});

/**
 * The bins of a DDSketch (Masson, Rim, Lee, VLDB 2019), of which there are at most some 5,600 for any
 * values that are taken. With the least and largest value of each, few distinct values are exact.
 */
const bins = async (
  tx: Tx,
  group: Grouping,
  column: Column,
): Promise<ReadonlyMap<string, readonly Bin[]>> => {
  const { rows } = await sql<Bin & { variant: string }>`
    select variant, min(value) as lower, max(value) as upper, count(*)::float8 as count
    from (
      select ${group.by} as variant, ${column.value} as value
      from ab_assignments a ${column.join}
      where ${unitsOf(group)}
    ) units
    where value is not null
    group by variant, case when abs(value) >= ${SMALLEST_BINNED}::float8
      then array[sign(value), ceil(ln(abs(value)) / ${Math.log(BIN_GROWTH)}::float8)] end
    order by variant, lower`.execute(tx);
  const found = new Map<string, Bin[]>();
  for (const { variant, ...bin } of rows) {
    const known = found.get(variant);
    if (known === undefined) found.set(variant, [bin]);
    else known.push(bin);
  }
  return found;
};
