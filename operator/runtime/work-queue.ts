import { backoffMs, type BackoffOptions } from './backoff.ts';
import type { Clock, TimerHandle } from './clock.ts';
import { ApiError } from './cluster.ts';
import { parseKey } from './resource-type.ts';

/** What a handler tells the queue: look again later, or nothing until the key is added again. */
export type Handled = { readonly requeueAfterMs?: number };

export type QueueMetrics = {
  depth(keys: number): void;
  added(): void;
  waited(seconds: number): void;
  retried(): void;
};

export type WorkQueueOptions = {
  readonly concurrency: number;
  readonly backoff: BackoffOptions;
  readonly clock: Clock;
  readonly random: () => number;
  readonly metrics: QueueMetrics;
  readonly onError: (key: string, error: unknown, attempt: number, retryInMs: number) => void;
};

/** setTimeout takes no more; a key that is due later is looked at once before. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;

type Delayed = { readonly at: number; readonly handle: TimerHandle };

/**
 * A queue of object keys. A key waits at most once, is handled by one worker at a time (added
 * meanwhile, it is handled once more afterwards), and is retried with backoff when its handler
 * throws. Namespaces take turns, so that one of them cannot starve the others. Of several delays
 * for a key the earliest holds.
 */
export class WorkQueue {
  readonly #options: WorkQueueOptions;
  /** Waiting keys by namespace; a Map keeps insertion order, which makes the turns. */
  readonly #ready = new Map<string, Set<string>>();
  readonly #addedAt = new Map<string, number>();
  readonly #active = new Map<string, Promise<void>>();
  readonly #again = new Set<string>();
  readonly #delayed = new Map<string, Delayed>();
  readonly #failures = new Map<string, number>();
  #handler: ((key: string) => Promise<Handled>) | undefined;

  constructor(options: WorkQueueOptions) {
    this.#options = options;
  }

  /** Hands out keys from now on; those added before wait until then. */
  start(handler: (key: string) => Promise<Handled>): void {
    this.#handler = handler;
    this.#dispatch();
  }

  /** Hands out nothing more and waits for the passes under way. Keys stay, delayed ones due at once. */
  async stop(): Promise<void> {
    this.#handler = undefined;
    for (const key of [...this.#delayed.keys()]) this.add(key);
    await Promise.all(this.#active.values());
  }

  add(key: string): void {
    this.#cancelDelay(key);
    if (this.#active.has(key)) {
      this.#again.add(key);
      return;
    }
    const { namespace } = parseKey(key);
    const waiting = this.#ready.get(namespace) ?? new Set();
    if (waiting.has(key)) return;
    waiting.add(key);
    this.#ready.set(namespace, waiting);
    this.#addedAt.set(key, this.#options.clock.now());
    this.#options.metrics.added();
    this.#dispatch();
  }

  addAfter(key: string, delayMs: number): void {
    if (delayMs <= 0) return this.add(key);
    const waitMs = Math.min(delayMs, LONGEST_DELAY_MS);
    const at = this.#options.clock.monotonic() + waitMs;
    const earlier = this.#delayed.get(key);
    if (earlier !== undefined && earlier.at <= at) return;
    this.#cancelDelay(key);
    const handle = this.#options.clock.setTimeout(() => this.add(key), waitMs);
    this.#delayed.set(key, { at, handle });
  }

  /** Drops what is known of a key that no longer exists. */
  forget(key: string): void {
    this.#failures.delete(key);
    this.#cancelDelay(key);
  }

  /** For a person in trouble: `/debug/queues`. */
  snapshot(): { ready: number; active: string[]; delayed: number; failing: [string, number][] } {
    return {
      ready: this.#addedAt.size,
      active: [...this.#active.keys()],
      delayed: this.#delayed.size,
      failing: [...this.#failures],
    };
  }

  #cancelDelay(key: string): void {
    const delayed = this.#delayed.get(key);
    if (delayed === undefined) return;
    this.#options.clock.clearTimeout(delayed.handle);
    this.#delayed.delete(key);
  }

  #dispatch(): void {
    while (this.#handler !== undefined && this.#active.size < this.#options.concurrency) {
      const key = this.#take();
      if (key === undefined) break;
      this.#active.set(key, this.#handle(key, this.#handler));
    }
    this.#options.metrics.depth(this.#addedAt.size);
  }

  /** The oldest key of the namespace whose turn it is; that namespace goes to the end of the line. */
  #take(): string | undefined {
    for (const [namespace, keys] of this.#ready) {
      const [key] = keys;
      this.#ready.delete(namespace);
      if (key === undefined) continue;
      keys.delete(key);
      if (keys.size > 0) this.#ready.set(namespace, keys);
      const waited = this.#options.clock.now() - (this.#addedAt.get(key) ?? 0);
      this.#addedAt.delete(key);
      this.#options.metrics.waited(waited / 1000);
      return key;
    }
    return undefined;
  }

  async #handle(key: string, handler: (key: string) => Promise<Handled>): Promise<void> {
    // One turn of the event loop between keys, so that a long queue cannot block probes.
    await new Promise((resolve) => setImmediate(resolve));
    let delayMs: number | undefined;
    try {
      delayMs = (await handler(key)).requeueAfterMs;
      if (Number.isNaN(delayMs))
        throw new RangeError(`The handler of ${key} asked to be called again after NaN ms.`);
      this.#failures.delete(key);
    } catch (error) {
      delayMs = this.#retryIn(key, error);
    }
    this.#active.delete(key);
    if (this.#again.delete(key)) this.add(key);
    else if (delayMs !== undefined && this.#handler === undefined) this.add(key);
    else if (delayMs !== undefined) this.addAfter(key, delayMs);
    this.#dispatch();
  }

  #retryIn(key: string, error: unknown): number {
    const attempt = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, attempt);
    this.#options.metrics.retried();
    const asked = error instanceof ApiError ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
    const delayMs = Math.max(
      asked,
      backoffMs(attempt, this.#options.random(), this.#options.backoff),
    );
    this.#options.onError(key, error, attempt, delayMs);
    return delayMs;
  }
}
