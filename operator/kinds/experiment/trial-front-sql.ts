import { sql, type Transaction } from 'kysely';
import type { TrialTables } from './trial-sql.ts';
import { dominates, type Direction } from './trial-store.ts';

type Joining = {
  readonly uid: string;
  readonly runId: string;
  readonly values: readonly number[];
  readonly directions: readonly Direction[];
};

/** Only the front is compared with: what is not on it is worse than something that is. */
export const joinFront = async (
  tx: Transaction<TrialTables>,
  { uid, runId, values, directions }: Joining,
): Promise<void> => {
  // Two that join at once would not see one another.
  await sql`select pg_advisory_xact_lock(hashtextextended(${`front/${uid}`}, 0))`.execute(tx);
  const front = await tx
    .selectFrom('trials')
    .select(['run_id', 'objectives'])
    .where('experiment_uid', '=', uid)
    .where('on_front', '=', true)
    .execute();
  if (front.some(({ objectives }) => dominates(objectives, values, directions))) return;
  const beaten = front
    .filter(({ objectives }) => dominates(values, objectives, directions))
    .map(({ run_id }) => run_id);
  if (beaten.length > 0)
    await tx.updateTable('trials').set({ on_front: false }).where('run_id', 'in', beaten).execute();
  await tx.updateTable('trials').set({ on_front: true }).where('run_id', '=', runId).execute();
};
