import { DEFAULT_LEASE_TIMES, type LeaseTimes } from './lease-times.ts';
import { Leader } from './leader.ts';
import type { Lease } from './lease.ts';
import { Members } from './members.ts';
import type { ObjectKey } from './resource-type.ts';
import { Shard, type ShardOptions } from './shard.ts';
import { assigned, shardOf } from './shard-hash.ts';

export type ShardsOptions = Omit<
  ShardOptions,
  'index' | 'count' | 'labels' | 'writeTimeMs' | 'onChange'
> & {
  /** 1: the Lease itself says who leads; more: each shard has a Lease of its own. */
  readonly count: number;
  readonly onChange: (shard: number, leads: boolean) => void;
};

/** On the Leases of shards and of members: whose they are. */
const LABEL = 'mlops.pynomaly.io/election';
/** On those of members: replicas that count otherwise share nothing out with them. */
const COUNT = 'mlops.pynomaly.io/shards';

/**
 * All shards, shared out evenly among the replicas that are alive. Who works on a shard is decided by
 * the shard's Lease alone; who stands for it, by membership.
 *
 * The Lease that one shard would have is held by all replicas together in the name of their number
 * of shards: while some work on four shards, nobody works on one, or on eight, whatever a rollout
 * brings. It is never released; the next number waits until it has run out.
 */
export class Shards {
  readonly all: readonly Shard[];
  readonly #options: ShardsOptions;
  readonly #layout: Leader | undefined;
  readonly #members: Members | undefined;
  readonly #leaving = new AbortController();
  readonly #stopping = new AbortController();
  #preferred: ReadonlySet<number> = new Set();
  #running: Promise<unknown> = Promise.resolve();
  #layoutHeld: Promise<void> = Promise.resolve();

  constructor(options: ShardsOptions) {
    this.#options = options;
    const { count, lease } = options;
    if (lease !== undefined && count > 1) {
      this.#layout = this.#layoutOf(lease, options.times);
      this.#members = this.#membersOf(lease, options.times ?? DEFAULT_LEASE_TIMES);
    }
    const { onChange, ...shared } = options;
    this.all = Array.from(
      { length: count },
      (_, index) =>
        new Shard({
          ...shared,
          index,
          onChange: (leads) => onChange(index, leads),
          ...(this.#layout !== undefined && this.#ofMany(index)),
        }),
    );
  }

  /** The shard of a namespace. */
  of(namespace: string): Shard {
    const shard = this.all[shardOf(namespace, this.all.length)];
    if (shard === undefined) throw new Error(`There is no shard for namespace "${namespace}".`);
    return shard;
  }

  start(): void {
    if (this.#layout === undefined || this.#members === undefined) {
      void Promise.all(this.all.map((shard) => shard.want(true)));
      return;
    }
    this.#layoutHeld = this.#layout.run(this.#stopping.signal);
    this.#running = this.#members.run(this.#leaving.signal);
  }

  /** Ends all passes, then hands the Leases over. Others learn at once that this replica leaves. */
  async stop(): Promise<void> {
    this.#leaving.abort();
    await Promise.all(this.all.map((shard) => shard.want(false)));
    await this.#running;
    this.#stopping.abort();
    await this.#layoutHeld;
  }

  #ofMany(index: number): Pick<ShardOptions, 'lease' | 'labels' | 'writeTimeMs'> {
    const { lease } = this.#options;
    return {
      ...(lease !== undefined && { lease: { ...lease, name: `${lease.name}-${index}` } }),
      labels: this.#labels,
      writeTimeMs: () => this.#layout?.writeTimeMs ?? 0,
    };
  }

  get #labels(): Readonly<Record<string, string>> {
    return { [LABEL]: this.#options.lease?.name ?? '' };
  }

  #layoutOf(lease: ObjectKey, times: LeaseTimes | undefined): Leader {
    const { cluster, clock, count, onElectionError } = this.#options;
    return new Leader({
      cluster,
      clock,
      lease,
      times,
      identity: `${count}-shards`,
      shared: true,
      onError: onElectionError,
      onChange: () => this.#stand(),
    });
  }

  #membersOf(lease: ObjectKey, times: LeaseTimes): Members {
    const { cluster, clock, identity, onElectionError } = this.#options;
    return new Members({
      cluster,
      clock,
      lease,
      identity,
      labels: this.#labels,
      kind: { [COUNT]: String(this.#options.count) },
      times,
      onError: onElectionError,
      onLook: (leases, alive) => this.#share(leases, alive),
    });
  }

  #share(leases: readonly Lease[], alive: readonly string[]): void {
    const { lease, identity } = this.#options;
    for (const shard of this.all) {
      const seen = leases.find(({ metadata }) => metadata.name === `${lease?.name}-${shard.index}`);
      if (seen !== undefined) shard.observe(seen);
    }
    this.#preferred = assigned(this.all.length, alive).get(identity) ?? new Set();
    this.#stand();
  }

  #stand(): void {
    if (this.#leaving.signal.aborted) return;
    const may = this.#layout?.leads ?? true;
    for (const shard of this.all) void shard.want(may && this.#preferred.has(shard.index));
  }
}
