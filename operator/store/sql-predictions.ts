import { type Kysely, sql, type Transaction } from 'kysely';
import { reachingDatabase } from './database-error.ts';
import { compareLabels } from './label-sql.ts';
import { whileNobodyWrites, whileWriting } from './prediction-order-sql.ts';
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
      return rows.map(sketchOf);
    }),

  sketchesAfter: (deployment, { versions, role, since, after }) =>
    reachingDatabase('read new sketches', async () => {
      const upTo = await settledSketch(db, deployment);
      // By time first: by id alone all sketches of the last months would be passed over.
      const { rows } = await sql<SketchRow & { id: string }>`
        with recent as materialized (
          select id from feature_sketches
          where namespace = ${deployment.namespace} and deployment = ${deployment.name}
            and window_start >= ${since} and role = ${role} and version = any(${versions}::text[])
        ), following as (
          select id from recent where id > ${after} and id <= ${upTo}
          order by id limit ${SKETCHES_AT_ONCE}
        )
        select id, version, role, feature, window_start, window_ms, sketch::text as sketch
        from feature_sketches join following using (id) order by id`.execute(db);
      const isAll = rows.length < SKETCHES_AT_ONCE;
      const last = isAll ? upTo : (rows.at(-1)?.id ?? upTo);
      return { sketches: rows.map(({ id: _, ...row }) => sketchOf(row)), last };
    }),
});

/** Some megabytes at most. */
const SKETCHES_AT_ONCE = 500;

/** The id of the last sketch of the Deployment, `0` where there is none; whatever comes later has a larger one. */
const settledSketch = (db: Connection, deployment: DeploymentKey): Promise<string> =>
  db.transaction().execute(async (tx) => {
    await whileNobodyWrites(tx, deployment);
    const { rows } = await sql<{ last: string | null }>`
      select max(id) as last from feature_sketches
      where namespace = ${deployment.namespace} and deployment = ${deployment.name}`.execute(tx);
    return rows[0]?.last ?? '0';
  });

const sketchOf = ({ window_start, window_ms, ...row }: SketchRow): NewSketch => ({
  ...row,
  windowStart: window_start.toISOString(),
  windowMs: window_ms,
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
  if (batch.sketches.length > 0) await insertSketches(transaction, deployment, batch.sketches);
  if (batch.predictions.length > 0) {
    await insertPredictions(transaction, deployment, batch.predictions);
    const ids = batch.predictions.map(({ id }) => id);
    await compareLabels(transaction, deployment, ids);
  }
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
