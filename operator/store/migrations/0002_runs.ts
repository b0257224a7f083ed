import { type Kysely, sql } from 'kysely';

/** Trials and runs: facts that are born here and nowhere else. */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    create table runs (
      run_id text collate "C" primary key,
      experiment_uid text not null,
      namespace text not null,
      experiment_name text not null,
      trial_number integer check (trial_number >= 0),
      name text not null,
      user_id text not null,
      status text not null
        check (status in ('SCHEDULED', 'RUNNING', 'FINISHED', 'FAILED', 'KILLED')),
      start_time bigint,
      end_time bigint,
      lifecycle_stage text not null default 'active'
        check (lifecycle_stage in ('active', 'deleted')),
      unique (experiment_uid, trial_number)
    )`.execute(db);
  await sql`
    create index runs_newest on runs (experiment_uid, coalesce(start_time, 0) desc, run_id)
  `.execute(db);
  for (const table of ['run_params', 'run_tags'])
    await sql`
      create table ${sql.table(table)} (
        run_id text collate "C" not null references runs on delete cascade,
        key text collate "C" not null,
        value text not null,
        primary key (run_id, key)
      )`.execute(db);
  // Logging the same point again, as a client does after a lost answer, finds it here already.
  await sql`
    create table run_metrics (
      run_id text collate "C" not null references runs on delete cascade,
      key text collate "C" not null,
      step bigint not null,
      timestamp bigint not null,
      value double precision not null,
      primary key (run_id, key, step, timestamp, value)
    )`.execute(db);
  await sql`
    create table run_latest_metrics (
      run_id text collate "C" not null references runs on delete cascade,
      key text collate "C" not null,
      step bigint not null,
      timestamp bigint not null,
      value double precision not null,
      primary key (run_id, key)
    )`.execute(db);
};
