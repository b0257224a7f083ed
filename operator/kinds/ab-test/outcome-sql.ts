import { sql } from 'kysely';
import type { Outcome, TestScope } from './outcome-store.ts';
import type { TestRow, Tx } from './test-row-sql.ts';
import { tally } from './test-row-sql.ts';

/**
 * Adds rows of `moved` (metric, unit, value, exposed, and sign: 1 or -1) to the running sums of each
 * unit. Where no outcomes are left on a side, its total is 0 and not what rounding left of it.
 */
export const FOLD = sql`
  insert into ab_unit_metrics as m (test_id, metric, unit, outcomes, positive, total,
    outcomes_before, total_before)
  select test_id, metric, unit,
    coalesce(sum(sign) filter (where exposed), 0),
    coalesce(sum(sign) filter (where exposed and value > 0), 0),
    coalesce(sum(sign * value) filter (where exposed), 0),
    coalesce(sum(sign) filter (where not exposed), 0),
    coalesce(sum(sign * value) filter (where not exposed), 0)
  from moved where exposed is not null and unit is not null group by test_id, metric, unit
  on conflict (test_id, metric, unit) do update set
    outcomes = m.outcomes + excluded.outcomes,
    positive = m.positive + excluded.positive,
    total = m.total + excluded.total,
    outcomes_before = m.outcomes_before + excluded.outcomes_before,
    total_before = case when m.outcomes_before + excluded.outcomes_before = 0 then 0
      else m.total_before + excluded.total_before end`;

/** A client that gives all requests one id must not have each outcome look at all of them. */
const MAX_NAMESAKES = 100;

type Counted = { readonly taken: number; readonly pending: number; readonly before: number };

/**
 * Writes outcomes that are new and folds those whose unit is known. The request an outcome names is
 * looked for among those that were taken in; what comes later finds the outcome waiting.
 */
export const insertOutcomes = async (
  tx: Tx,
  test: TestScope,
  { id, cursor }: TestRow,
  outcomes: readonly Outcome[],
): Promise<number> => {
  const column = <T>(of: (outcome: Outcome) => T): readonly T[] => outcomes.map(of);
  const { rows } = await sql<Counted>`
    with sent as (
      select * from unnest(
        ${column(({ key }) => key)}::uuid[],
        ${column(({ of }) => ('unit' in of ? of.unit : null))}::text[],
        ${column(({ of }) => ('unit' in of ? null : of.predictionId))}::text[],
        ${column(({ metric }) => metric)}::text[],
        ${column(({ value }) => value)}::double precision[],
        ${column(({ at }) => at)}::timestamptz[]
      ) as o (key, unit, prediction_id, metric, value, at)
    ), named as (
      select key, coalesce(sent.unit, p.unit) as unit, sent.prediction_id, metric, value,
        greatest(sent.at, p.at + interval '1 microsecond') as at
      from sent left join lateral (
        select unit, at from (
          select id, unit, variant, at from predictions
          where sent.unit is null and namespace = ${test.namespace}
            and deployment = ${test.deployment} and prediction_id = sent.prediction_id
            and id <= ${cursor ?? '0'}
          order by id limit ${MAX_NAMESAKES}
        ) namesakes
        where variant is not null and unit is not null order by id limit 1
      ) p on true
    ), moved as (
      insert into ab_outcomes (test_id, key, unit, prediction_id, metric, value, at, exposed)
      select ${id}::integer, key, named.unit, prediction_id, metric, value, at, at > a.first_seen_at
      from named left join lateral (
        select first_seen_at from ab_assignments where test_id = ${id} and unit = named.unit limit 1
      ) a on true
      on conflict do nothing
      returning test_id, unit, metric, value, exposed, 1 as sign
    ), folded as (${FOLD})
    select count(*)::float8 as taken,
      count(*) filter (where exposed is null)::float8 as pending,
      count(*) filter (where not exposed)::float8 as before
    from moved`.execute(tx);
  const counted = rows[0] ?? { taken: 0, pending: 0, before: 0 };
  await tally(tx, id, counted);
  return counted.taken;
};

type Settled = { readonly found: number; readonly pending: number; readonly before: number };

/**
 * Judges outcomes again whose unit was seen for the first time, or earlier than was known; at most
 * `limit` of them. False when there are none left.
 */
export const settleOutcomes = async (tx: Tx, testId: number, limit: number): Promise<boolean> => {
  const { rows: units } = await sql<{ unit: string }>`
    select unit from ab_assignments where test_id = ${testId} and unsettled
    order by unit limit ${limit}`.execute(tx);
  if (units.length === 0) return false;
  const names = units.map(({ unit }) => unit);
  const { found, ...counted } = await judgeAgain(tx, testId, names, limit);
  await tally(tx, testId, counted);
  if (found < limit) {
    await sql`update ab_assignments set unsettled = false
      where test_id = ${testId} and unit = any(${names}::text[])`.execute(tx);
  }
  return true;
};

const judgeAgain = async (
  tx: Tx,
  testId: number,
  units: readonly string[],
  limit: number,
): Promise<Settled> => {
  const { rows } = await sql<Settled>`
    with found as (
      select o.key, o.exposed as was_exposed, o.at > a.first_seen_at as exposed
      from ab_assignments a cross join lateral (
        (select key, at, exposed from ab_outcomes
          where test_id = ${testId} and unit = a.unit and exposed is null limit ${limit})
        union all
        (select key, at, exposed from ab_outcomes
          where test_id = ${testId} and unit = a.unit and not exposed and at > a.first_seen_at
          limit ${limit})
      ) o
      where a.test_id = ${testId} and a.unit = any(${units}::text[])
      limit ${limit}
    ), written as (
      update ab_outcomes o set exposed = found.exposed from found
      where o.test_id = ${testId} and o.key = found.key
      returning o.test_id, o.unit, o.metric, o.value, o.exposed, found.was_exposed
    ), moved as (
      select test_id, unit, metric, value, exposed, 1 as sign from written
      union all
      select test_id, unit, metric, value, was_exposed, -1 from written where was_exposed is not null
    ), folded as (${FOLD})
    select count(*)::float8 as found,
      -count(*) filter (where was_exposed is null)::float8 as pending,
      (count(*) filter (where not exposed) - count(*) filter (where not was_exposed))::float8 as before
    from written`.execute(tx);
  return rows[0] ?? { found: 0, pending: 0, before: 0 };
};

/** Drops at most `limit` outcomes from before `until` (RFC 3339); their sums stay. True: there are more. */
export const pruneOutcomes = async (
  tx: Tx,
  testId: number,
  until: string,
  limit: number,
): Promise<boolean> => {
  const { numAffectedRows = 0n } = await sql`
    delete from ab_outcomes where ctid = any(array(
      select ctid from ab_outcomes where test_id = ${testId} and at < ${until} limit ${limit}))
  `.execute(tx);
  return numAffectedRows === BigInt(limit);
};
