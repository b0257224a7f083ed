import { pause, type Clock, type TimerHandle } from './clock.ts';
import { isAlreadyExists, isConflict, type Cluster } from './cluster.ts';
import { LEASE } from './kubernetes-types.ts';
import type { KubernetesObject } from './resource-type.ts';

export type LeaderOptions = {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly lease: { readonly namespace: string; readonly name: string };
  /** Unique among replicas: the pod's name. */
  readonly identity: string;
  readonly onError: (error: unknown) => void;
  readonly onChange: (leads: boolean) => void;
};

type Lease = KubernetesObject & {
  readonly spec?: {
    readonly holderIdentity?: string;
    readonly leaseDurationSeconds?: number;
    readonly acquireTime?: string;
    readonly renewTime?: string;
    readonly leaseTransitions?: number;
  };
};

/** client-go's defaults: a leader renews every 2 s and gives up after 10, others take over after 15. */
const LEASE_MS = 15_000;
const RENEW_DEADLINE_MS = 10_000;
const RETRY_MS = 2_000;
const FIELD_MANAGER = 'mlops-operator';

/**
 * Leader election by a Lease (coordination.k8s.io/v1), as client-go does it: others' clocks are not
 * trusted; a lease has run out when this process has seen it unchanged for its duration. A leader
 * whose last renewal is older than the deadline does not lead any more, whatever it is doing, and a
 * process that was stopped and wakes up finds that out before it writes (`leads` looks at the clock).
 */
export class Leader {
  readonly #options: LeaderOptions;
  #renewedAt = Number.NEGATIVE_INFINITY;
  #observed: { readonly version: string | undefined; readonly at: number } | undefined;
  #told = false;
  #deadline: TimerHandle;

  constructor(options: LeaderOptions) {
    this.#options = options;
  }

  get leads(): boolean {
    return this.#options.clock.monotonic() - this.#renewedAt < RENEW_DEADLINE_MS;
  }

  /** Until the signal aborts: stands for election, renews, and hands over at the end. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, onError } = this.#options;
    while (!signal.aborted) {
      try {
        await this.#tryToLead();
      } catch (error) {
        if (!isConflict(error) && !isAlreadyExists(error)) onError(error);
      }
      this.#tell();
      await pause(clock, RETRY_MS, signal);
    }
    await this.#release();
  }

  async #tryToLead(): Promise<void> {
    const { cluster, clock, lease } = this.#options;
    const askedAt = clock.monotonic();
    const current = await cluster.get<Lease>(LEASE, lease);
    if (current === undefined) {
      await cluster.create<Lease>(LEASE, this.#leaseObject(1), { fieldManager: FIELD_MANAGER });
    } else {
      if (!this.#mayTake(current)) {
        // Someone else holds it, whatever this process still believes.
        this.#renewedAt = Number.NEGATIVE_INFINITY;
        return;
      }
      await this.#write(current, this.#spec(current));
    }
    this.#renewedAt = askedAt;
    // Told in time even when the next call hangs.
    clock.clearTimeout(this.#deadline);
    const leftMs = askedAt + RENEW_DEADLINE_MS - clock.monotonic();
    this.#deadline = clock.setTimeout(() => this.#tell(), Math.max(0, Math.ceil(leftMs)));
  }

  #mayTake(current: Lease): boolean {
    const { clock, identity } = this.#options;
    const holder = current.spec?.holderIdentity ?? '';
    if (holder === '' || holder === identity) return true;
    const version = current.metadata.resourceVersion;
    const seen = this.#observed;
    const observed =
      seen !== undefined && seen.version === version ? seen : { version, at: clock.monotonic() };
    this.#observed = observed;
    // Not the duration written in the Lease: a corrupt one would lock everybody out, or nobody.
    return clock.monotonic() - observed.at >= LEASE_MS;
  }

  #leaseObject(transitions: number): KubernetesObject {
    const { lease } = this.#options;
    const body: Lease = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { namespace: lease.namespace, name: lease.name },
      spec: { ...this.#holding(), acquireTime: this.#microTime(), leaseTransitions: transitions },
    };
    return body;
  }

  #spec(current: Lease): NonNullable<Lease['spec']> {
    const mine = current.spec?.holderIdentity === this.#options.identity;
    return {
      ...this.#holding(),
      acquireTime: (mine ? current.spec?.acquireTime : undefined) ?? this.#microTime(),
      leaseTransitions: (current.spec?.leaseTransitions ?? 0) + (mine ? 0 : 1),
    };
  }

  #holding(): NonNullable<Lease['spec']> {
    return {
      holderIdentity: this.#options.identity,
      leaseDurationSeconds: LEASE_MS / 1000,
      renewTime: this.#microTime(),
    };
  }

  #microTime(): string {
    return new Date(this.#options.clock.now()).toISOString().replace('Z', '000Z');
  }

  async #write(current: Lease, spec: NonNullable<Lease['spec']>): Promise<void> {
    await this.#options.cluster.patch(
      LEASE,
      this.#options.lease,
      [
        { op: 'test', path: '/metadata/resourceVersion', value: current.metadata.resourceVersion },
        { op: 'add', path: '/spec', value: spec },
      ],
      { fieldManager: FIELD_MANAGER },
    );
  }

  /** Lets the next one take over at once, instead of after the lease has run out. */
  async #release(): Promise<void> {
    const { cluster, clock, lease, identity, onError } = this.#options;
    const led = this.leads;
    clock.clearTimeout(this.#deadline);
    this.#renewedAt = Number.NEGATIVE_INFINITY;
    this.#tell();
    if (!led) return;
    try {
      const current = await cluster.get<Lease>(LEASE, lease);
      if (current?.spec?.holderIdentity !== identity) return;
      await this.#write(current, { ...current.spec, holderIdentity: '', leaseDurationSeconds: 1 });
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
