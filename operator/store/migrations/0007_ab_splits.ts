import { type Kysely, sql } from 'kysely';

/** Since when the variants of an ABTest get which shares of the units. */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    create table ab_splits (
      test_id integer not null,
      since timestamptz not null,
      -- Percent by variant; null while routes change, when nobody knows who gets what.
      weights jsonb,
      primary key (test_id, since)
    )`.execute(db);
};
