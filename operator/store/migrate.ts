import { Kysely, PostgresDialect, sql } from 'kysely';
import { Migrator, type Migration } from 'kysely/migration';
import { Pool, type PoolConfig } from 'pg';
import { reachingDatabase } from './database-error.ts';
import * as resourcesAndAudit from './migrations/0001_resources_and_audit.ts';
import * as runs from './migrations/0002_runs.ts';
import * as predictions from './migrations/0003_predictions.ts';
import * as closedExperiments from './migrations/0004_closed_experiments.ts';
import * as abTests from './migrations/0005_ab_tests.ts';
import * as labels from './migrations/0006_labels.ts';
import * as abSplits from './migrations/0007_ab_splits.ts';
import * as trials from './migrations/0008_trials.ts';
import * as runImages from './migrations/0009_run_images.ts';
import * as webhooks from './migrations/0010_webhooks.ts';

/** By name, in order; a list, so that bundled programs carry them along. */
const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001_resources_and_audit': resourcesAndAudit,
  '0002_runs': runs,
  '0003_predictions': predictions,
  '0004_closed_experiments': closedExperiments,
  '0005_ab_tests': abTests,
  '0006_labels': labels,
  '0007_ab_splits': abSplits,
  '0008_trials': trials,
  '0009_run_images': runImages,
  '0010_webhooks': webhooks,
};

/** Any number that nobody else locks in this database. */
const LOCK = 4_770_112_230_531;

/** The schema could not be brought up to date; the message names the migration. */
export class MigrationFailed extends Error {
  override readonly name = 'MigrationFailed';
  readonly code = 'MigrationFailed';
  constructor(migration: string, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(`Database migration ${migration} failed: ${reason}`, { cause });
  }
}

/**
 * Brings the schema up to date, in one transaction. Replicas that start together queue at an
 * advisory lock; those that come late find nothing to do.
 */
export const migrate = (connection: PoolConfig): Promise<void> =>
  reachingDatabase('be migrated', async () => {
    // No statement timeout here: an index on a large table takes what it takes.
    const pool = new Pool({ ...connection, statement_timeout: 0, query_timeout: 0, max: 3 });
    pool.on('error', () => {}); // the query under way reports the same failure
    const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
    try {
      await db.connection().execute(async (lock) => {
        await sql`select pg_advisory_lock(${LOCK})`.execute(lock);
        try {
          await migrateToLatest(db);
        } finally {
          await sql`select pg_advisory_unlock(${LOCK})`.execute(lock);
        }
      });
    } finally {
      await db.destroy();
    }
  });

const migrateToLatest = async (db: Kysely<unknown>): Promise<void> => {
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => ({ ...MIGRATIONS }) },
  });
  const { error, results } = await migrator.migrateToLatest();
  const failed = results?.find(({ status }) => status === 'Error');
  if (failed) throw new MigrationFailed(failed.migrationName, error);
  if (error) throw error instanceof Error ? error : new MigrationFailed('set-up', error);
};
