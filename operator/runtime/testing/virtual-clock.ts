import type { Clock, TimerHandle } from '../clock.ts';

type Timer = { readonly at: number; readonly order: number; readonly callback: () => void };

/** Time that moves only when it is told to. */
export class VirtualClock implements Clock {
  #elapsed = 0;
  #offset: number;
  #order = 0;
  readonly #timers = new Map<number, Timer>();

  constructor(start = Date.parse('2026-01-01T00:00:00Z')) {
    this.#offset = start;
  }

  now(): number {
    return this.#offset + this.#elapsed;
  }

  monotonic(): number {
    return this.#elapsed;
  }

  setTimeout(callback: () => void, delayMs: number): TimerHandle {
    const order = ++this.#order;
    this.#timers.set(order, { at: this.#elapsed + Math.max(0, delayMs), order, callback });
    return order;
  }

  clearTimeout(handle: TimerHandle): void {
    this.#timers.delete(handle as number);
  }

  /** Milliseconds until the next timer; undefined when there is none. */
  get nextIn(): number | undefined {
    const next = this.#next();
    return next === undefined ? undefined : next.at - this.#elapsed;
  }

  /** Sets the wall clock to another time, as an operator or NTP might; durations are not touched. */
  jump(byMs: number): void {
    this.#offset += byMs;
  }

  /** Lets time pass while the process is stopped: timers that are due fire only with the next `advance`. */
  freeze(ms: number): void {
    this.#elapsed += ms;
  }

  /** Fires what falls due within `ms`, in order, and lets everything settle after each. */
  async advance(ms: number): Promise<void> {
    const end = this.#elapsed + ms;
    await this.settle();
    for (let next = this.#next(); next !== undefined && next.at <= end; next = this.#next()) {
      this.#elapsed = Math.max(this.#elapsed, next.at);
      this.#timers.delete(next.order);
      next.callback();
      await this.settle();
    }
    this.#elapsed = end;
  }

  /** Lets promises and immediates run until nothing happens any more, as far as that can be told. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 12; turn++) await new Promise((resolve) => setImmediate(resolve));
  }

  #next(): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers.values()) {
      if (next === undefined || timer.at < next.at) next = timer;
    }
    return next;
  }
}
