import {
  sql,
  type Kysely,
  type Updateable,
  type UpdateQueryBuilder,
  type UpdateResult,
} from 'kysely';
import { reachingDatabase } from '../../store/database-error.ts';
import { decodeCursor, encodeCursor } from './run-cursor.ts';
import { checkedPageSize } from './run-input.ts';
import { RunNotFound } from './run-store.ts';
import { joinFront } from './trial-front-sql.ts';
import { trialOf, type TrialTables } from './trial-sql.ts';
import {
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
      const columns = [
        'run_id',
        'experiment_uid',
        'number',
        'phase',
        'told',
        'assignments',
      ] as const;
      const { numInsertedOrUpdatedRows } = await this.#db
        .insertInto('trials')
        .columns(columns)
        .expression((eb) =>
          eb
            .selectFrom('runs')
            .select([
              'run_id',
              eb.val(experimentUid).as('experiment_uid'),
              sql<number>`${number}::integer`.as('number'),
              sql<'open'>`'open'`.as('phase'),
              sql<boolean>`false`.as('told'),
              sql<string>`${JSON.stringify(assignments)}::jsonb`.as('assignments'),
            ])
            .where('run_id', '=', runId),
        )
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
      if (numInsertedOrUpdatedRows === 0n) await this.#known(runId);
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
    const columns = {
      ...{ phase, objectives: [...values], value: values[0] ?? null, reason },
      message: end.message === undefined ? null : shortened(end.message),
    };
    const joins = phase === 'complete' && directions.length > 1;
    return reachingDatabase('end a trial', async () => {
      const ended = joins
        ? await this.#db.transaction().execute(async (tx) => {
            const uid = await endRow(tx, runId, columns);
            if (uid !== undefined) await joinFront(tx, { uid, runId, values, directions });
            return uid;
          })
        : await endRow(this.#db, runId, columns);
      return ended === undefined ? this.#known(runId) : { phase, values };
    });
  }

  told(runId: string): Promise<void> {
    return this.#change('settle a trial', runId, { told: true }, (row) =>
      row.where('phase', '<>', 'open'),
    );
  }

  retry(
    runId: string,
    attempt: number,
    { reason, message }: { readonly reason: string; readonly message: string },
  ): Promise<void> {
    // The new pod has a log of its own.
    const columns = { attempt, reason, message: shortened(message), log_cursor: null };
    return this.#change('retry a trial', runId, columns, (row) =>
      row.where('phase', '=', 'open').where('attempt', '<', attempt),
    );
  }

  async progress(runId: string, progress: TrialProgress): Promise<void> {
    const columns = {
      ...(progress.log === undefined ? {} : { log_cursor: JSON.stringify(progress.log) }),
      ...(progress.reported === undefined ? {} : { reported: progress.reported }),
      ...(progress.started === undefined ? {} : { started: progress.started }),
    };
    const none = Object.keys(columns).length === 0;
    if (none) await reachingDatabase('follow a trial', () => this.#known(runId));
    else await this.#change('follow a trial', runId, columns, (row) => row);
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

  /** One statement; only where it changes nothing is asked whether the trial is there. */
  #change(
    what: string,
    runId: string,
    columns: Updateable<TrialTables['trials']>,
    where: (row: Update) => Update,
  ): Promise<void> {
    return reachingDatabase(what, async () => {
      const row = this.#db.updateTable('trials').set(columns).where('run_id', '=', runId);
      const { numUpdatedRows } = await where(row).executeTakeFirst();
      if (numUpdatedRows === 0n) await this.#known(runId);
    });
  }

  async #known(runId: string): Promise<TrialResult> {
    const row = await this.#db
      .selectFrom('trials')
      .select(['phase', 'objectives'])
      .where('run_id', '=', runId)
      .executeTakeFirst();
    if (row === undefined) throw new RunNotFound(runId);
    return { phase: row.phase, values: row.objectives };
  }
}

type Update = UpdateQueryBuilder<TrialTables, 'trials', 'trials', UpdateResult>;

const shortened = (message: string): string =>
  message.replaceAll('\u0000', '').slice(0, MOST_MESSAGE);

/** The Experiment's uid; undefined where the trial is not open. */
const endRow = async (
  db: Kysely<TrialTables>,
  runId: string,
  columns: Updateable<TrialTables['trials']>,
): Promise<string | undefined> => {
  const row = await db
    .updateTable('trials')
    .set(columns)
    .where('run_id', '=', runId)
    .where('phase', '=', 'open')
    .returning('experiment_uid')
    .executeTakeFirst();
  return row?.experiment_uid;
};
