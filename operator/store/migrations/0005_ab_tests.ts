import { type Kysely, sql } from 'kysely';

/** Who saw which variant of an ABTest, and what came of it. */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  // The lock of its row is what writers of one test queue at. A row outlives its test, closed: the other
  // tables need no foreign key, whose check of each row would cost a third of writing it.
  await sql`
    create table ab_tests (
      id integer generated always as identity primary key,
      uid text collate "C" not null unique,
      -- Logged requests up to this one are taken in; null: none was looked at yet.
      cursor bigint,
      outcomes_pending bigint not null default 0,
      outcomes_before_exposure bigint not null default 0,
      closed_at timestamptz
    )`.execute(db);
  await sql`
    create table ab_assignments (
      test_id integer not null,
      unit text collate "C" not null,
      variant text collate "C" not null,
      first_seen_at timestamptz not null,
      conflicting boolean not null,
      -- Some of its outcomes were judged before its first exposure was known.
      unsettled boolean not null,
      requests bigint not null,
      failed_requests bigint not null,
      latency_ms_total double precision not null,
      primary key (test_id, unit)
    ) with (fillfactor = 80)`.execute(db);
  await sql`create index ab_assignments_unsettled on ab_assignments (test_id, unit) where unsettled
  `.execute(db);
  // The key is 128 bits of a SHA-256. exposed: null while it is not known when its unit was exposed.
  await sql`
    create table ab_outcomes (
      test_id integer not null,
      key uuid not null,
      unit text collate "C",
      prediction_id text collate "C",
      metric text collate "C" not null,
      value double precision not null,
      at timestamptz not null,
      exposed boolean,
      primary key (test_id, key)
    )`.execute(db);
  await sql`create index ab_outcomes_oldest on ab_outcomes (test_id, at)`.execute(db);
  await sql`create index ab_outcomes_pending on ab_outcomes (test_id, unit)
    where exposed is null and unit is not null`.execute(db);
  await sql`create index ab_outcomes_unnamed on ab_outcomes (test_id, prediction_id)
    where unit is null`.execute(db);
  await sql`create index ab_outcomes_before on ab_outcomes (test_id, unit, at) where not exposed
  `.execute(db);
  await sql`
    create table ab_unit_metrics (
      test_id integer not null,
      metric text collate "C" not null,
      unit text collate "C" not null,
      outcomes bigint not null,
      positive bigint not null,
      total double precision not null,
      outcomes_before bigint not null,
      total_before double precision not null,
      primary key (test_id, metric, unit)
    ) with (fillfactor = 80)`.execute(db);
  // With the id, so that the first request of a client's id is found without looking at the others.
  await sql`create index predictions_by_id_in_order on predictions
    (namespace, deployment, prediction_id, id)`.execute(db);
  await sql`drop index predictions_by_id`.execute(db);
  // Requests of a test in the order they were written; no others have a variant.
  await sql`create index predictions_of_variants on predictions (namespace, deployment, id)
    where variant is not null`.execute(db);
};
