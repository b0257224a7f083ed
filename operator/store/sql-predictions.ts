import { type Kysely, sql, type Transaction } from 'kysely';
import { reachingDatabase } from './database-error.ts';
import { whileWriting } from './prediction-order-sql.ts';
import type {
  DeploymentKey,
  NewPrediction,
  NewSketch,
  PredictionBatch,
  PredictionStore,
} from './predictions.ts';

type Connection = Kysely<unknown>;

/** Predictions in PostgreSQL, the tables of migration 0003. */
export const sqlPredictionStore = (db: Connection): PredictionStore => ({
  append: (deployment, batch) =>
    reachingDatabase('write predictions', () =>
      db.transaction().execute((transaction) => append(transaction, deployment, batch)),
    ),

  latest: ({ namespace, name }, limit) =>
    reachingDatabase('read predictions', async () => {
      const { rows } = await sql<{ record: string }>`
        select record::text as record from predictions
        where namespace = ${namespace} and deployment = ${name}
        order by at desc, id desc limit ${limit}`.execute(db);
      return rows.map(({ record }) => record);
    }),

  sketches: ({ namespace, name }, { since, until }) =>
    reachingDatabase('read sketches', async () => {
      const { rows } = await sql<SketchRow>`
        select version, role, feature, window_start, window_ms, sketch::text as sketch
        from feature_sketches
        where namespace = ${namespace} and deployment = ${name}
          and window_start >= ${since} and window_start < ${until}
        order by window_start, id`.execute(db);
      return rows.map(({ window_start, window_ms, ...row }) => ({
        ...row,
        windowStart: window_start.toISOString(),
        windowMs: window_ms,
      }));
    }),
});

type SketchRow = {
  readonly version: string;
  readonly role: 'input' | 'output';
  readonly feature: string;
  readonly window_start: Date;
  readonly window_ms: number;
  readonly sketch: string;
};

const append = async (
  transaction: Transaction<unknown>,
  deployment: DeploymentKey,
  batch: PredictionBatch,
): Promise<boolean> => {
  const { namespace, name } = deployment;
  await whileWriting(transaction, deployment);
  const { numAffectedRows } = await sql`
    insert into prediction_batches (namespace, deployment, batch_id)
    values (${namespace}, ${name}, ${batch.batchId})
    on conflict do nothing`.execute(transaction);
  if (numAffectedRows === 0n) return false;
  if (batch.predictions.length > 0)
    await insertPredictions(transaction, deployment, batch.predictions);
  if (batch.sketches.length > 0) await insertSketches(transaction, deployment, batch.sketches);
  return true;
};

/** One statement for any number of rows: an array a column, as rows of values have a limit of parameters. */
const insertPredictions = async (
  transaction: Transaction<unknown>,
  { namespace, name }: DeploymentKey,
  rows: readonly NewPrediction[],
): Promise<void> => {
  await sql`
    insert into predictions (namespace, deployment, prediction_id, at, unit, variant, version,
      status, latency_ms, record)
    select ${namespace}, ${name}, * from unnest(
      ${rows.map(({ id }) => id)}::text[],
      ${rows.map(({ at }) => at)}::timestamptz[],
      ${rows.map(({ unit }) => unit ?? null)}::text[],
      ${rows.map(({ variant }) => variant ?? null)}::text[],
      ${rows.map(({ version }) => version)}::text[],
      ${rows.map(({ status }) => status)}::smallint[],
      ${rows.map(({ latencyMs }) => latencyMs)}::double precision[],
      ${rows.map(({ record }) => record)}::json[])`.execute(transaction);
};

const insertSketches = async (
  transaction: Transaction<unknown>,
  { namespace, name }: DeploymentKey,
  rows: readonly NewSketch[],
): Promise<void> => {
  await sql`
    insert into feature_sketches (namespace, deployment, version, role, feature, window_start,
      window_ms, sketch)
    select ${namespace}, ${name}, * from unnest(
      ${rows.map(({ version }) => version)}::text[],
      ${rows.map(({ role }) => role)}::text[],
      ${rows.map(({ feature }) => feature)}::text[],
      ${rows.map(({ windowStart }) => windowStart)}::timestamptz[],
      ${rows.map(({ windowMs }) => windowMs)}::integer[],
      ${rows.map(({ sketch }) => sketch)}::json[])`.execute(transaction);
};
