import { backoffMs } from './backoff.ts';
import type { Clock } from './clock.ts';
import { askedDelayMs, isUnreachable } from './retry-policy.ts';

const BACKOFF = { baseMs: 500, maxMs: 30_000 };
/** A server that is not there is not burdened by being tried, and is missed as soon as it is back. */
const UNREACHABLE = { baseMs: 500, maxMs: 5_000 };
/** A stream that was good for this long starts again as if nothing had failed before. */
const HEALTHY_AFTER_MS = 30_000;
/** A server that ends streams sooner than this is not asked again at once. */
export const TOO_SHORT_MS = 1_000;

/**
 * How soon a stream is opened again: delays grow with failures in a row. Only a healthy while forgets
 * them all; a stream of some length, such as one that is cut every few seconds, makes up for one. Calls
 * that reached nobody are counted apart from refusals.
 */
export class RetryPace {
  readonly #clock: Clock;
  readonly #random: () => number;
  #failures = 0;
  #unreachable = false;

  constructor(clock: Clock, random: () => number) {
    this.#clock = clock;
    this.#random = random;
  }

  get failures(): number {
    return this.#failures;
  }

  /** A stream opened at `openedAt`, by the monotonic clock, has ended as it should. */
  ended(openedAt: number): void {
    this.#lasted(openedAt);
  }

  /**
   * @param openedAt when the stream that failed was opened; undefined when none was
   * @returns milliseconds to wait, no less than the server asked for
   */
  failed(error: unknown, openedAt: number | undefined): number {
    const lasted = openedAt !== undefined && this.#lasted(openedAt);
    const unreachable = isUnreachable(error);
    // Back again, a server first says that versions expired or that it is not ready yet: a new count.
    if (this.#unreachable && !unreachable) this.#failures = 0;
    this.#unreachable = unreachable;
    this.#failures = lasted ? Math.max(1, this.#failures) : this.#failures + 1;
    const backoff = unreachable ? UNREACHABLE : BACKOFF;
    return Math.max(askedDelayMs(error), backoffMs(this.#failures, this.#random(), backoff));
  }

  #lasted(openedAt: number): boolean {
    const ms = this.#clock.monotonic() - openedAt;
    if (ms >= HEALTHY_AFTER_MS) this.#failures = 0;
    else if (ms >= TOO_SHORT_MS) this.#failures = Math.max(0, this.#failures - 1);
    return ms >= TOO_SHORT_MS;
  }
}
