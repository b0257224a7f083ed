import { pause, type Clock, type TimerHandle } from './clock.ts';
import {
  isAlreadyExists,
  isConflict,
  isNotFound,
  type Cluster,
  type WriteOptions,
} from './cluster.ts';
import { LEASE } from './kubernetes-types.ts';
import { followLeases } from './lease-hint.ts';
import { LeaseRecord } from './lease-record.ts';
import { holderOf, isReleased, RELEASED, type Lease, type LeaseSpec } from './lease.ts';
import { checked, DEFAULT_LEASE_TIMES, writesEndMs, type LeaseTimes } from './lease-times.ts';
import type { ObjectKey } from './resource-type.ts';

export type LeaderOptions = {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly lease: ObjectKey;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly times?: LeaseTimes | undefined;
  /** Others hold it under the same identity, so it is not released at the end. */
  readonly shared?: boolean;
  /** Unique among replicas: the pod's name. */
  readonly identity: string;
  readonly onError: (error: unknown) => void;
  readonly onChange: (leads: boolean) => void;
};

const FIELD_MANAGER = 'mlops-operator';

/**
 * Leader election by a Lease (coordination.k8s.io/v1), as client-go does it: others' clocks are not
 * trusted; a lease has run out when this process has seen it unchanged for its duration. A leader
 * whose last renewal is older than the deadline does not lead any more, whatever it is doing, and a
 * process that was stopped and wakes up finds that out before it writes (`leads` looks at the clock).
 *
 * A Lease that was deleted, emptied or given to this replica by somebody else's hand is no
 * invitation: whoever was seen to hold it may still believe it leads, so its time is waited for.
 * Only its holder's own release lets another take over at once, and a watch tells of it.
 */
export class Leader {
  readonly #options: LeaderOptions;
  readonly #times: LeaseTimes;
  readonly #record: LeaseRecord;
  #renewedAt = Number.NEGATIVE_INFINITY;
  /** The Lease as this process last saw it. */
  #seen: Lease | undefined;
  #attempts = 0;
  #told = false;
  #deadline: TimerHandle;
  #wake: () => void = () => {};
  #woken = false;

  constructor(options: LeaderOptions) {
    this.#options = options;
    this.#times = checked(options.times ?? DEFAULT_LEASE_TIMES);
    this.#record = new LeaseRecord(options.clock, options.identity, this.#times);
  }

  get leads(): boolean {
    return this.#ageMs < this.#times.renewDeadlineMs;
  }

  /** How long a write that begins now may take; 0 when it must not begin. */
  get writeTimeMs(): number {
    return this.leads ? writesEndMs(this.#times) - this.#ageMs : 0;
  }

  get #ageMs(): number {
    return this.#options.clock.monotonic() - this.#renewedAt;
  }

  /** Takes in how the Lease looks, so that its time runs also while this replica does not stand for it. */
  observe(lease: Lease): void {
    this.#record.note(lease);
  }

  /** Until the signal aborts: stands for election, renews, and hands over at the end. May be run again. */
  async run(signal: AbortSignal): Promise<void> {
    const ended = new AbortController();
    const wake = (): void => this.#wakeUp();
    signal.addEventListener('abort', wake, { once: true });
    const hints = followLeases(this.#hints(), ended.signal);
    try {
      while (!signal.aborted) {
        await this.#attempt();
        this.#tell();
        await this.#rest(signal);
      }
    } finally {
      signal.removeEventListener('abort', wake);
      ended.abort();
    }
    await this.#release();
    await hints;
  }

  #hints(): Parameters<typeof followLeases>[0] {
    const { cluster, clock, lease, onError } = this.#options;
    return {
      cluster,
      clock,
      namespace: lease.namespace,
      selector: { fieldSelector: `metadata.name=${lease.name}` },
      version: () => this.#seen?.metadata.resourceVersion,
      onEvent: (type, changed) => {
        // A renewal by the one known to hold it is no news.
        const news =
          type === 'DELETED' ||
          isReleased(changed) ||
          holderOf(changed) !== (this.#seen === undefined ? undefined : holderOf(this.#seen));
        if (news) this.#wakeUp();
      },
      onError,
    };
  }

  #wakeUp(): void {
    this.#woken = true;
    this.#wake();
  }

