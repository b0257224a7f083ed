import { sql, type Kysely, type Transaction } from 'kysely';
import { reachingDatabase } from '../../store/database-error.ts';
import { decodeCursor, encodeCursor } from './run-cursor.ts';
import { checkedPageSize } from './run-input.ts';
import { RunNotFound } from './run-store.ts';
import { trialOf, type TrialTables } from './trial-sql.ts';
import {
  dominates,
  MOST_MESSAGE,
  TRIAL_PAGE,
  type Direction,
  type MetricSummary,
  type NewTrialRow,
  type Trial,
  type TrialCounts,
  type TrialEnd,
  type TrialPage,
  type TrialProgress,
  type TrialResult,
  type TrialStore,
} from './trial-store.ts';

/** Trials in PostgreSQL. */
export const sqlTrialStore = (db: Kysely<TrialTables>): TrialStore => new SqlTrialStore(db);

class SqlTrialStore implements TrialStore {
  readonly #db: Kysely<TrialTables>;

  constructor(db: Kysely<TrialTables>) {
    this.#db = db;
  }

  open({ runId, number, experimentUid, assignments }: NewTrialRow): Promise<void> {
    return reachingDatabase('write a trial', async () => {
      const found = await this.#db
        .selectFrom('runs')
        .select('run_id')
        .where('run_id', '=', runId)
        .executeTakeFirst();
      if (found === undefined) throw new RunNotFound(runId);
      await this.#db
        .insertInto('trials')
        .values({
          ...{ run_id: runId, experiment_uid: experimentUid, number, phase: 'open', told: false },
          assignments: JSON.stringify(assignments),
        })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    });
  }

  unsettled(experimentUid: string): Promise<readonly Trial[]> {
    return reachingDatabase('read trials', async () => {
      const rows = await this.#trials(experimentUid).where('told', '=', false).execute();
      return rows.map(trialOf);
    });
  }

