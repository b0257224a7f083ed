import { backoffMs, type BackoffOptions } from './backoff.ts';
import type { Clock, TimerHandle } from './clock.ts';
import { ReadyKeys, type Lane } from './ready-keys.ts';
import { RetryBudget } from './retry-budget.ts';
import { askedDelayMs, backoffFor, isTransient } from './retry-policy.ts';

/** What a handler tells the queue. */
export type Handled = {
  /** Look again after this time; absent: when the key is added again. */
  readonly requeueAfterMs?: number;
  /** What the server took in meanwhile: progress, also of a pass that failed in the end. */
  readonly writes?: number;
  /** It failed and is to be tried again; the same as throwing it. */
  readonly error?: unknown;
};

export type QueueMetrics = {
  depth(keys: number): void;
  added(): void;
  waited(seconds: number): void;
  worked(seconds: number): void;
  retried(): void;
};

export type WorkQueueOptions = {
  readonly concurrency: number;
  /** The same for all errors; by kind of error when absent (retry-policy.ts). */
  readonly backoff?: BackoffOptions;
  /** Shared by all queues that speak to one server. */
  readonly budget?: RetryBudget | undefined;
  readonly clock: Clock;
  readonly random: () => number;
  readonly metrics: QueueMetrics;
  readonly onError: (key: string, error: unknown, attempt: number, retryInMs: number) => void;
};

/** What waits, works and fails: for a person in trouble. */
export type QueueSnapshot = {
  readonly ready: number;
  readonly retriesHeldBack: number;
  readonly active: readonly { readonly key: string; readonly forMs: number }[];
  readonly delayed: readonly { readonly key: string; readonly inMs: number }[];
  readonly failing: readonly {
    readonly key: string;
    readonly attempts: number;
    readonly error: string;
  }[];
};

/** setTimeout takes no more; a key that is due later is looked at once before. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;

type Delayed = { readonly at: number; readonly lane: Lane; readonly handle: TimerHandle };
type Failure = { readonly attempts: number; readonly error: unknown };
type Active = { readonly since: number; readonly done: Promise<void> };

/**
 * A queue of object keys. A key waits at most once, is handled by one worker at a time (added
 * meanwhile, it is handled once more afterwards), and is retried with backoff when its handler
 * fails. A pass that failed but got something done is not punished for earlier failures: its next
 * attempt has less to do. Of several delays for a key the earliest holds. Retries for which the
 * server has to be well are made as far as the budget goes.
 */
export class WorkQueue {
  readonly #options: WorkQueueOptions;
  readonly #budget: RetryBudget;
  readonly #ready = new ReadyKeys();
  readonly #addedAt = new Map<string, number>();
  readonly #active = new Map<string, Active>();
  readonly #again = new Map<string, Lane>();
  readonly #delayed = new Map<string, Delayed>();
  readonly #failures = new Map<string, Failure>();
  #handler: ((key: string) => Promise<Handled>) | undefined;
  #probe: TimerHandle;

  constructor(options: WorkQueueOptions) {
    this.#options = options;
    this.#budget = options.budget ?? new RetryBudget(options.clock);
  }

  /** Hands out keys from now on; those added before wait until then. */
  start(handler: (key: string) => Promise<Handled>): void {
    this.#handler = handler;
    this.#dispatch();
  }

