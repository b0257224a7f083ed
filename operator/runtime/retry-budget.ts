import type { Clock } from './clock.ts';

/** Retries that may be made at once before any success. */
const MOST = 100;
/** So many per second are made whatever happens, to find out that the server is back. */
const PROBES_PER_SECOND = 10;
/** What a success earns: more than one, so that retries speed up when the server is well again. */
const EARNED = 2;

/**
 * How many retries the API server can bear: all while most calls succeed, a trickle while none do,
 * and quickly more as it recovers. One for all queues of a process, since they share the server.
 * (The idea is that of Finagle's and gRPC's retry budgets, gRFC A6.)
 */
export class RetryBudget {
  readonly #clock: Pick<Clock, 'monotonic'>;
  #tokens = MOST;
  #filledAt: number;

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
    this.#filledAt = clock.monotonic();
  }

  /** Calls that succeeded. */
  earn(successes: number): void {
    this.#add(successes * EARNED);
  }

  /** Takes the permission for one retry, if there is one. */
  take(): boolean {
    this.#fill();
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** Milliseconds until `take` will succeed even if nothing else does. */
  get readyInMs(): number {
    this.#fill();
    return Math.ceil((Math.max(0, 1 - this.#tokens) * 1000) / PROBES_PER_SECOND);
  }

  #fill(): void {
    const now = this.#clock.monotonic();
    this.#add(((now - this.#filledAt) * PROBES_PER_SECOND) / 1000);
    this.#filledAt = now;
  }

  #add(tokens: number): void {
    this.#tokens = Math.min(MOST, this.#tokens + tokens);
  }
}
