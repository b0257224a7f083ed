import type { Clock } from './clock.ts';
import type { Cluster } from './cluster.ts';
import { EventRecorder } from './event-recorder.ts';
import { fenced } from './fenced-cluster.ts';
import { Leader } from './leader.ts';
import type { Lease } from './lease.ts';
import type { LeaseTimes } from './lease-times.ts';
import type { ObjectKey } from './resource-type.ts';
import { shardOf } from './shard-hash.ts';

/** What is done while a shard is led. May be started again after it has stopped. */
export type Work = {
  /** The signal aborts when this replica may no longer write. */
  start(signal: AbortSignal): void;
  stop(): Promise<void>;
  /** All work of the shard has stopped. */
  ended?(): void;
};

export type ShardOptions = {
  readonly index: number;
  /** How many shards there are. */
  readonly count: number;
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly identity: string;
  /** undefined: led without an election. */
  readonly lease?: ObjectKey | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly times?: LeaseTimes | undefined;
  /** How long a write may take, whatever the Lease of this shard allows. */
  readonly writeTimeMs?: (() => number) | undefined;
  readonly onChange: (leads: boolean) => void;
  readonly onElectionError: (error: unknown) => void;
  readonly onEventError: (error: unknown) => void;
  readonly onError: (error: unknown) => void;
};

/** How long the end of a lead may wait for Events; others wait for the lead. */
const EVENTS_MS = 500;

/**
 * A share of the namespaces, the Lease that says who works on it, and the work. Whatever it writes
 * is fenced by that Lease.
 */
export class Shard {
  readonly index: number;
  /** Writes only while this shard is led. */
  readonly writes: Cluster;
  readonly events: EventRecorder;
  readonly #options: ShardOptions;
  readonly #leader: Leader | undefined;
  readonly #work: Work[] = [];
  #wanted = false;
  #standing: { readonly stop: AbortController; readonly finished: Promise<void> } | undefined;
  #term: AbortController | undefined;
  /** Starts and ends of terms, one after the other. */
  #turn: Promise<void> = Promise.resolve();

  constructor(options: ShardOptions) {
    this.#options = options;
    const { cluster, clock, identity, lease, labels, times } = options;
    this.index = options.index;
    if (lease !== undefined)
      this.#leader = new Leader({
        cluster,
        clock,
        lease,
        labels,
        times,
        identity,
        onError: options.onElectionError,
        onChange: (leads) => this.#lead(leads),
      });
    this.writes = fenced(cluster, () => this.#writeTimeMs);
    this.events = new EventRecorder({
      cluster: this.writes,
      clock,
      instance: identity,
      onError: options.onEventError,
    });
  }

  get leads(): boolean {
    return this.#term !== undefined;
  }

  /** Whether what happens now is still this shard's: until its last pass has ended. */
  get mayWrite(): boolean {
    return this.#writeTimeMs > 0;
  }

  get #writeTimeMs(): number {
    const { writeTimeMs = () => Number.POSITIVE_INFINITY } = this.#options;
    return Math.min(this.#leader?.writeTimeMs ?? Number.POSITIVE_INFINITY, writeTimeMs());
  }

  /** Whether a namespace belongs to this shard. */
  readonly mine = (namespace: string): boolean =>
    shardOf(namespace, this.#options.count) === this.index;

  add(work: Work): void {
    this.#work.push(work);
  }

  /** Takes in how the Lease looks while this replica does not stand for it. */
  observe(lease: Lease): void {
    if (this.#standing === undefined) this.#leader?.observe(lease);
  }

  /**
   * Stands for the Lease, or ends the passes and then hands it over; resolves when that is done.
   * The Lease is kept until the passes under way have ended, so that what they write counts.
   */
  want(wanted: boolean): Promise<void> {
    this.#wanted = wanted;
    if (!wanted) this.#lead(false);
    this.#then(() => this.#follow());
    return this.#turn;
  }

  async #follow(): Promise<void> {
    if (this.#wanted && this.#standing === undefined) {
      const stop = new AbortController();
      this.#standing = { stop, finished: this.#leader?.run(stop.signal) ?? Promise.resolve() };
    }
    if (this.#wanted) {
      // Wanted again before the Lease was handed over, or there is none.
      if (this.#leader?.leads ?? true) this.#lead(true);
      return;
    }
    this.#standing?.stop.abort();
    await this.#standing?.finished;
    this.#standing = undefined;
  }

  #lead(leads: boolean): void {
    if (leads === this.leads || (leads && !this.#wanted)) return;
    const term = this.#term ?? new AbortController();
    this.#term = leads ? term : undefined;
    if (!leads) term.abort();
    this.#options.onChange(leads);
    this.#then(() => (leads ? this.#begin(term.signal) : this.#end()));
  }

  #then(step: () => void | Promise<void>): void {
    this.#turn = this.#turn.then(step).catch(this.#options.onError);
  }

  #begin(signal: AbortSignal): void {
    if (signal.aborted) return;
    for (const work of this.#work) work.start(signal);
  }

  async #end(): Promise<void> {
    await Promise.all(this.#work.map((work) => work.stop()));
    await this.events.drain(EVENTS_MS);
    for (const work of this.#work) work.ended?.();
  }
}
