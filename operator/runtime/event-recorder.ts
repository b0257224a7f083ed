import type { Reason } from '../../crds/schema/conditions.ts';
import { pause, type Clock } from './clock.ts';
import type { Cluster } from './cluster.ts';
import { EVENT } from './kubernetes-types.ts';
import type { KubernetesObject } from './resource-type.ts';

export type EventType = 'Normal' | 'Warning';
export type Told = {
  readonly type: EventType;
  readonly reason: Reason;
  readonly message: string;
};

/** events.k8s.io/v1 limits a note to 1 kB, in bytes of UTF-8. */
const LONGEST_NOTE = 1024;
/** The same event of an object is not written again within this time. */
const QUIET_MS = 10 * 60_000;
const REMEMBERED = 10_000;
/** Written side by side; the calls of passes come first. */
const WRITERS = 2;
const MOST_WAITING = 10_000;

/**
 * Records Events (events.k8s.io/v1) on objects, for `kubectl describe`. They are a courtesy: no pass
 * waits or fails for one, and one that cannot be written is logged and given up.
 */
export class EventRecorder {
  readonly #cluster: Cluster;
  readonly #clock: Clock;
  readonly #instance: string;
  readonly #onError: (error: unknown) => void;
  readonly #recent = new Map<string, number>();
  readonly #waiting: {
    readonly body: KubernetesObject;
    readonly id: string;
    readonly done: () => void;
  }[] = [];
  readonly #writers = new Set<Promise<void>>();
  #sequence = 0;

  constructor(options: {
    readonly cluster: Cluster;
    readonly clock: Clock;
    /** Which replica speaks. */
    readonly instance: string;
    readonly onError: (error: unknown) => void;
  }) {
    this.#cluster = options.cluster;
    this.#clock = options.clock;
    this.#instance = options.instance;
    this.#onError = options.onError;
  }

  /** Notes an Event; resolves when it is written or given up. */
  record(object: KubernetesObject, event: Told): Promise<void> {
    const id = [object.metadata.uid, event.type, event.reason, event.message].join('\n');
    if (this.#isRepeated(id)) return Promise.resolve();
    if (this.#waiting.length >= MOST_WAITING) {
      this.#giveUp(id, new Error(`${MOST_WAITING} Events wait already; one was dropped`));
      return Promise.resolve();
    }
    const body = this.#bodyOf(object, event);
    const recorded = new Promise<void>((done) => this.#waiting.push({ body, id, done }));
    if (this.#writers.size < WRITERS) {
      const writer = this.#write().finally(() => this.#writers.delete(writer));
      this.#writers.add(writer);
    }
    return recorded;
  }

  /** Writes what was noted so far; what is not written when patience ends is dropped. */
  async drain(patienceMs: number): Promise<void> {
    const patience = new AbortController();
    const written = Promise.all(this.#writers).then(() => patience.abort());
    await pause(this.#clock, patienceMs, patience.signal);
    if (this.#waiting.length === 0) return written;
    this.#onError(new Error(`${this.#waiting.length} Events were not written before the end`));
    for (const { done } of this.#waiting.splice(0)) done();
  }

  async #write(): Promise<void> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      try {
        await this.#cluster.create(EVENT, next.body, { fieldManager: 'mlops-operator' });
      } catch (error) {
        this.#giveUp(next.id, error);
      }
      next.done();
    }
  }

  #giveUp(id: string, error: unknown): void {
    this.#recent.delete(id);
    this.#onError(error);
  }

  #bodyOf(object: KubernetesObject, event: Told): KubernetesObject {
    const namespace = object.metadata.namespace ?? 'default';
    const now = new Date(this.#clock.now());
    const body: KubernetesObject & Readonly<Record<string, unknown>> = {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name: this.#eventName(object.metadata.name, now), namespace },
      eventTime: now.toISOString().replace('Z', '000Z'),
      reportingController: 'mlops.pynomaly.io/operator',
      reportingInstance: this.#instance.slice(0, 128),
      action: 'Reconcile',
      reason: event.reason,
      note: shortened(event.message),
      type: event.type,
      regarding: {
        apiVersion: object.apiVersion,
        kind: object.kind,
        name: object.metadata.name,
        namespace,
        uid: object.metadata.uid,
        resourceVersion: object.metadata.resourceVersion,
      },
    };
    return body;
  }

  #isRepeated(id: string): boolean {
    const now = this.#clock.monotonic();
    const last = this.#recent.get(id);
    if (last !== undefined && now - last < QUIET_MS) return true;
    // Set anew, so that the first key of the map is always the one heard of longest ago.
    this.#recent.delete(id);
    this.#recent.set(id, now);
    const [oldest] = this.#recent.keys();
    if (this.#recent.size > REMEMBERED && oldest !== undefined) this.#recent.delete(oldest);
    return false;
  }

  /** As client-go names them: the object's name and a number that grows with time. */
  #eventName(name: string, now: Date): string {
    this.#sequence = (this.#sequence + 1) % 0x10000;
    const suffix = (BigInt(now.getTime()) * 0x10000n + BigInt(this.#sequence)).toString(16);
    return `${name.slice(0, 200).replace(/[-.]+$/, '')}.${suffix}`;
  }
}

const shortened = (message: string): string => {
  if (Buffer.byteLength(message) <= LONGEST_NOTE) return message;
  const ellipsis = '…';
  const room = LONGEST_NOTE - Buffer.byteLength(ellipsis);
  // A character cut in two decodes to U+FFFD, which is dropped.
  const kept = Buffer.from(message)
    .subarray(0, room)
    .toString()
    .replace(/\uFFFD+$/, '');
  return kept + ellipsis;
};
