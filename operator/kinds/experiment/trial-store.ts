import type { LogCursor } from './metric-lines.ts';
import type { Assignment } from './search-engine.ts';
import type { RunStatus } from './run-store.ts';

/**
 * open: asked for, its Job is to be started or runs. stopped: neither finished nor failed, as the
 * operator ended it or its row was lost; the engine is told `failed`, but it counts as no failure.
 */
export type TrialPhase = 'open' | 'complete' | 'pruned' | 'failed' | 'stopped';

/** A trial: a tracked run with a number, the parameters it was given, and how it ended. */
export type Trial = {
  readonly runId: string;
  readonly number: number;
  readonly phase: TrialPhase;
  /** The engine knows how it ended. */
  readonly told: boolean;
  /** 0 for the first Job, 1 for the first retry. */
  readonly attempt: number;
  readonly assignments: readonly Assignment[];
  /** Of the objectives, in their order, finite; only of a complete trial. */
  readonly values: readonly number[];
  /** The highest attempt whose Job was seen; -1 before the first. */
  readonly started: number;
  /** How many points of the objective the engine was told of. */
  readonly reported: number;
  /** How far its log was read. */
  readonly log?: LogCursor;
  /** One word for why it did not finish well, or why it was started again. */
  readonly reason?: string;
  /** What is known about that, with the last lines of its log. */
  readonly message?: string;
  /** Of its run. */
  readonly runStatus: RunStatus;
  readonly startTime?: number;
  readonly endTime?: number;
  readonly image?: string;
};

export type NewTrialRow = {
  readonly experimentUid: string;
  readonly runId: string;
  readonly number: number;
  readonly assignments: readonly Assignment[];
};

export type TrialEnd = {
  readonly phase: Exclude<TrialPhase, 'open'>;
  readonly values?: readonly number[];
  readonly reason?: string;
  readonly message?: string;
};

export type TrialResult = Pick<Trial, 'phase' | 'values'>;

export type TrialProgress = Partial<Pick<Trial, 'log' | 'reported' | 'started'>>;

export type TrialCounts = {
  /** The number that is asked for next: one more than the highest. */
  readonly next: number;
  readonly total: number;
  /** Ended, and the engine does not know yet. */
  readonly untold: number;
} & Readonly<Record<TrialPhase, number>>;

/** What a run logged under one key. */
export type MetricSummary = {
  readonly name: string;
  /** May be NaN or infinite. */
  readonly latest: number;
  /** Of the finite points; absent when there are none. */
  readonly min?: number;
  readonly max?: number;
};

export type Direction = 'minimize' | 'maximize';

export type TrialPage = { readonly trials: readonly Trial[]; readonly nextCursor?: string };

export const TRIAL_PAGE = { usual: 100, most: 1000 } as const;
/** The most characters of a message that a row keeps. */
export const MOST_MESSAGE = 4000;

/**
 * Trials of searches, as rows beside their runs; they go with them. Adapters: `trial-store-sql.ts`
 * (PostgreSQL) and `memory-trial-store.ts`, held to one contract suite. No call reads more rows than
 * it returns, counts aside. A database that does not answer throws what its room throws.
 */
export type TrialStore = {
  /** Does nothing where the row exists. The run must exist. */
  open(trial: NewTrialRow): Promise<void>;
  /** In order of number: those that are open, and those that ended without the engine knowing. */
  unsettled(experimentUid: string): Promise<readonly Trial[]>;
  /**
   * Ends an open trial; one that has ended keeps its end. Keeps the Pareto front of `directions`.
   * @returns how it has ended
   */
  end(runId: string, end: TrialEnd, directions: readonly Direction[]): Promise<TrialResult>;
  told(runId: string): Promise<void>;
  /** The Job with this number is the trial's from now on; only ever raised, only while it is open. */
  retry(
    runId: string,
    attempt: number,
    why: { readonly reason: string; readonly message: string },
  ): Promise<void>;
  /** Moves how far the trial has come. */
  progress(runId: string, progress: TrialProgress): Promise<void>;
  counts(experimentUid: string): Promise<TrialCounts>;
  /** The complete trial with the best first objective; of equals the first. */
  best(experimentUid: string, direction: Direction): Promise<Trial | undefined>;
  /** Complete trials that no other is better than in every objective, by their first one; and how many. */
  front(
    experimentUid: string,
    limit: number,
  ): Promise<{ readonly trials: readonly Trial[]; readonly total: number }>;
  /** What the run logged under these keys; keys it did not log are left out. */
  summaries(runId: string, keys: readonly string[]): Promise<readonly MetricSummary[]>;
  /** In order of number, from a number on, or after a page. */
  list(
    experimentUid: string,
    page?: { readonly limit?: number; readonly cursor?: string; readonly from?: number },
  ): Promise<TrialPage>;
  /** Numbers from 0 to below `next` that have no row, lowest first. */
  gaps(experimentUid: string, next: number, limit: number): Promise<readonly number[]>;
};

/** Whether `a` is at least as good as `b` everywhere and better somewhere. */
export const dominates = (
  a: readonly number[],
  b: readonly number[],
  directions: readonly Direction[],
): boolean => {
  const better = directions.map((direction, index) => {
    const gain = (b[index] ?? 0) - (a[index] ?? 0);
    return direction === 'minimize' ? gain : -gain;
  });
  return better.every((gain) => gain >= 0) && better.some((gain) => gain > 0);
};
