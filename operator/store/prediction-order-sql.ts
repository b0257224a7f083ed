import { sql, type Transaction } from 'kysely';
import type { DeploymentKey } from './predictions.ts';

/**
 * Ids are given out in order, but become visible when their transaction commits: who reads "all after
 * id 7" may see 9 before 8, and miss 8 for good. So writers hold a lock that readers of a position take
 * for a moment: then nobody is half-way, and whatever comes later has larger ids. It survives a restore
 * from a dump, as positions by transaction id would not.
 */
const lockOf = ({ namespace, name }: DeploymentKey) =>
  sql`hashtextextended(${`predictions/${namespace}/${name}`}, 0)`;

/** Until this transaction ends, the position of the Deployment's log stands still. */
export const whileWriting = async (
  tx: Transaction<unknown>,
  deployment: DeploymentKey,
): Promise<void> => {
  await sql`select pg_advisory_xact_lock_shared(${lockOf(deployment)})`.execute(tx);
};

/**
 * The id of the last request with a variant, `0` where there is none. Waits for those who write, and
 * lets nobody begin until this transaction ends: keep it short.
 */
export const settledPosition = async (
  tx: Transaction<unknown>,
  deployment: DeploymentKey,
): Promise<string> => {
  const { namespace, name } = deployment;
  await whileNobodyWrites(tx, deployment);
  const { rows } = await sql<{ last: string | null }>`
    select max(id) as last from predictions
    where namespace = ${namespace} and deployment = ${name} and variant is not null`.execute(tx);
  return rows[0]?.last ?? '0';
};

/** Until this transaction ends nobody is half-way with writing, and nobody begins: keep it short. */
export const whileNobodyWrites = async (
  tx: Transaction<unknown>,
  deployment: DeploymentKey,
): Promise<void> => {
  await sql`select pg_advisory_xact_lock(${lockOf(deployment)})`.execute(tx);
};
