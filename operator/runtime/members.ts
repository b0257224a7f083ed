import { pause, type Clock } from './clock.ts';
import { isAlreadyExists, isConflict, isNotFound, type Cluster } from './cluster.ts';
import { LEASE } from './kubernetes-types.ts';
import { followLeases } from './lease-hint.ts';
import { LeaseRecord } from './lease-record.ts';
import { holderOf, type Lease } from './lease.ts';
import type { LeaseTimes } from './lease-times.ts';
import { keyOf, type ObjectKey } from './resource-type.ts';

export type MembersOptions = {
  readonly cluster: Cluster;
  readonly clock: Clock;
  /** What the replicas share out; names of the members' Leases begin with its name. */
  readonly lease: ObjectKey;
  readonly identity: string;
  /** Of all Leases that `onLook` is shown. */
  readonly labels: Readonly<Record<string, string>>;
  /** Of a member, besides: only those with the same are counted. */
  readonly kind: Readonly<Record<string, string>>;
  readonly times: LeaseTimes;
  readonly onError: (error: unknown) => void;
  /** After each look: all Leases with the labels, and who is alive, in order. */
  readonly onLook: (leases: readonly Lease[], alive: readonly string[]) => void;
};

const FIELD_MANAGER = 'mlops-operator';

/**
 * Which replicas there are: each keeps a Lease of its own fresh. It decides who should stand for
 * which shard and nothing else, so a wrong view of it costs time, never safety.
 */
export class Members {
  readonly #options: MembersOptions;
  readonly #records = new Map<string, LeaseRecord>();
  #renewedAt = Number.NEGATIVE_INFINITY;
  #wake: () => void = () => {};

  constructor(options: MembersOptions) {
    this.#options = options;
  }

  /** Until the signal aborts; then this replica is no member any more. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, times, onError } = this.#options;
    const hints = followLeases(this.#hints(), signal);
    while (!signal.aborted) {
      try {
        await this.#look(signal);
      } catch (error) {
        if (!isRace(error)) onError(error);
      }
      await this.#rest(clock, times.retryMs, signal);
    }
    await this.#leave();
    await hints;
  }

  #hints(): Parameters<typeof followLeases>[0] {
    const { cluster, clock, lease, onError } = this.#options;
    return {
      cluster,
      clock,
      namespace: lease.namespace,
      selector: { labelSelector: this.#selector },
      version: () => undefined,
      onEvent: (type, changed) => {
        if (type !== 'MODIFIED' && this.#isMember(changed)) this.#wake();
      },
      onError,
    };
  }

  async #rest(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
    const awake = new AbortController();
    const wake = (): void => awake.abort();
    this.#wake = wake;
    if (signal.aborted) wake();
    signal.addEventListener('abort', wake, { once: true });
    await pause(clock, ms, awake.signal);
    signal.removeEventListener('abort', wake);
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { cluster, lease, identity, onLook } = this.#options;
    const { items } = await cluster.list<Lease>(LEASE, {
      namespace: lease.namespace,
      labelSelector: this.#selector,
      signal,
    });
    const members = items.filter((each) => this.#isMember(each));
    for (const member of members) this.#recordOf(member).note(member);
    const dead = members.filter(
      (each) => holderOf(each) !== identity && this.#recordOf(each).mayTake,
    );
    const alive = members
      .filter((each) => !dead.includes(each) && this.#isOfKind(each))
      .map(holderOf);
    const all = [...new Set([...alive, identity])].toSorted();
    if (signal.aborted) return;
    onLook(items, all);
    await this.#renew(members.find((each) => holderOf(each) === identity));
    if (all[0] === identity) await this.#bury(dead);
  }

  async #renew(own: Lease | undefined): Promise<void> {
    const { cluster, clock, lease, identity, times } = this.#options;
    const now = clock.monotonic();
    if (own !== undefined && now - this.#renewedAt < times.leaseMs / 3) return;
    const record = new LeaseRecord(clock, identity, times);
    const by = { fieldManager: FIELD_MANAGER };
    const key = { namespace: lease.namespace, name: this.#prefix + identity };
    const labels = { ...this.#options.labels, ...this.#options.kind };
    if (own === undefined) await cluster.create(LEASE, record.first(key, labels), by);
    else
      await cluster.patch(
        LEASE,
        keyOf(own),
        [{ op: 'add', path: '/spec', value: record.next(own) }],
        by,
      );
    this.#renewedAt = now;
  }

  /** The Leases of replicas that are no more. One that comes back makes its own anew. */
  async #bury(dead: readonly Lease[]): Promise<void> {
    for (const member of dead) {
      const { uid } = member.metadata;
      await this.#options.cluster.delete(LEASE, keyOf(member), {
        ...(uid !== undefined && { uid }),
      });
      this.#records.delete(member.metadata.name);
    }
  }

  async #leave(): Promise<void> {
    const { cluster, lease, identity, onError } = this.#options;
    try {
      await cluster.delete(LEASE, { namespace: lease.namespace, name: this.#prefix + identity });
    } catch (error) {
      onError(error);
    }
  }

  #recordOf({ metadata: { name } }: Lease): LeaseRecord {
    const { clock, identity, times } = this.#options;
    const record = this.#records.get(name) ?? new LeaseRecord(clock, identity, times);
    this.#records.set(name, record);
    return record;
  }

  #isMember({ metadata: { name } }: Lease): boolean {
    return name.startsWith(this.#prefix);
  }

  #isOfKind({ metadata: { labels = {} } }: Lease): boolean {
    return Object.entries(this.#options.kind).every(([name, value]) => labels[name] === value);
  }

  get #prefix(): string {
    return `${this.#options.lease.name}-member-`;
  }

  get #selector(): string {
    return Object.entries(this.#options.labels)
      .map(([name, value]) => `${name}=${value}`)
      .join(',');
  }
}

/** Another was quicker, or this replica was taken for dead; the next look settles it. */
const isRace = (error: unknown): boolean =>
  isConflict(error) || isAlreadyExists(error) || isNotFound(error);
