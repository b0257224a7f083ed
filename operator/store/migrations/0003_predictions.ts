import { type Kysely, sql } from 'kysely';

/** What serving pods tell of their requests. */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  // A batch that is sent again, as after a lost answer, is found here and not written twice.
  await sql`
    create table prediction_batches (
      namespace text collate "C" not null,
      deployment text collate "C" not null,
      batch_id text collate "C" not null,
      received_at timestamptz not null default now(),
      primary key (namespace, deployment, batch_id)
    )`.execute(db);
  // json, not jsonb: kept digit for digit as it was sent, and cheaper to write.
  await sql`
    create table predictions (
      id bigint generated always as identity primary key,
      namespace text collate "C" not null,
      deployment text collate "C" not null,
      prediction_id text collate "C" not null,
      at timestamptz not null,
      unit text,
      variant text,
      version text not null,
      status smallint not null,
      latency_ms double precision not null,
      record json not null
    )`.execute(db);
  await sql`create index predictions_newest on predictions (namespace, deployment, at desc, id desc)
  `.execute(db);
  await sql`create index predictions_by_id on predictions (namespace, deployment, prediction_id)
  `.execute(db);
  await sql`
    create table feature_sketches (
      id bigint generated always as identity primary key,
      namespace text collate "C" not null,
      deployment text collate "C" not null,
      version text not null,
      role text not null check (role in ('input', 'output')),
      feature text not null,
      window_start timestamptz not null,
      window_ms integer not null check (window_ms > 0),
      sketch json not null
    )`.execute(db);
  await sql`create index feature_sketches_of_time on feature_sketches
    (namespace, deployment, window_start, feature)`.execute(db);
};
