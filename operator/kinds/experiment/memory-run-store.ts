import { compareMetrics, latestOf } from './latest-metric.ts';
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
import {
  ExperimentClosed,
  InvalidRunInput,
  ParamConflict,
  RunNotFound,
  type Metric,
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

type Row = { run: Run; metrics: readonly Metric[] };

/** Runs in memory, for tests. */
export class MemoryRunStore implements RunStore {
  readonly #rows = new Map<string, Row>();
  readonly #closed = new Set<string>();

  async createTrial({ experiment, number, parameters, name }: NewTrial): Promise<Run> {
    checkName('run name', name);
    checkBatch({ params: parameters });
    this.#refuseClosed(experiment);
    const runId = trialRunId(experiment.uid, number);
    const existing = this.#rows.get(runId);
    if (existing !== undefined) return existing.run;
    const run: Run = {
      runId,
      experiment,
      ...(number === 'final' ? {} : { trialNumber: number }),
      name,
      userId: '',
      status: 'SCHEDULED',
      lifecycleStage: 'active',
      params: { ...parameters },
      tags: {},
      metrics: [],
    };
    this.#rows.set(runId, { run, metrics: [] });
    return run;
  }

  async createRun({ runId, experiment, name, userId, startTime, tags = {} }: NewRun): Promise<Run> {
    checkName('run name', name);
    checkTags(tags);
    this.#refuseClosed(experiment);
    if (this.#rows.has(runId)) throw new InvalidRunInput(`Run ${runId} exists already.`);
    const run: Run = {
      runId,
      experiment,
      name,
      userId,
      startTime,
      status: 'RUNNING',
      lifecycleStage: 'active',
      params: {},
      tags: { ...tags },
      metrics: [],
    };
    this.#rows.set(runId, { run, metrics: [] });
    return run;
  }

  async startRun(runId: string, at: number): Promise<void> {
    const { run } = this.#row(runId);
    if (run.status === 'SCHEDULED')
      this.#change(runId, { status: 'RUNNING', startTime: run.startTime ?? at });
  }

  async finishRun(
    runId: string,
    status: 'FINISHED' | 'FAILED' | 'KILLED',
    at: number,
  ): Promise<void> {
    const { run } = this.#row(runId);
    if (run.status === 'SCHEDULED' || run.status === 'RUNNING')
      this.#change(runId, { status, endTime: at });
  }

  async setImage(runId: string, image: string): Promise<void> {
    this.#change(runId, { image });
  }

  async getRun(runId: string): Promise<Run | undefined> {
    return this.#rows.get(runId)?.run;
  }

  async updateRun(runId: string, change: RunChange): Promise<Run> {
    checkName('run name', change.name ?? '');
    return this.#change(runId, change);
  }

  async deleteRun(runId: string): Promise<void> {
    this.#change(runId, { lifecycleStage: 'deleted' });
  }

  async restoreRun(runId: string): Promise<void> {
    this.#change(runId, { lifecycleStage: 'active' });
  }

  async logBatch(runId: string, batch: RunBatch): Promise<void> {
    const { metrics = [], params = {}, tags = {} } = batch;
    checkBatch(batch);
    const row = this.#row(runId);
    if (row.run.lifecycleStage === 'deleted')
      throw new InvalidRunInput(`Run ${runId} is deleted; restore it before logging to it.`);
    for (const [key, value] of Object.entries(params)) {
      const old = row.run.params[key];
      if (old !== undefined && old !== value) throw new ParamConflict({ runId, key }, old, value);
    }
    for (const metric of metrics)
      if (!row.metrics.some((each) => sameMetric(each, metric)))
        row.metrics = [...row.metrics, metric];
    this.#change(runId, {
      params: { ...row.run.params, ...params },
      tags: { ...row.run.tags, ...tags },
      metrics: latestOf(row.metrics),
    });
  }

  async deleteTag(runId: string, key: string): Promise<void> {
    const { [key]: _gone, ...tags } = this.#row(runId).run.tags;
    this.#change(runId, { tags });
  }

  async metricHistory(
    runId: string,
    key: string,
    page: { readonly limit?: number; readonly cursor?: string } = {},
  ): Promise<MetricPage> {
    const { cursor } = page;
    const limit = checkedPageSize(page.limit, METRIC_PAGE);
    const from = cursor === undefined ? 0 : Number(decodeCursor(cursor, 1)[0]);
    const all = this.#row(runId)
      .metrics.filter((metric) => metric.key === key)
      .toSorted(compareMetrics);
    const metrics = all.slice(from, from + limit);
    const more = from + limit < all.length;
    return { metrics, ...(more && { nextCursor: encodeCursor([from + limit]) }) };
  }

  async listRuns(listing: RunListing): Promise<RunPage> {
    const { experimentUids, view = 'active', cursor } = listing;
    const limit = checkedPageSize(listing.limit, RUN_PAGE);
    const from = cursor === undefined ? 0 : Number(decodeCursor(cursor, 1)[0]);
    const all = [...this.#rows.values()]
      .map(({ run }) => run)
      .filter(({ experiment }) => experimentUids.includes(experiment.uid))
      .filter(({ lifecycleStage }) => view === 'all' || lifecycleStage === view)
      .toSorted(
        (left, right) =>
          (right.startTime ?? 0) - (left.startTime ?? 0) || (left.runId < right.runId ? -1 : 1),
      );
    const more = from + limit < all.length;
    return {
      runs: all.slice(from, from + limit),
      ...(more && { nextCursor: encodeCursor([from + limit]) }),
    };
  }

  async closeExperiment(experimentUid: string): Promise<void> {
    this.#closed.add(experimentUid);
  }

  async deleteExperimentRuns(experimentUid: string): Promise<number> {
    const gone = [...this.#rows.values()].filter(({ run }) => run.experiment.uid === experimentUid);
    for (const { run } of gone) this.#rows.delete(run.runId);
    return gone.length;
  }

  #refuseClosed(experiment: Run['experiment']): void {
    if (this.#closed.has(experiment.uid)) throw new ExperimentClosed(experiment);
  }

  #row(runId: string): Row {
    const row = this.#rows.get(runId);
    if (row === undefined) throw new RunNotFound(runId);
    return row;
  }

  #change(runId: string, change: Partial<Run>): Run {
    const row = this.#row(runId);
    row.run = { ...row.run, ...change };
    return row.run;
  }
}

const sameMetric = (left: Metric, right: Metric): boolean =>
  left.key === right.key && compareMetrics(left, right) === 0;
