import { sql, type Kysely, type Transaction, type UpdateResult } from 'kysely';
import { reachingDatabase } from '../../store/database-error.ts';
import { decodeCursor, encodeCursor } from './run-cursor.ts';
import { trialRunId } from './run-id.ts';
import {
  METRIC_PAGE,
  RUN_PAGE,
  checkBatch,
  checkName,
  checkTags,
  checkedPageSize,
} from './run-input.ts';
import { runsOf } from './run-rows.ts';
import {
  InvalidRunInput,
  RunNotFound,
  type MetricPage,
  type NewRun,
  type NewTrial,
  type Run,
  type RunBatch,
  type RunChange,
  type RunListing,
  type RunPage,
  type RunStore,
} from './run-store.ts';
import type { RunTables } from './run-tables.ts';
import {
  close,
  exists,
  insertMetrics,
  insertMissing,
  refuseChangedParams,
  refuseClosed,
  setTags,
} from './run-sql.ts';

type Db = Kysely<RunTables> | Transaction<RunTables>;

/** Trials and runs in PostgreSQL. */
export const sqlRunStore = (db: Kysely<RunTables>): RunStore => new SqlRunStore(db);

class SqlRunStore implements RunStore {
  readonly #db: Kysely<RunTables>;

  constructor(db: Kysely<RunTables>) {
    this.#db = db;
  }

