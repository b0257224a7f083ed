import { sql, type Transaction } from 'kysely';
import { latestOf } from './latest-metric.ts';
import {
  ExperimentClosed,
  type ExperimentIdentity,
  type Metric,
  ParamConflict,
  RunNotFound,
} from './run-store.ts';
import type { RunTables } from './run-tables.ts';

/** Locks the run's row, so that what follows is judged by what is there. */
export const exists = async (
  tx: Transaction<RunTables>,
  runId: string,
): Promise<'active' | 'deleted'> => {
  const row = await tx
    .selectFrom('runs')
    .select('lifecycle_stage')
    .where('run_id', '=', runId)
    .forUpdate()
    .executeTakeFirst();
  if (row === undefined) throw new RunNotFound(runId);
  return row.lifecycle_stage;
};

/** Nobody creates a run of this experiment while or after this commits. */
export const close = async (tx: Transaction<RunTables>, experimentUid: string): Promise<void> => {
  await sql`select pg_advisory_xact_lock(${lockOf(experimentUid)})`.execute(tx);
  await tx
    .insertInto('closed_experiments')
    .values({ experiment_uid: experimentUid })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
};

/** Throws `ExperimentClosed`; otherwise it stays open until this transaction ends. */
export const refuseClosed = async (
  tx: Transaction<RunTables>,
  experiment: ExperimentIdentity,
): Promise<void> => {
  await sql`select pg_advisory_xact_lock_shared(${lockOf(experiment.uid)})`.execute(tx);
  const closed = await tx
    .selectFrom('closed_experiments')
    .select('experiment_uid')
    .where('experiment_uid', '=', experiment.uid)
    .executeTakeFirst();
  if (closed !== undefined) throw new ExperimentClosed(experiment);
};

const lockOf = (experimentUid: string) => sql`hashtextextended(${experimentUid}, 0)`;

const keyValues = (runId: string, values: Readonly<Record<string, string>>) =>
  Object.entries(values).map(([key, value]) => ({ run_id: runId, key, value }));

/** Adds the keys that are not there; those that are keep their value. */
export const insertMissing = async (
  tx: Transaction<RunTables>,
  table: 'run_params' | 'run_tags',
  runId: string,
  values: Readonly<Record<string, string>>,
): Promise<void> => {
  const rows = keyValues(runId, values);
  if (rows.length === 0) return;
  await tx
    .insertInto(table)
    .values(rows)
    .onConflict((conflict) => conflict.doNothing())
    .execute();
};

/** Throws `ParamConflict` for a parameter that is stored with another value. */
export const refuseChangedParams = async (
  tx: Transaction<RunTables>,
  runId: string,
  params: Readonly<Record<string, string>>,
): Promise<void> => {
  const keys = Object.keys(params);
  if (keys.length === 0) return;
  const stored = await tx
    .selectFrom('run_params')
    .select(['key', 'value'])
    .where('run_id', '=', runId)
    .where('key', 'in', keys)
    .execute();
  for (const { key, value } of stored) {
    const wanted = params[key];
    if (wanted !== undefined && wanted !== value)
      throw new ParamConflict({ runId, key }, value, wanted);
  }
};

/** Adds or overwrites. */
export const setTags = async (
  tx: Transaction<RunTables>,
  runId: string,
  tags: Readonly<Record<string, string>>,
): Promise<void> => {
  const rows = keyValues(runId, tags);
  if (rows.length === 0) return;
  await tx
    .insertInto('run_tags')
    .values(rows)
    .onConflict((conflict) =>
      conflict
        .columns(['run_id', 'key'])
        .doUpdateSet((eb) => ({ value: eb.ref('excluded.value') })),
    )
    .execute();
};

/** Adds the points that are not there, and moves the latest of each key forward. */
export const insertMetrics = async (
  tx: Transaction<RunTables>,
  runId: string,
  metrics: readonly Metric[],
): Promise<void> => {
  if (metrics.length === 0) return;
  const row = (metric: Metric) => ({ run_id: runId, ...metric });
  await tx
    .insertInto('run_metrics')
    .values(metrics.map(row))
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  await tx
    .insertInto('run_latest_metrics')
    .values(latestOf(metrics).map(row))
    .onConflict((conflict) =>
      conflict
        .columns(['run_id', 'key'])
        .doUpdateSet((eb) => ({
          step: eb.ref('excluded.step'),
          timestamp: eb.ref('excluded.timestamp'),
          value: eb.ref('excluded.value'),
        }))
        // PostgreSQL sorts NaN above all numbers; here any number beats it.
        .where(
          sql<boolean>`(excluded.step, excluded.timestamp, excluded.value <> 'NaN', excluded.value)
            > (run_latest_metrics.step, run_latest_metrics.timestamp,
               run_latest_metrics.value <> 'NaN', run_latest_metrics.value)`,
        ),
    )
    .execute();
};
