import { type Kysely, sql } from 'kysely';

/** The truth about logged predictions, and what it says of each version. */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    create table prediction_labels (
      namespace text collate "C" not null,
      deployment text collate "C" not null,
      prediction_id text collate "C" not null,
      -- Empty: the first output.
      output text collate "C" not null,
      truths json not null,
      received_at timestamptz not null,
      -- Versions whose answer it was compared with; none: no logged request has this id yet.
      compared text[] not null default '{}',
      primary key (namespace, deployment, prediction_id, output)
    ) with (fillfactor = 80)`.execute(db);
  await sql`create index prediction_labels_waiting on prediction_labels
    (namespace, deployment, received_at) where compared = '{}'`.execute(db);
  // Sums for each ten seconds of predictions, so that a canary reads some hundred rows and not a million.
  await sql`
    create table prediction_errors (
      namespace text collate "C" not null,
      deployment text collate "C" not null,
      version text collate "C" not null,
      bucket timestamptz not null,
      output text collate "C" not null,
      answers bigint not null,
      wrong bigint not null,
      distances bigint not null,
      distance_mean double precision not null,
      distance_m2 double precision not null,
      incomparable bigint not null,
      primary key (namespace, deployment, version, bucket, output)
    ) with (fillfactor = 80)`.execute(db);
  // Sketches in the order they were written, for those who have read the others.
  await sql`create index feature_sketches_in_order on feature_sketches (namespace, deployment, id)
  `.execute(db);
};
