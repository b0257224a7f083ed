import { sql, type RawBuilder } from 'kysely';
import type { Split, Weights } from './measurement.ts';
import type { Tx } from './test-row-sql.ts';

/** Adds it where it says something else than the last one; two of the same moment are one, the later. */
export const writeSplit = async (
  tx: Tx,
  testId: number,
  { since, weights }: Split,
): Promise<void> => {
  const json = weights === undefined ? null : JSON.stringify(weights);
  await sql`
    insert into ab_splits (test_id, since, weights)
    select ${testId}::integer, ${since}::timestamptz, ${json}::jsonb
    where (select weights from ab_splits where test_id = ${testId} order by since desc limit 1)
      is distinct from ${json}::jsonb
      or not exists (select from ab_splits where test_id = ${testId})
    on conflict (test_id, since) do update set weights = excluded.weights`.execute(tx);
};

export const readSplits = async (tx: Tx, testId: number): Promise<readonly Split[]> => {
  const { rows } = await sql<{ since: Date; weights: Weights | null }>`
    select since, weights from ab_splits where test_id = ${testId} order by since`.execute(tx);
  return rows.map(({ since, weights }) => ({
    since: since.toISOString(),
    weights: weights ?? undefined,
  }));
};

/** Index from 0 of the split that an assignment `a` began in; who came before the first one is in it. */
export const splitIndex = (splits: readonly Split[]): RawBuilder<unknown> =>
  sql`greatest(width_bucket(a.first_seen_at, ${splits.map(({ since }) => since)}::timestamptz[]) - 1, 0)`;
