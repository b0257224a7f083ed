import { sql } from 'kysely';
import type { TestScope } from './outcome-store.ts';
import { moveCursor } from './test-row-sql.ts';
import type { TestRow, Tx } from './test-row-sql.ts';

/** Of logged requests: `after` does not belong to it, `last` does. Ids, as text. */
type Range = { readonly after: string; readonly last: string };

export type Step = {
  /** Logged requests of this step. */
  readonly requests: number;
  readonly done: boolean;
};

/** Where a test begins that has looked at nothing yet: before the first request since it is there. */
export const firstCursor = async (tx: Tx, test: TestScope, last: string): Promise<string> => {
  const { rows } = await sql<{ cursor: string | null }>`
    select min(id) - 1 as cursor from (
      select id from predictions
      where namespace = ${test.namespace} and deployment = ${test.deployment}
        and at >= ${test.since} and variant is not null
      offset 0 -- by the index of times: the least id would be looked for from the oldest on
    ) since_then`.execute(tx);
  return rows[0]?.cursor ?? last;
};

/**
 * Takes in the next requests up to `upTo`, at most `limit`. The cursor moves only when no outcome that
 * names one of them is left, as there can be any number of those.
 */
export const absorbStep = async (
  tx: Tx,
  test: TestScope,
  row: TestRow,
  { upTo, limit, now }: { readonly upTo: string; readonly limit: number; readonly now: string },
): Promise<Step> => {
  const after = row.cursor ?? '0';
  const { last, requests } = await nextRange(tx, test, { after, last: upTo }, limit);
  if (last === null) {
    if (BigInt(after) < BigInt(upTo)) await moveCursor(tx, row.id, upTo);
    return { requests: 0, done: true };
  }
  const range = { after, last };
  const named = await nameOutcomes(tx, test, row.id, { range, limit });
  if (named === limit) return { requests: 0, done: false };
  await assign(tx, test, row.id, { range, now });
  await moveCursor(tx, row.id, last);
  return { requests, done: false };
};

const rowsOf = ({ namespace, deployment }: TestScope, { after, last }: Range) => sql`
  namespace = ${namespace} and deployment = ${deployment} and variant is not null
  and id > ${after} and id <= ${last}`;

const nextRange = async (tx: Tx, test: TestScope, range: Range, limit: number) => {
  const { rows } = await sql<{ last: string | null; requests: number }>`
    select max(id) as last, count(*)::integer as requests from (
      select id from predictions where ${rowsOf(test, range)} order by id limit ${limit}
    ) next`.execute(tx);
  return rows[0] ?? { last: null, requests: 0 };
};

/**
 * Gives outcomes that named a request its unit, and a time after it. Ids come from clients and may be
 * used twice: the request that was written first is meant.
 */
const nameOutcomes = async (
  tx: Tx,
  test: TestScope,
  testId: number,
  { range, limit }: { readonly range: Range; readonly limit: number },
): Promise<number> => {
  const { rows } = await sql<{ named: number }>`
    with logged as materialized (
      select id, prediction_id, unit, at from predictions
      where ${rowsOf(test, range)} and unit is not null order by id
    ), requests as (
      select distinct on (prediction_id) prediction_id, unit, at from logged
      order by prediction_id, id
    ), waiting as (
      select o.key, r.unit, r.at from requests r join ab_outcomes o
        on o.test_id = ${testId} and o.unit is null and o.prediction_id = r.prediction_id
      limit ${limit}
    ), named as (
      update ab_outcomes o set unit = waiting.unit,
        at = greatest(o.at, waiting.at + interval '1 microsecond')
      from waiting where o.test_id = ${testId} and o.key = waiting.key
      returning o.unit
    ), marked as (
      update ab_assignments set unsettled = true
      where test_id = ${testId} and unit in (select unit from named)
    )
    select count(*)::integer as named from named`.execute(tx);
  return rows[0]?.named ?? 0;
};

/** Who saw what first, and what their requests came to. A pod's clock that is ahead exposes nobody later. */
const assign = async (
  tx: Tx,
  test: TestScope,
  testId: number,
  { range, now }: { readonly range: Range; readonly now: string },
): Promise<void> => {
  await sql`
    insert into ab_assignments as a (test_id, unit, variant, first_seen_at, conflicting, unsettled,
      requests, failed_requests, latency_ms_total)
    select ${testId}::integer, unit, (array_agg(variant order by at, id))[1],
      least(min(at), ${now}::timestamptz), min(variant) <> max(variant),
      -- Not exists (): that may be made a hash of all outcomes that wait.
      coalesce((select true from ab_outcomes o
        where o.test_id = ${testId} and o.unit = p.unit and o.exposed is null limit 1), false),
      count(*), count(*) filter (where status >= 500), sum(latency_ms)
    from predictions p
    where ${rowsOf(test, range)} and unit is not null and at >= ${test.since}
      and variant = any(${test.variants}::text[])
    group by unit
    on conflict (test_id, unit) do update set
      variant = case when excluded.first_seen_at < a.first_seen_at then excluded.variant
        else a.variant end,
      conflicting = a.conflicting or excluded.conflicting or a.variant <> excluded.variant,
      unsettled = a.unsettled or excluded.unsettled or excluded.first_seen_at < a.first_seen_at,
      first_seen_at = least(a.first_seen_at, excluded.first_seen_at),
      requests = a.requests + excluded.requests,
      failed_requests = a.failed_requests + excluded.failed_requests,
      latency_ms_total = a.latency_ms_total + excluded.latency_ms_total`.execute(tx);
};
