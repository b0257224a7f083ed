import type { Arrivals, Measurement, MetricDefinition, Split } from './measurement.ts';

/** One ABTest, as far as its numbers are concerned. */
export type TestScope = {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  /** Name of the Deployment whose requests are logged. */
  readonly deployment: string;
  /** RFC 3339; requests before it are not of this test. */
  readonly since: string;
  /** control and the candidates. */
  readonly variants: readonly string[];
  /**
   * Weights change while it runs, so units move by design: who did counts for the variant of its first
   * request, metrics are told apart by period, and means have no covariate.
   */
  readonly moves: boolean;
};

export type Outcome = {
  /** Counted once in a test: a UUID's 32 hex digits. */
  readonly key: string;
  /** Either names the unit, or the logged request that does. */
  readonly of: { readonly unit: string } | { readonly predictionId: string };
  readonly metric: string;
  /** Finite. */
  readonly value: number;
  /** RFC 3339. */
  readonly at: string;
};

export type Appended = { readonly taken: number; readonly duplicates: number };

/** `behind`: there is more than one call takes; call again. */
export type Absorbed = { readonly requests: number; readonly behind: boolean };

/**
 * Outcomes, who was exposed to what, and what both add up to. Adapters: `store.ts` (PostgreSQL) and
 * `memory-outcome-store.ts`, held to one contract suite. All throw `DatabaseUnavailable`.
 *
 * - A unit belongs to the variant of its first logged request; seen in another one too, it counts
 *   nowhere.
 * - An outcome after the unit's first exposure counts; others are the unit's covariate. One that names a
 *   logged request counts whatever the clocks say, as its cause is the request.
 * - Neither order nor lateness matters: what comes before its request waits for it, and a request that
 *   comes late and is the unit's first moves the outcomes since then.
 * - Only sums are kept for each unit and metric, so that a unit of ten million outcomes costs as much to
 *   measure as any other. Outcomes themselves, with their keys, are kept `OUTCOME_RETENTION_MS`.
 */
export type OutcomeStore = {
  /** All or none of them. Throws `TestClosed`. */
  append(test: TestScope, outcomes: readonly Outcome[]): Promise<Appended>;
  /**
   * Takes in what was logged since the last call, in steps of bounded size, and drops outcomes that are
   * too old; `now` in ms since 1970. Throws `TestClosed`.
   */
  absorb(test: TestScope, now: number): Promise<Absorbed>;
  /** Leaves out what was logged since the last call, as while a test is suspended. Throws `TestClosed`. */
  skip(test: TestScope): Promise<void>;
  /** Notes who gets how many units from then on, where that is new. Throws `TestClosed`. */
  noteSplit(test: TestScope, split: Split): Promise<void>;
  /** All of it at one moment. Variants without units are there, with nothing in them. */
  measure(test: TestScope, metrics: readonly MetricDefinition[]): Promise<Measurement>;
  /** Oldest first; for looking at when a mismatch of samples began. */
  arrivals(uid: string): Promise<readonly Arrivals[]>;
  /** Deletes all there is of a test for good and closes it; safe to repeat. Returns how many rows. */
  deleteTest(uid: string): Promise<number>;
};

/** Older outcomes are refused, so that one whose key is forgotten is never counted again. */
export const OUTCOME_RETENTION_MS = 30 * 24 * 3_600_000;

export class TestClosed extends Error {
  override readonly name = 'TestClosed';
  readonly code = 'TestClosed';
  constructor({ namespace, name }: Pick<TestScope, 'namespace' | 'name'>) {
    super(`ABTest ${namespace}/${name} is being deleted and takes no more outcomes.`);
  }
}
