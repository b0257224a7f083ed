import { sql, type Kysely, type Transaction } from 'kysely';
import { reachingDatabase } from './database-error.ts';
import { compareLabels } from './label-sql.ts';
import { bucketOf, MOST_COUNTED, WAITING_MS } from './labels.ts';
import type { ErrorQuestion, ErrorTally, LabelStore, NewLabel } from './labels.ts';
import { whileNobodyWrites } from './prediction-order-sql.ts';
import type { DeploymentKey } from './predictions.ts';

type Tx = Transaction<unknown>;

/** Labels in PostgreSQL, the tables of migration 0006. */
export const sqlLabelStore = (db: Kysely<unknown>): LabelStore => ({
  append: (deployment, labels, now) =>
    reachingDatabase('write labels', async () => {
      // First all labels are there for whoever logs their requests from now on, then those are compared
      // whose requests were logged before. Sent again after a failure in between, nothing is lost.
      const write = <T>(work: (tx: Tx) => Promise<T>) => db.transaction().execute(work);
      const taken = await write((tx) => insert(tx, deployment, labels, now));
      const ids = labels.map(({ predictionId }) => predictionId);
      const incomparable = await write((tx) => compareLabels(tx, deployment, ids));
      const known = await read(db, deployment, ids);
      const conflicting = labels.flatMap((label, i) =>
        known.get(keyOf(label))?.truths === JSON.stringify(label.truths) ? [] : [i],
      );
      const isWaiting = (label: NewLabel) => known.get(keyOf(label))?.waits === true;
      return {
        ...{ taken, incomparable, conflicting, waiting: labels.filter(isWaiting).length },
        duplicates: labels.length - taken - conflicting.length,
      };
    }),

  errors: (deployment, question) =>
    reachingDatabase('read prediction errors', async () => ({
      byVersion: await sums(db, deployment, question),
      waiting: await waiting(db, deployment),
    })),
});

const keyOf = ({ predictionId, output = '' }: NewLabel): string =>
  JSON.stringify([predictionId, output]);

/** How many are new. Those whose request never came make room. */
const insert = async (
  tx: Tx,
  deployment: DeploymentKey,
  labels: readonly NewLabel[],
  now: number,
): Promise<number> => {
  const { namespace, name } = deployment;
  const at = (ms: number): string => new Date(ms).toISOString();
  await sql`delete from prediction_labels where ctid = any(array(
    select ctid from prediction_labels where namespace = ${namespace} and deployment = ${name}
      and compared = '{}' and received_at < ${at(now - WAITING_MS)} limit 1000))`.execute(tx);
  await whileNobodyWrites(tx, deployment);
  const first = [...new Map([...labels].reverse().map((each) => [keyOf(each), each])).values()];
  const { numAffectedRows = 0n } = await sql`
    insert into prediction_labels (namespace, deployment, prediction_id, output, truths, received_at)
    select ${namespace}, ${name}, prediction_id, output, truths, ${at(now)} from unnest(
      ${first.map(({ predictionId }) => predictionId)}::text[],
      ${first.map(({ output }) => output ?? '')}::text[],
      ${first.map(({ truths }) => JSON.stringify(truths))}::json[]
    ) as l (prediction_id, output, truths) order by prediction_id, output
    on conflict do nothing`.execute(tx);
  return Number(numAffectedRows);
};

type Known = { readonly truths: string; readonly waits: boolean };

const read = async (
  db: Kysely<unknown>,
  { namespace, name }: DeploymentKey,
  predictionIds: readonly string[],
): Promise<ReadonlyMap<string, Known>> => {
  const { rows } = await sql<Known & { prediction_id: string; output: string }>`
    select prediction_id, output, truths::text as truths, compared = '{}' as waits
    from prediction_labels where namespace = ${namespace} and deployment = ${name}
      and prediction_id = any(${predictionIds}::text[])`.execute(db);
  return new Map(
    rows.map(({ prediction_id, output, ...known }) => [
      JSON.stringify([prediction_id, output]),
      known,
    ]),
  );
};

type SumRow = {
  readonly version: string;
  readonly answers: number;
  readonly wrong: number;
  readonly count: number;
  readonly mean: number;
  readonly m2: number;
  readonly incomparable: number;
};

const sums = async (
  db: Kysely<unknown>,
  { namespace, name }: DeploymentKey,
  { versions, since, output }: ErrorQuestion,
): Promise<ReadonlyMap<string, ErrorTally>> => {
  const { rows } = await sql<SumRow>`
    with found as (
      select * from prediction_errors
      where namespace = ${namespace} and deployment = ${name}
        and version = any(${versions}::text[]) and bucket >= ${bucketOf(since)}
        and (${output ?? null}::text is null or output = ${output ?? null}::text)
    ), means as (
      select version, coalesce(sum(distances * distance_mean) / nullif(sum(distances), 0), 0)::float8
        as mean from found group by version
    )
    select version, sum(answers)::float8 as answers, sum(wrong)::float8 as wrong,
      sum(distances)::float8 as count, min(mean) as mean, sum(incomparable)::float8 as incomparable,
      sum(distance_m2 + distances * (distance_mean - mean) * (distance_mean - mean))::float8 as m2
    from found join means using (version) group by version`.execute(db);
  return new Map(
    rows.map(({ version, answers, wrong, incomparable, ...distances }) => [
      version,
      { answers, wrong, incomparable, distances },
    ]),
  );
};

const waiting = async (
  db: Kysely<unknown>,
  { namespace, name }: DeploymentKey,
): Promise<number> => {
  const { rows } = await sql<{ waiting: number }>`
    select count(*)::float8 as waiting from (
      select 1 from prediction_labels where namespace = ${namespace} and deployment = ${name}
        and compared = '{}' limit ${MOST_COUNTED}
    ) found`.execute(db);
  return rows[0]?.waiting ?? 0;
};
