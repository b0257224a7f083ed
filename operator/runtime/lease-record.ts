import type { Clock } from './clock.ts';
import {
  holderOf,
  isReleased,
  lastsMs,
  leaseObject,
  microTime,
  type Lease,
  type LeaseSpec,
} from './lease.ts';
import type { LeaseTimes } from './lease-times.ts';
import type { ObjectKey } from './resource-type.ts';

/** An int32: the server refuses a Lease with more, and then nobody would ever lead again. */
const MOST_TRANSITIONS = 2_147_483_647;

/** What one candidate knows of a Lease, by its own clock, and what it writes into it. */
export class LeaseRecord {
  readonly #clock: Clock;
  readonly #identity: string;
  readonly #times: LeaseTimes;
  #version: string | undefined;
  /** Until then another may believe it leads. */
  #freeAt = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, identity: string, times: LeaseTimes) {
    this.#clock = clock;
    this.#identity = identity;
    this.#times = times;
  }

  /** Whether nobody else can still believe it leads, as far as this process has seen. */
  get mayTake(): boolean {
    return this.#clock.monotonic() >= this.#freeAt;
  }

  note(lease: Lease): void {
    const version = lease.metadata.resourceVersion;
    if (version === this.#version) return;
    this.#version = version;
    const holder = holderOf(lease);
    if (isReleased(lease)) this.#freeAt = Number.NEGATIVE_INFINITY;
    else if (holder !== '' && holder !== this.#identity)
      this.#freeAt = this.#clock.monotonic() + lastsMs(lease, this.#times.leaseMs);
  }

  first(key: ObjectKey, labels: Readonly<Record<string, string>> | undefined): Lease {
    return leaseObject(
      key,
      { ...this.#holding(), acquireTime: this.#now(), leaseTransitions: 1 },
      labels,
    );
  }

  next({ spec }: Lease): LeaseSpec {
    const mine = spec?.holderIdentity === this.#identity;
    return {
      ...this.#holding(),
      acquireTime: (mine ? spec.acquireTime : undefined) ?? this.#now(),
      leaseTransitions: Math.min((spec?.leaseTransitions ?? 0) + (mine ? 0 : 1), MOST_TRANSITIONS),
    };
  }

  #holding(): LeaseSpec {
    return {
      holderIdentity: this.#identity,
      leaseDurationSeconds: Math.ceil(this.#times.leaseMs / 1000),
      renewTime: this.#now(),
    };
  }

  #now(): string {
    return microTime(this.#clock.now());
  }
}