  async createTrial({ experiment, number, parameters, name }: NewTrial): Promise<Run> {
    checkName('run name', name);
    checkBatch({ params: parameters });
    const runId = trialRunId(experiment.uid, number);
    return this.#write('create a trial', async (tx) => {
      await refuseClosed(tx, experiment);
      await tx
        .insertInto('runs')
        .values({
          ...identityColumns(runId, experiment),
          trial_number: number === 'final' ? null : number,
          name,
          user_id: '',
          status: 'SCHEDULED',
        })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
      await insertMissing(tx, 'run_params', runId, parameters);
      return required(runId, await runById(tx, runId));
    });
  }

  async createRun(run: NewRun): Promise<Run> {
    const { runId, experiment, name, userId, startTime, tags = {} } = run;
    checkName('run name', name);
    checkTags(tags);
    return this.#write('create a run', async (tx) => {
      await refuseClosed(tx, experiment);
      const inserted = await tx
        .insertInto('runs')
        .values({
          ...identityColumns(runId, experiment),
          trial_number: null,
          name,
          user_id: userId,
          status: 'RUNNING',
          start_time: startTime,
        })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
      if (inserted.numInsertedOrUpdatedRows !== 1n)
        throw new InvalidRunInput(`Run ${runId} exists already.`);
      await insertMissing(tx, 'run_tags', runId, tags);
      return required(runId, await runById(tx, runId));
    });
  }

  startRun(runId: string, at: number): Promise<void> {
    return this.#unlessPast('start a run', runId, () =>
      this.#db
        .updateTable('runs')
        .set((eb) => ({
          status: 'RUNNING' as const,
          start_time: eb.fn.coalesce('start_time', eb.val(at)),
        }))
        .where('run_id', '=', runId)
        .where('status', '=', 'SCHEDULED')
        .executeTakeFirst(),
    );
  }

  finishRun(runId: string, status: 'FINISHED' | 'FAILED' | 'KILLED', at: number): Promise<void> {
    return this.#unlessPast('finish a run', runId, () =>
      this.#db
        .updateTable('runs')
        .set({ status, end_time: at })
        .where('run_id', '=', runId)
        .where('status', 'in', ['SCHEDULED', 'RUNNING'])
        .executeTakeFirst(),
    );
  }

  setImage(runId: string, image: string): Promise<void> {
    return this.#write('note the image of a run', async (tx) => {
      await exists(tx, runId);
      await tx.updateTable('runs').set({ image }).where('run_id', '=', runId).execute();
    });
  }

  getRun(runId: string): Promise<Run | undefined> {
    return reachingDatabase('read a run', () => runById(this.#db, runId));
  }

  async updateRun(runId: string, change: RunChange): Promise<Run> {
    const { status, startTime, endTime, name } = change;
    checkName('run name', name ?? '');
    return this.#write('update a run', async (tx) => {
      await exists(tx, runId);
      const columns = {
        ...(status !== undefined && { status }),
        ...(startTime !== undefined && { start_time: startTime }),
        ...(endTime !== undefined && { end_time: endTime }),
        ...(name !== undefined && { name }),
      };
      if (Object.keys(columns).length > 0) {
        await tx.updateTable('runs').set(columns).where('run_id', '=', runId).execute();
      }
      return required(runId, await runById(tx, runId));
    });
  }

  deleteRun(runId: string): Promise<void> {
    return this.#setStage(runId, 'deleted');
  }

  restoreRun(runId: string): Promise<void> {
    return this.#setStage(runId, 'active');
  }

  async logBatch(runId: string, batch: RunBatch): Promise<void> {
    const { metrics = [], params = {}, tags = {} } = batch;
    checkBatch(batch);
    return this.#write('log to a run', async (tx) => {
      const stage = await exists(tx, runId);
      if (stage === 'deleted')
        throw new InvalidRunInput(`Run ${runId} is deleted; restore it before logging to it.`);
      await insertMissing(tx, 'run_params', runId, params);
      await refuseChangedParams(tx, runId, params);
      await setTags(tx, runId, tags);
      await insertMetrics(tx, runId, metrics);
    });
  }

  deleteTag(runId: string, key: string): Promise<void> {
    return this.#write('delete a tag', async (tx) => {
      await exists(tx, runId);
      await tx.deleteFrom('run_tags').where('run_id', '=', runId).where('key', '=', key).execute();
    });
  }

  async metricHistory(
    runId: string,
    key: string,
    page: { readonly limit?: number; readonly cursor?: string } = {},
  ): Promise<MetricPage> {
    const { cursor } = page;
    const limit = checkedPageSize(page.limit, METRIC_PAGE);
    const from = cursor === undefined ? 0 : Number(decodeCursor(cursor, 1)[0]);
    return this.#write('read metrics', async (tx) => {
      await exists(tx, runId);
      const rows = await tx
        .selectFrom('run_metrics')
        .select(['key', 'value', 'step', 'timestamp'])
        .where('run_id', '=', runId)
        .where('key', '=', key)
        .orderBy('step')
        .orderBy('timestamp')
        .orderBy(sql`value <> 'NaN'`)
        .orderBy('value')
        .offset(from)
        .limit(limit + 1)
        .execute();
      const metrics = rows
        .slice(0, limit)
        .map((row) => ({ ...row, step: Number(row.step), timestamp: Number(row.timestamp) }));
      return { metrics, ...(rows.length > limit && { nextCursor: encodeCursor([from + limit]) }) };
    });
  }

  async listRuns(listing: RunListing): Promise<RunPage> {
    const { experimentUids, view = 'active', cursor } = listing;
    const limit = checkedPageSize(listing.limit, RUN_PAGE);
    const after = cursor === undefined ? undefined : decodeCursor(cursor, 2);
    return reachingDatabase('list runs', async () => {
      if (experimentUids.length === 0) return { runs: [] };
      const start = sql<string>`coalesce(start_time, 0)`;
      let query = this.#db
        .selectFrom('runs')
        .selectAll()
        .where('experiment_uid', 'in', [...experimentUids]);
      if (view !== 'all') query = query.where('lifecycle_stage', '=', view);
      if (after !== undefined) {
        const [time, runId] = [Number(after[0]), String(after[1])];
        query = query.where((eb) =>
          eb.or([
            eb(start, '<', String(time)),
            eb.and([eb(start, '=', String(time)), eb('run_id', '>', runId)]),
          ]),
        );
      }
      const rows = await query
        .orderBy(start, 'desc')
        .orderBy('run_id')
        .limit(limit + 1)
        .execute();
      const runs = await runsOf(this.#db, rows.slice(0, limit));
      const last = runs.at(-1);
      const more = rows.length > limit && last !== undefined;
      return { runs, ...(more && { nextCursor: encodeCursor([last.startTime ?? 0, last.runId]) }) };
    });
  }

  closeExperiment(experimentUid: string): Promise<void> {
    return this.#write('close an experiment', (tx) => close(tx, experimentUid));
  }

  deleteExperimentRuns(experimentUid: string): Promise<number> {
    return this.#write('delete runs', async (tx) => {
      const result = await tx
        .deleteFrom('runs')
        .where('experiment_uid', '=', experimentUid)
        .executeTakeFirst();
      return Number(result.numDeletedRows);
    });
  }

  /** One statement; only where it changes nothing is asked whether the run is there. */
  #unlessPast(what: string, runId: string, update: () => Promise<UpdateResult>): Promise<void> {
    return reachingDatabase(what, async () => {
      const { numUpdatedRows } = await update();
      if (numUpdatedRows === 0n) required(runId, await runById(this.#db, runId));
    });
  }

  #setStage(runId: string, stage: 'active' | 'deleted'): Promise<void> {
    return this.#write('change a run', async (tx) => {
      await exists(tx, runId);
      await tx
        .updateTable('runs')
        .set({ lifecycle_stage: stage })
        .where('run_id', '=', runId)
        .execute();
    });
  }

  #write<T>(what: string, work: (tx: Transaction<RunTables>) => Promise<T>): Promise<T> {
    return reachingDatabase(what, () => this.#db.transaction().execute(work));
  }
}

const identityColumns = (runId: string, experiment: Run['experiment']) => ({
  run_id: runId,
  experiment_uid: experiment.uid,
  namespace: experiment.namespace,
  experiment_name: experiment.name,
  lifecycle_stage: 'active' as const,
});

const required = (runId: string, run: Run | undefined): Run => {
  if (run === undefined) throw new RunNotFound(runId);
  return run;
};

const runById = async (db: Db, runId: string): Promise<Run | undefined> => {
  const rows = await db.selectFrom('runs').selectAll().where('run_id', '=', runId).execute();
  return (await runsOf(db, rows))[0];
};
