import { type Kysely, sql } from 'kysely';

/** What a search knows of a trial beyond its run; it goes with the run. */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    create table trials (
      run_id text collate "C" primary key references runs on delete cascade,
      experiment_uid text collate "C" not null,
      number integer not null check (number >= 0),
      phase text not null
        check (phase in ('open', 'complete', 'pruned', 'failed', 'stopped')),
      told boolean not null,
      attempt integer not null default 0,
      assignments jsonb not null,
      value double precision,
      objectives double precision[] not null default '{}',
      on_front boolean not null default false,
      started integer not null default -1,
      reported integer not null default 0,
      log_cursor jsonb,
      reason text,
      message text,
      unique (experiment_uid, number)
    )`.execute(db);
  // A pass reads few of many: what is under way, how many there are of each phase, and the best.
  await sql`create index trials_unsettled on trials (experiment_uid, number) where not told`.execute(
    db,
  );
  await sql`create index trials_phases on trials (experiment_uid, phase, told)`.execute(db);
  await sql`
    create index trials_best on trials (experiment_uid, value, number) where phase = 'complete'
  `.execute(db);
  await sql`create index trials_front on trials (experiment_uid) where on_front`.execute(db);
};
