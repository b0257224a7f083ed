import { decodeCursor, encodeCursor } from './run-cursor.ts';
import { checkedPageSize } from './run-input.ts';
import { RunNotFound, type Run, type RunStore } from './run-store.ts';
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

type Row = Omit<Trial, 'runStatus' | 'startTime' | 'endTime' | 'image'> & {
  readonly experimentUid: string;
  readonly front: boolean;
};

type Runs = Pick<RunStore, 'getRun' | 'metricHistory'>;

/** Trials in memory beside their runs, for tests. */
export class MemoryTrialStore implements TrialStore {
  readonly #rows = new Map<string, Row>();
  readonly #runs: Runs;

  constructor(runs: Runs) {
    this.#runs = runs;
  }

  /** Loses everything, as a database without backups. */
  clear(): void {
    this.#rows.clear();
  }

  async open({ runId, number, experimentUid, assignments }: NewTrialRow): Promise<void> {
    if ((await this.#runs.getRun(runId)) === undefined) throw new RunNotFound(runId);
    if (this.#rows.has(runId)) return;
    this.#rows.set(runId, {
      ...{ runId, number, experimentUid, assignments, phase: 'open', told: false, attempt: 0 },
      ...{ values: [], reported: 0, started: -1, front: false },
    });
  }

  async unsettled(experimentUid: string): Promise<readonly Trial[]> {
    const rows = await this.#of(experimentUid);
    return rows.filter(({ phase, told }) => phase === 'open' || !told);
  }

  async end(runId: string, end: TrialEnd, directions: readonly Direction[]): Promise<TrialResult> {
    const row = this.#row(runId);
    if (row.phase !== 'open') return { phase: row.phase, values: row.values };
    const message = end.message?.replaceAll('\u0000', '').slice(0, MOST_MESSAGE);
    const ended: Row = { ...row, ...end, ...(message === undefined ? {} : { message }) };
    const front = [...this.#rows.values()].filter(
      (each) => each.front && each.experimentUid === row.experimentUid,
    );
    const joins =
      end.phase === 'complete' &&
      directions.length > 1 &&
      !front.some(({ values }) => dominates(values, ended.values, directions));
    this.#rows.set(runId, { ...ended, front: joins });
    for (const each of joins ? front : [])
      if (dominates(ended.values, each.values, directions))
        this.#rows.set(each.runId, { ...each, front: false });
    return { phase: ended.phase, values: ended.values };
  }

  async told(runId: string): Promise<void> {
    const row = this.#row(runId);
    if (row.phase !== 'open') this.#rows.set(runId, { ...row, told: true });
  }

  async retry(
    runId: string,
    attempt: number,
    why: Pick<Trial, 'reason' | 'message'>,
  ): Promise<void> {
    const row = this.#row(runId);
    if (row.phase !== 'open' || attempt <= row.attempt) return;
    // The new pod has a log of its own.
    const { log: _old, ...rest } = row;
    this.#rows.set(runId, { ...rest, ...why, attempt });
  }

  async progress(runId: string, progress: TrialProgress): Promise<void> {
    this.#rows.set(runId, { ...this.#row(runId), ...progress });
  }

  async counts(experimentUid: string): Promise<TrialCounts> {
    const rows = await this.#of(experimentUid);
    const of = (phase: Trial['phase']) => rows.filter((row) => row.phase === phase).length;
    return {
      next: Math.max(-1, ...rows.map(({ number }) => number)) + 1,
      total: rows.length,
      untold: rows.filter(({ phase, told }) => phase !== 'open' && !told).length,
      open: of('open'),
      complete: of('complete'),
      pruned: of('pruned'),
      failed: of('failed'),
      stopped: of('stopped'),
    };
  }

  async best(experimentUid: string, direction: Direction): Promise<Trial | undefined> {
    const sign = direction === 'minimize' ? 1 : -1;
    const complete = (await this.#of(experimentUid)).filter(({ phase }) => phase === 'complete');
    return complete.toSorted((a, b) => sign * ((a.values[0] ?? 0) - (b.values[0] ?? 0)))[0];
  }

  async front(
    experimentUid: string,
    limit: number,
  ): Promise<{ readonly trials: readonly Trial[]; readonly total: number }> {
    const all = (await this.#of(experimentUid)).filter(
      ({ runId }) => this.#rows.get(runId)?.front === true,
    );
    const sorted = all.toSorted((a, b) => (a.values[0] ?? 0) - (b.values[0] ?? 0));
    return { trials: sorted.slice(0, limit), total: all.length };
  }

  async summaries(runId: string, keys: readonly string[]): Promise<readonly MetricSummary[]> {
    const run = await this.#runs.getRun(runId);
    const found: MetricSummary[] = [];
    for (const { key, value } of run?.metrics ?? []) {
      if (!keys.includes(key)) continue;
      const { metrics } = await this.#runs.metricHistory(runId, key, { limit: 25_000 });
      const finite = metrics.map((each) => each.value).filter(Number.isFinite);
      const range =
        finite.length === 0 ? {} : { min: Math.min(...finite), max: Math.max(...finite) };
      found.push({ name: key, latest: value, ...range });
    }
    return found;
  }

  async list(
    experimentUid: string,
    page: { readonly limit?: number; readonly cursor?: string; readonly from?: number } = {},
  ): Promise<TrialPage> {
    const limit = checkedPageSize(page.limit, TRIAL_PAGE);
    const { cursor } = page;
    const from = cursor === undefined ? (page.from ?? 0) : Number(decodeCursor(cursor, 1)[0]);
    const rows = (await this.#of(experimentUid)).filter(({ number }) => number >= from);
    const trials = rows.slice(0, limit);
    const following = rows[limit];
    return {
      trials,
      ...(following === undefined ? {} : { nextCursor: encodeCursor([following.number]) }),
    };
  }

  async gaps(experimentUid: string, next: number, limit: number): Promise<readonly number[]> {
    const known = new Set((await this.#of(experimentUid)).map(({ number }) => number));
    return Array.from({ length: next }, (_, number) => number)
      .filter((number) => !known.has(number))
      .slice(0, limit);
  }

  #row(runId: string): Row {
    const row = this.#rows.get(runId);
    if (row === undefined) throw new RunNotFound(runId);
    return row;
  }

  /** In order of number, those whose runs are still there. */
  async #of(experimentUid: string): Promise<readonly Trial[]> {
    const trials: Trial[] = [];
    for (const row of this.#rows.values()) {
      if (row.experimentUid !== experimentUid) continue;
      const run = await this.#runs.getRun(row.runId);
      if (run !== undefined) trials.push(trialOf(row, run));
    }
    return trials.toSorted((a, b) => a.number - b.number);
  }
}

const trialOf = (row: Row, { status, startTime, endTime, image }: Run): Trial => {
  const { experimentUid: _uid, front: _front, ...trial } = row;
  return {
    ...trial,
    runStatus: status,
    ...(startTime === undefined ? {} : { startTime }),
    ...(endTime === undefined ? {} : { endTime }),
    ...(image === undefined ? {} : { image }),
  };
};
