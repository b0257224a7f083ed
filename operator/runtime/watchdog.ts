import type { Clock } from './clock.ts';

/** Aborts a stream that has been silent for too long. */
export class Watchdog {
  readonly #clock: Clock;
  readonly #outer: AbortSignal;
  #patienceMs: number;
  readonly #controller = new AbortController();
  #lastSeen: number;
  #handle: ReturnType<Clock['setTimeout']>;
  barked = false;
  wasCut = false;

  constructor(clock: Clock, outer: AbortSignal, patienceMs: number) {
    this.#clock = clock;
    this.#outer = outer;
    this.#patienceMs = patienceMs;
    this.#lastSeen = clock.monotonic();
    this.#handle = clock.setTimeout(() => this.#check(), patienceMs);
    outer.addEventListener('abort', this.#forward, { once: true });
    if (outer.aborted) this.#controller.abort();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** From now on so much silence is allowed. */
  expect(patienceMs: number): void {
    this.#patienceMs = patienceMs;
    this.touch();
  }

  /** Ends the stream without calling it dead. */
  cut(): void {
    this.wasCut = true;
    this.#controller.abort();
  }

  touch(): void {
    this.#lastSeen = this.#clock.monotonic();
  }

  stop(): void {
    this.#clock.clearTimeout(this.#handle);
    this.#outer.removeEventListener('abort', this.#forward);
    this.#controller.abort();
  }

  readonly #forward = (): void => this.#controller.abort();

  #check(): void {
    const silentMs = this.#clock.monotonic() - this.#lastSeen;
    if (silentMs < this.#patienceMs) {
      this.#handle = this.#clock.setTimeout(() => this.#check(), this.#patienceMs - silentMs);
      return;
    }
    this.barked = true;
    this.#controller.abort();
  }
}
