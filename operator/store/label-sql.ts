import { sql, type Transaction } from 'kysely';
import { addTallies, compareAnswer } from './compare-answer.ts';
import { bucketOf, noErrors, type ErrorTally, type Truth } from './labels.ts';
import type { DeploymentKey } from './predictions.ts';

type Tx = Transaction<unknown>;

/** So many records, of at most a megabyte each, are in memory at once. */
const LABELS_AT_ONCE = 32;
/** A client that gives all requests one id must not have each label look at all of them. */
const MAX_NAMESAKES = 100;

/**
 * Compares labels of these requests with the answers they were not compared with yet, one of each version,
 * and adds what comes of it to the sums. Returns how many could not be compared.
 */
export const compareLabels = async (
  tx: Tx,
  deployment: DeploymentKey,
  predictionIds: readonly string[],
): Promise<number> => {
  const labelled = await withLabels(tx, deployment, predictionIds);
  let incomparable = 0;
  for (let i = 0; i < labelled.length; i += LABELS_AT_ONCE) {
    const rows = await lockUncompared(tx, deployment, labelled.slice(i, i + LABELS_AT_ONCE));
    incomparable += await foldRows(tx, deployment, rows);
  }
  return incomparable;
};

/** In one order everywhere, so that no two writers wait for one another. */
const withLabels = async (
  tx: Tx,
  { namespace, name }: DeploymentKey,
  predictionIds: readonly string[],
): Promise<readonly string[]> => {
  const { rows } = await sql<{ prediction_id: string }>`
    select distinct prediction_id from prediction_labels
    where namespace = ${namespace} and deployment = ${name}
      and prediction_id = any(${predictionIds}::text[])
    order by prediction_id`.execute(tx);
  return rows.map(({ prediction_id }) => prediction_id);
};

type Row = {
  readonly prediction_id: string;
  readonly output: string;
  readonly truths: string;
  readonly version: string;
  readonly at: Date;
  readonly status: number;
  readonly record: string;
};

const lockUncompared = async (
  tx: Tx,
  { namespace, name }: DeploymentKey,
  predictionIds: readonly string[],
): Promise<readonly Row[]> => {
  const { rows } = await sql<Row>`
    select l.prediction_id, l.output, l.truths::text as truths,
      p.version, p.at, p.status, p.record::text as record
    from prediction_labels l cross join lateral (
      select distinct on (version) version, at, status, record from (
        select id, version, at, status, record from predictions
        where namespace = l.namespace and deployment = l.deployment
          and prediction_id = l.prediction_id
        order by id limit ${MAX_NAMESAKES}
      ) namesakes order by version, id
    ) p
    where l.namespace = ${namespace} and l.deployment = ${name}
      and l.prediction_id = any(${predictionIds}::text[]) and p.version <> all(l.compared)
    order by l.prediction_id, l.output, p.version for update of l`.execute(tx);
  return rows;
};

type Sum = {
  readonly version: string;
  readonly bucket: string;
  readonly output: string;
  readonly tally: ErrorTally;
};

const foldRows = async (
  tx: Tx,
  deployment: DeploymentKey,
  rows: readonly Row[],
): Promise<number> => {
  if (rows.length === 0) return 0;
  await markCompared(tx, deployment, rows);
  const sums = new Map<string, Sum>();
  for (const row of rows.filter(({ status }) => status < 400)) {
    const label = {
      output: row.output === '' ? undefined : row.output,
      truths: JSON.parse(row.truths) as readonly Truth[],
    };
    const { output, tally } = compareAnswer(row.record, label);
    const bucket = bucketOf(row.at.toISOString());
    const key = JSON.stringify([row.version, bucket, output]);
    const before = sums.get(key)?.tally ?? noErrors;
    sums.set(key, { version: row.version, bucket, output, tally: addTallies(before, tally) });
  }
  const sorted = [...sums].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, sum]) => sum);
  await addSums(tx, deployment, sorted);
  return sorted.reduce((all, { tally }) => all + tally.incomparable, 0);
};

const markCompared = async (
  tx: Tx,
  { namespace, name }: DeploymentKey,
  rows: readonly Row[],
): Promise<void> => {
  await sql`
    update prediction_labels l set compared = l.compared || c.versions
    from (
      select prediction_id, output, array_agg(version) as versions from unnest(
        ${rows.map(({ prediction_id }) => prediction_id)}::text[],
        ${rows.map(({ output }) => output)}::text[],
        ${rows.map(({ version }) => version)}::text[]
      ) as r (prediction_id, output, version) group by prediction_id, output
    ) c
    where l.namespace = ${namespace} and l.deployment = ${name}
      and l.prediction_id = c.prediction_id and l.output = c.output`.execute(tx);
};

/** Chan, Golub & LeVeque 1983, as in operator/statistics/moments.ts. */
const addSums = async (
  tx: Tx,
  { namespace, name }: DeploymentKey,
  sums: readonly Sum[],
): Promise<void> => {
  if (sums.length === 0) return;
  const column = <T>(of: (tally: ErrorTally) => T): readonly T[] =>
    sums.map(({ tally }) => of(tally));
  await sql`
    insert into prediction_errors as e (namespace, deployment, version, bucket, output, answers,
      wrong, distances, distance_mean, distance_m2, incomparable)
    select ${namespace}, ${name}, * from unnest(
      ${sums.map(({ version }) => version)}::text[],
      ${sums.map(({ bucket }) => bucket)}::timestamptz[],
      ${sums.map(({ output }) => output)}::text[],
      ${column(({ answers }) => answers)}::bigint[],
      ${column(({ wrong }) => wrong)}::bigint[],
      ${column(({ distances }) => distances.count)}::bigint[],
      ${column(({ distances }) => distances.mean)}::float8[],
      ${column(({ distances }) => distances.m2)}::float8[],
      ${column(({ incomparable }) => incomparable)}::bigint[])
    on conflict (namespace, deployment, version, bucket, output) do update set
      answers = e.answers + excluded.answers,
      wrong = e.wrong + excluded.wrong,
      distances = e.distances + excluded.distances,
      distance_mean = coalesce((e.distances * e.distance_mean
        + excluded.distances * excluded.distance_mean)
        / nullif(e.distances + excluded.distances, 0), 0),
      distance_m2 = e.distance_m2 + excluded.distance_m2
        + coalesce((excluded.distance_mean - e.distance_mean)
        * (excluded.distance_mean - e.distance_mean) * e.distances * excluded.distances
        / nullif(e.distances + excluded.distances, 0), 0),
      incomparable = e.incomparable + excluded.incomparable`.execute(tx);
};
