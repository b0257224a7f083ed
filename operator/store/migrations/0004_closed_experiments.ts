import { type Kysely, sql } from 'kysely';

/** Experiments that take no more runs, as they are being deleted or are gone. */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    create table closed_experiments (
      experiment_uid text collate "C" primary key,
      closed_at timestamptz not null default now()
    )`.execute(db);
};
