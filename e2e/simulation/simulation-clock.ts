import type { Clock, TimerHandle } from '../../operator/runtime/clock.ts';

type Timer = {
  readonly at: number;
  readonly order: number;
  readonly callback: () => void;
  cancelled: boolean;
};

/** Kept before a run traps the global one. */
const realSetImmediate = setImmediate;

/** Time of a simulated world. It moves from timer to timer, when all that followed from the last one has happened. */
export class SimulationClock implements Clock {
  readonly #start: number;
  readonly #heap: Timer[] = [];
  readonly #immediates: (() => void)[] = [];
  #elapsed = 0;
  #order = 0;

  constructor(start = Date.parse('2026-01-01T00:00:00Z')) {
    this.#start = start;
  }

  now(): number {
    return this.#start + this.#elapsed;
  }

  monotonic(): number {
    return this.#elapsed;
  }

  setTimeout(callback: () => void, delayMs: number): TimerHandle {
    const at = this.#elapsed + Math.max(0, delayMs);
    const timer: Timer = { at, order: ++this.#order, callback, cancelled: false };
    this.#push(timer);
    return timer;
  }

  clearTimeout(handle: TimerHandle): void {
    if (handle !== undefined) (handle as Timer).cancelled = true;
  }

  /** Stands for the global setImmediate during a run. */
  readonly immediate = (callback: () => void): void => void this.#immediates.push(callback);

  /** Fires what falls due until then, in order; `stop` is asked after each timer. */
  async advanceTo(until: number, stop: () => boolean = () => false): Promise<void> {
    await this.#settle();
    for (let next = this.#pop(until); next !== undefined; next = this.#pop(until)) {
      this.#elapsed = Math.max(this.#elapsed, next.at);
      next.callback();
      await this.#settle();
      if (stop()) return;
    }
    this.#elapsed = Math.max(this.#elapsed, until);
  }

  /** One turn of the event loop runs every microtask and tick there is, so nothing is left to guess. */
  async #settle(): Promise<void> {
    await turn();
    for (let next = this.#immediates.shift(); next !== undefined; next = this.#immediates.shift()) {
      next();
      await turn();
    }
  }

  #push(timer: Timer): void {
    const heap = this.#heap;
    let index = heap.push(timer) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(timer, heap[parent])) break;
      heap[index] = heap[parent] as Timer;
      index = parent;
    }
    heap[index] = timer;
  }

  #pop(until: number): Timer | undefined {
    for (let next = this.#heap[0]; next !== undefined; next = this.#heap[0]) {
      if (!next.cancelled && next.at > until) return undefined;
      this.#removeFirst();
      if (!next.cancelled) return next;
    }
    return undefined;
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      const right = left + 1;
      const child = isBefore(heap[right], heap[left]) ? right : left;
      if (!isBefore(heap[child], last)) break;
      heap[index] = heap[child] as Timer;
      index = child;
    }
    heap[index] = last;
  }
}

const isBefore = (left: Timer | undefined, right: Timer | undefined): boolean =>
  left !== undefined &&
  (right === undefined || left.at < right.at || (left.at === right.at && left.order < right.order));

const turn = (): Promise<void> => new Promise((resolve) => realSetImmediate(resolve));