  /** Hands out nothing more and waits for the passes under way. Keys stay, delayed ones due at once. */
  async stop(): Promise<void> {
    this.#handler = undefined;
    this.#options.clock.clearTimeout(this.#probe);
    for (const key of [...this.#delayed.keys()]) this.#due(key, 'resync');
    await Promise.all([...this.#active.values()].map(({ done }) => done));
  }

  add(key: string, lane: Lane = 'change'): void {
    // What the server is too troubled for now is not brought forward by news: the retry sees them.
    if (this.#delayed.get(key)?.lane === 'retry') return;
    this.#cancelDelay(key);
    if (this.#active.has(key)) {
      if (this.#again.get(key) !== 'change') this.#again.set(key, lane);
      return;
    }
    if (!this.#ready.add(key, lane)) return;
    this.#addedAt.set(key, this.#options.clock.monotonic());
    this.#options.metrics.added();
    this.#dispatch();
  }

  addAfter(key: string, delayMs: number, lane: Lane = 'resync'): void {
    if (delayMs <= 0) return this.add(key, lane);
    const waitMs = Math.min(delayMs, LONGEST_DELAY_MS);
    const at = this.#options.clock.monotonic() + waitMs;
    const earlier = this.#delayed.get(key);
    if (earlier !== undefined && earlier.at <= at) return;
    this.#cancelDelay(key);
    const handle = this.#options.clock.setTimeout(() => this.#due(key, lane), waitMs);
    this.#delayed.set(key, { at, lane, handle });
  }

  /** Drops what is known of a key that no longer exists. */
  forget(key: string): void {
    this.#failures.delete(key);
    this.#cancelDelay(key);
  }

  snapshot(): QueueSnapshot {
    const now = this.#options.clock.monotonic();
    return {
      ready: this.#ready.size,
      retriesHeldBack: this.#ready.count('retry'),
      active: [...this.#active].map(([key, { since }]) => ({ key, forMs: now - since })),
      delayed: [...this.#delayed].map(([key, { at }]) => ({ key, inMs: at - now })),
      failing: [...this.#failures].map(([key, { attempts, error }]) => ({
        key,
        attempts,
        error: error instanceof Error ? error.message : String(error),
      })),
    };
  }

  #due(key: string, lane: Lane): void {
    this.#cancelDelay(key);
    this.add(key, lane);
  }

  #cancelDelay(key: string): void {
    const delayed = this.#delayed.get(key);
    if (delayed === undefined) return;
    this.#options.clock.clearTimeout(delayed.handle);
    this.#delayed.delete(key);
  }

  #dispatch(): void {
    const { clock, metrics, concurrency } = this.#options;
    while (this.#handler !== undefined && this.#active.size < concurrency) {
      const key = this.#ready.take((lane) => lane !== 'retry' || this.#budget.take());
      if (key === undefined) break;
      const since = clock.monotonic();
      metrics.waited((since - (this.#addedAt.get(key) ?? since)) / 1000);
      this.#addedAt.delete(key);
      this.#active.set(key, { since, done: this.#handle(key, this.#handler) });
    }
    metrics.depth(this.#ready.size);
    this.#awaitBudget();
  }

  /** Retries that the budget holds back go on when it has grown. */
  #awaitBudget(): void {
    const { clock, concurrency } = this.#options;
    clock.clearTimeout(this.#probe);
    const free = this.#handler !== undefined && this.#active.size < concurrency;
    if (!free || this.#ready.size === 0) return;
    this.#probe = clock.setTimeout(() => this.#dispatch(), Math.max(1, this.#budget.readyInMs));
  }

  async #handle(key: string, handler: (key: string) => Promise<Handled>): Promise<void> {
    // One turn of the event loop between keys, so that a long queue cannot block probes.
    await new Promise((resolve) => setImmediate(resolve));
    const handled = await this.#run(key, handler);
    const { clock, metrics } = this.#options;
    metrics.worked((clock.monotonic() - (this.#active.get(key)?.since ?? 0)) / 1000);
    this.#budget.earn((handled.writes ?? 0) + (handled.error === undefined ? 1 : 0));
    this.#active.delete(key);
    this.#comeBack(key, handled);
    this.#dispatch();
  }

  async #run(key: string, handler: (key: string) => Promise<Handled>): Promise<Handled> {
    try {
      const handled = await handler(key);
      if (!Number.isNaN(handled.requeueAfterMs)) return handled;
      throw new RangeError(`The handler of ${key} asked to be called again after NaN ms.`);
    } catch (error) {
      return { error };
    }
  }

  #comeBack(key: string, { requeueAfterMs, error, writes = 0 }: Handled): void {
    const again = this.#again.get(key);
    this.#again.delete(key);
    const retryInMs = error === undefined ? undefined : this.#retryIn(key, error, writes > 0);
    if (error === undefined) this.#failures.delete(key);
    const lane = isTransient(error) ? 'retry' : (again ?? 'resync');
    const delayMs = retryInMs ?? requeueAfterMs;
    if (again !== undefined && lane !== 'retry') this.add(key, again);
    else if (delayMs === undefined) return;
    else if (this.#handler === undefined) this.add(key, 'resync');
    else this.addAfter(key, delayMs, lane);
  }

  #retryIn(key: string, error: unknown, progressed: boolean): number {
    const attempts = progressed ? 1 : (this.#failures.get(key)?.attempts ?? 0) + 1;
    this.#failures.set(key, { attempts, error });
    this.#options.metrics.retried();
    const backoff = this.#options.backoff ?? backoffFor(error);
    const ownMs = backoffMs(attempts, this.#options.random(), backoff);
    const delayMs = Math.max(askedDelayMs(error), ownMs);
    this.#options.onError(key, error, attempts, delayMs);
    return delayMs;
  }
}
