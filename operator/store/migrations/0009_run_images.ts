import { type Kysely, sql } from 'kysely';

/** Which image a run's code came in; its pod, which tells, does not live as long. */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`alter table runs add column image text`.execute(db);
};