  end(runId: string, end: TrialEnd, directions: readonly Direction[]): Promise<TrialResult> {
    const { phase, values = [], reason = null } = end;
    const message = end.message?.replaceAll('\u0000', '').slice(0, MOST_MESSAGE) ?? null;
    return this.#write('end a trial', async (tx) => {
      const ended = await tx
        .updateTable('trials')
        .set({ phase, objectives: [...values], value: values[0] ?? null, reason, message })
        .where('run_id', '=', runId)
        .where('phase', '=', 'open')
        .returning('experiment_uid')
        .executeTakeFirst();
      if (ended === undefined) return known(tx, runId);
      if (phase === 'complete' && directions.length > 1)
        await joinFront(tx, { uid: ended.experiment_uid, runId, values, directions });
      return { phase, values };
    });
  }

  told(runId: string): Promise<void> {
    return this.#write('settle a trial', async (tx) => {
      await known(tx, runId);
      await tx
        .updateTable('trials')
        .set({ told: true })
        .where('run_id', '=', runId)
        .where('phase', '<>', 'open')
        .execute();
    });
  }

  retry(
    runId: string,
    attempt: number,
    { reason, message }: { readonly reason: string; readonly message: string },
  ): Promise<void> {
    return this.#write('retry a trial', async (tx) => {
      await known(tx, runId);
      await tx
        .updateTable('trials')
        // The new pod has a log of its own.
        .set({
          attempt,
          reason,
          message: message.replaceAll('\u0000', '').slice(0, MOST_MESSAGE),
          log_cursor: null,
        })
        .where('run_id', '=', runId)
        .where('phase', '=', 'open')
        .where('attempt', '<', attempt)
        .execute();
    });
  }

  progress(runId: string, progress: TrialProgress): Promise<void> {
    const columns = {
      ...(progress.log === undefined ? {} : { log_cursor: JSON.stringify(progress.log) }),
      ...(progress.reported === undefined ? {} : { reported: progress.reported }),
      ...(progress.started === undefined ? {} : { started: progress.started }),
    };
    return this.#write('follow a trial', async (tx) => {
      await known(tx, runId);
      if (Object.keys(columns).length === 0) return;
      await tx.updateTable('trials').set(columns).where('run_id', '=', runId).execute();
    });
  }

  counts(experimentUid: string): Promise<TrialCounts> {
    return reachingDatabase('count trials', async () => {
      const rows = await this.#db
        .selectFrom('trials')
        .select((eb) => ['phase', 'told', eb.fn.countAll<string>().as('count')])
        .where('experiment_uid', '=', experimentUid)
        .groupBy(['phase', 'told'])
        .execute();
      const last = await this.#db
        .selectFrom('trials')
        .select('number')
        .where('experiment_uid', '=', experimentUid)
        .orderBy('number', 'desc')
        .limit(1)
        .executeTakeFirst();
      const sum = (fits: (row: (typeof rows)[number]) => boolean): number =>
        rows.filter(fits).reduce((all, { count }) => all + Number(count), 0);
      const of = (phase: Trial['phase']) => sum((row) => row.phase === phase);
      return {
        next: (last?.number ?? -1) + 1,
        total: sum(() => true),
        untold: sum(({ phase, told }) => phase !== 'open' && !told),
        open: of('open'),
        complete: of('complete'),
        pruned: of('pruned'),
        failed: of('failed'),
        stopped: of('stopped'),
      };
    });
  }

  best(experimentUid: string, direction: Direction): Promise<Trial | undefined> {
    return reachingDatabase('read the best trial', async () => {
      const row = await this.#trials(experimentUid)
        .where('phase', '=', 'complete')
        .clearOrderBy()
        .orderBy('value', direction === 'minimize' ? 'asc' : 'desc')
        .orderBy('number')
        .limit(1)
        .executeTakeFirst();
      return row && trialOf(row);
    });
  }

  front(
    experimentUid: string,
    limit: number,
  ): Promise<{ readonly trials: readonly Trial[]; readonly total: number }> {
    return reachingDatabase('read the Pareto front', async () => {
      const rows = await this.#trials(experimentUid)
        .where('on_front', '=', true)
        .clearOrderBy()
        .orderBy('value')
        .orderBy('number')
        .execute();
      return { trials: rows.slice(0, limit).map(trialOf), total: rows.length };
    });
  }

  summaries(runId: string, keys: readonly string[]): Promise<readonly MetricSummary[]> {
    return reachingDatabase('read metrics', async () => {
      if (keys.length === 0) return [];
      const rows = await this.#db
        .selectFrom('run_latest_metrics as latest')
        .select(['latest.key', 'latest.value'])
        .select((eb) =>
          (['min', 'max'] as const).map((bound) =>
            eb
              .selectFrom('run_metrics as point')
              .select(sql<number | null>`${sql.raw(bound)}(point.value)`.as('bound'))
              .whereRef('point.run_id', '=', 'latest.run_id')
              .whereRef('point.key', '=', 'latest.key')
              .where(sql<boolean>`point.value not in ('NaN', 'Infinity', '-Infinity')`)
              .as(bound),
          ),
        )
        .where('latest.run_id', '=', runId)
        .where('latest.key', 'in', [...keys])
        .orderBy('latest.key')
        .execute();
      return rows.map(({ key, value, min, max }) => ({
        name: key,
        latest: value,
        ...(min === null ? {} : { min }),
        ...(max === null ? {} : { max }),
      }));
    });
  }

  async list(
    experimentUid: string,
    page: { readonly limit?: number; readonly cursor?: string; readonly from?: number } = {},
  ): Promise<TrialPage> {
    const limit = checkedPageSize(page.limit, TRIAL_PAGE);
    const { cursor } = page;
    const from = cursor === undefined ? (page.from ?? 0) : Number(decodeCursor(cursor, 1)[0]);
    return reachingDatabase('list trials', async () => {
      const rows = await this.#trials(experimentUid)
        .where('number', '>=', from)
        .limit(limit + 1)
        .execute();
      const following = rows[limit];
      return {
        trials: rows.slice(0, limit).map(trialOf),
        ...(following === undefined ? {} : { nextCursor: encodeCursor([following.number]) }),
      };
    });
  }

  gaps(experimentUid: string, next: number, limit: number): Promise<readonly number[]> {
    return reachingDatabase('look for trials', async () => {
      const { rows } = await sql<{ number: number }>`
        select number from generate_series(0, ${next - 1}::integer) as number
        where not exists (select from trials
          where experiment_uid = ${experimentUid} and trials.number = number.number)
        order by number limit ${limit}`.execute(this.#db);
      return rows.map(({ number }) => number);
    });
  }

  /** With their runs, in order of number. */
  #trials(experimentUid: string) {
    return this.#db
      .selectFrom('trials')
      .innerJoin('runs', 'runs.run_id', 'trials.run_id')
      .selectAll('trials')
      .select(['runs.status', 'runs.start_time', 'runs.end_time', 'runs.image'])
      .where('trials.experiment_uid', '=', experimentUid)
      .orderBy('number');
  }

  #write<T>(what: string, work: (tx: Transaction<TrialTables>) => Promise<T>): Promise<T> {
    return reachingDatabase(what, () => this.#db.transaction().execute(work));
  }
}

const known = async (tx: Transaction<TrialTables>, runId: string): Promise<TrialResult> => {
  const row = await tx
    .selectFrom('trials')
    .select(['phase', 'objectives'])
    .where('run_id', '=', runId)
    .executeTakeFirst();
  if (row === undefined) throw new RunNotFound(runId);
  return { phase: row.phase, values: row.objectives };
};

type Joining = {
  readonly uid: string;
  readonly runId: string;
  readonly values: readonly number[];
  readonly directions: readonly Direction[];
};

/** Only the front is compared with: what is not on it is worse than something that is. */
const joinFront = async (
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
