import type { Moments } from '../statistics/moments.ts';
import type { DeploymentKey } from './predictions.ts';

/** One value of an answer as it should have been. */
export type Truth = number | string | boolean;

export type NewLabel = {
  /** The x-request-id of the request. */
  readonly predictionId: string;
  /** Name of the output tensor; undefined: the first one. */
  readonly output: string | undefined;
  /** One for each value, or each row, of the output; numbers are finite. */
  readonly truths: readonly Truth[];
};

export type Labelled = {
  /** Labels that are new. */
  readonly taken: number;
  /** Labels that were here before with the same truth. */
  readonly duplicates: number;
  /** Positions of those that were here before with another truth: the first one holds. */
  readonly conflicting: readonly number[];
  /** Of those sent, how many name no logged request so far; they wait for it. */
  readonly waiting: number;
  /** Of those compared now, how many have nothing to be compared with: no such output, or another number of values. */
  readonly incomparable: number;
};

/** What labels say of the answers of a version. */
export type ErrorTally = {
  /** Values that were compared with the truth. */
  readonly answers: number;
  readonly wrong: number;
  /** Distances of those that are numbers, as is their truth. */
  readonly distances: Moments;
  /** Labels that could not be compared. */
  readonly incomparable: number;
};

export type ErrorQuestion = {
  readonly versions: readonly string[];
  /** RFC 3339; of predictions of this time and later, to BUCKET_MS. */
  readonly since: string;
  /** Name of the output tensor; undefined: all. */
  readonly output: string | undefined;
};

export type ErrorAnswer = {
  readonly byVersion: ReadonlyMap<string, ErrorTally>;
  /** Labels that wait for their request, up to MOST_COUNTED. */
  readonly waiting: number;
};

/**
 * The truth about logged predictions, which comes later, and what it says of each version. Adapters:
 * `sql-labels.ts` and `memory-labels.ts`, held to one contract suite. All throw `DatabaseUnavailable`.
 *
 * - A label is for a request and one of its outputs, and the first one that comes holds.
 * - It counts once for each version that answered the request, as a mirrored one has two answers.
 * - Neither order nor lateness matters: one that comes before its request is logged waits for it, 30 days.
 * - Only sums for each ten seconds of predictions are read: what they cost does not grow with requests.
 */
export type LabelStore = {
  append(deployment: DeploymentKey, labels: readonly NewLabel[], now: number): Promise<Labelled>;
  errors(deployment: DeploymentKey, question: ErrorQuestion): Promise<ErrorAnswer>;
};

export const BUCKET_MS = 10_000;
export const MOST_COUNTED = 10_000;
/** A label whose request never came is given up. */
export const WAITING_MS = 30 * 24 * 3_600_000;

export const noErrors: ErrorTally = {
  answers: 0,
  wrong: 0,
  distances: { count: 0, mean: 0, m2: 0 },
  incomparable: 0,
};

/** When the sums begin that a prediction of this time is in; RFC 3339. */
export const bucketOf = (at: string): string =>
  new Date(Math.floor(Date.parse(at) / BUCKET_MS) * BUCKET_MS).toISOString();