  async #rest(signal: AbortSignal): Promise<void> {
    const awake = new AbortController();
    this.#wake = () => awake.abort();
    if (this.#woken || signal.aborted) awake.abort();
    await pause(this.#options.clock, this.#times.retryMs, awake.signal);
    this.#woken = false;
  }

  /** One look, given up when it takes longer than half of what a lead lasts without renewal. */
  async #attempt(): Promise<void> {
    const { clock, onError } = this.#options;
    const limitMs = this.#times.renewDeadlineMs / 2;
    const attempt = ++this.#attempts;
    let late: TimerHandle;
    const tooLate = new Promise<never>((_resolve, reject) => {
      const error = new Error(`The API server did not answer for the Lease within ${limitMs} ms.`);
      late = clock.setTimeout(() => reject(error), limitMs);
    });
    try {
      await Promise.race([this.#tryToLead(attempt), tooLate]);
    } catch (error) {
      // Another was quicker.
      if (!isConflict(error) && !isAlreadyExists(error)) onError(error);
    } finally {
      clock.clearTimeout(late);
    }
  }

  async #tryToLead(attempt: number): Promise<void> {
    const { clock } = this.#options;
    const askedAt = clock.monotonic();
    // What this leader wrote last is still there, as a rule; then one call renews it.
    const known = this.leads ? this.#seen : undefined;
    try {
      await this.#take(known ?? (await this.#look()), { attempt, askedAt });
    } catch (error) {
      if (known === undefined || !isChanged(error)) throw error;
      await this.#take(await this.#look(), { attempt, askedAt });
    }
  }

  #look(): Promise<Lease | undefined> {
    return this.#options.cluster.get<Lease>(LEASE, this.#options.lease);
  }

  /** @param asked an attempt that was given up and goes on late changes nothing any more */
  async #take(
    current: Lease | undefined,
    asked: { readonly attempt: number; readonly askedAt: number },
  ): Promise<void> {
    if (asked.attempt !== this.#attempts) return;
    this.#seen = current;
    if (current !== undefined) this.#record.note(current);
    if (!this.#record.mayTake) {
      // Someone else holds it, whatever this process still believes.
      this.#renewedAt = Number.NEGATIVE_INFINITY;
      return;
    }
    const written = await this.#write(current);
    if (asked.attempt !== this.#attempts) return;
    this.#seen = written;
    this.#record.note(written);
    this.#renewed(asked.askedAt);
  }

  #write(current: Lease | undefined): Promise<Lease> {
    const { cluster, lease, labels } = this.#options;
    if (current !== undefined) return this.#replace(current, this.#record.next(current));
    return cluster.create<Lease>(LEASE, this.#record.first(lease, labels), this.#limits);
  }

  #replace(current: Lease, spec: LeaseSpec): Promise<Lease> {
    return this.#options.cluster.patch<Lease>(
      LEASE,
      this.#options.lease,
      [
        { op: 'test', path: '/metadata/resourceVersion', value: current.metadata.resourceVersion },
        { op: 'add', path: '/spec', value: spec },
      ],
      this.#limits,
    );
  }

  get #limits(): WriteOptions {
    return { fieldManager: FIELD_MANAGER, withinMs: this.#times.renewDeadlineMs / 2 };
  }

  #renewed(askedAt: number): void {
    const { clock } = this.#options;
    this.#renewedAt = askedAt;
    // Told in time even when the next call hangs.
    clock.clearTimeout(this.#deadline);
    const leftMs = askedAt + this.#times.renewDeadlineMs - clock.monotonic();
    this.#deadline = clock.setTimeout(() => this.#tell(), Math.max(0, Math.ceil(leftMs)));
  }

  /** Lets the next one take over at once, instead of after the lease has run out. */
  async #release(): Promise<void> {
    const { clock, identity, shared, onError } = this.#options;
    const led = this.leads;
    this.#attempts += 1;
    clock.clearTimeout(this.#deadline);
    this.#renewedAt = Number.NEGATIVE_INFINITY;
    this.#tell();
    if (!led || shared === true) return;
    try {
      const current = await this.#look();
      if (current === undefined || holderOf(current) !== identity) return;
      await this.#replace(current, { ...current.spec, ...RELEASED });
    } catch (error) {
      onError(error);
    }
  }

  #tell(): void {
    if (this.#told === this.leads) return;
    this.#told = this.leads;
    this.#options.onChange(this.leads);
  }
}

/** The Lease is not as this process last saw it. */
const isChanged = (error: unknown): boolean =>
  isConflict(error) || isNotFound(error) || isAlreadyExists(error);
