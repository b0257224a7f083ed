import type { Kysely, Selectable } from 'kysely';
import type { Metric, Run } from './run-store.ts';
import type { RunTables } from './run-tables.ts';

type RunRow = Selectable<RunTables['runs']>;

/** Runs with their parameters, tags and latest metrics, in the order of `rows`. */
export const runsOf = async (
  db: Kysely<RunTables>,
  rows: readonly RunRow[],
): Promise<readonly Run[]> => {
  if (rows.length === 0) return [];
  const ids = rows.map(({ run_id }) => run_id);
  // One after the other: in a transaction there is one connection.
  const params = await db
    .selectFrom('run_params')
    .selectAll()
    .where('run_id', 'in', ids)
    .orderBy('key')
    .execute();
  const tags = await db
    .selectFrom('run_tags')
    .selectAll()
    .where('run_id', 'in', ids)
    .orderBy('key')
    .execute();
  const metrics = await db
    .selectFrom('run_latest_metrics')
    .selectAll()
    .where('run_id', 'in', ids)
    .orderBy('key')
    .execute();
  const of = <T extends { readonly run_id: string }>(
    list: readonly T[],
    runId: string,
  ): readonly T[] => list.filter(({ run_id }) => run_id === runId);
  return rows.map((row) =>
    runOf(
      row,
      record(of(params, row.run_id)),
      record(of(tags, row.run_id)),
      of(metrics, row.run_id).map(metricOf),
    ),
  );
};

const runOf = (
  row: RunRow,
  params: Run['params'],
  tags: Run['tags'],
  metrics: readonly Metric[],
): Run => ({
  runId: row.run_id,
  experiment: { uid: row.experiment_uid, namespace: row.namespace, name: row.experiment_name },
  ...(row.trial_number !== null && { trialNumber: row.trial_number }),
  name: row.name,
  userId: row.user_id,
  status: row.status,
  ...(row.start_time !== null && { startTime: Number(row.start_time) }),
  ...(row.end_time !== null && { endTime: Number(row.end_time) }),
  lifecycleStage: row.lifecycle_stage,
  ...(row.image !== null && { image: row.image }),
  params,
  tags,
  metrics,
});

const record = (
  rows: readonly { readonly key: string; readonly value: string }[],
): Readonly<Record<string, string>> =>
  Object.fromEntries(rows.map(({ key, value }) => [key, value]));

const metricOf = (row: Selectable<RunTables['run_latest_metrics']>): Metric => ({
  key: row.key,
  value: row.value,
  timestamp: Number(row.timestamp),
  step: Number(row.step),
});
