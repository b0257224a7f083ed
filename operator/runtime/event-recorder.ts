import type { Clock } from './clock.ts';
import type { Cluster } from './cluster.ts';
import { EVENT } from './kubernetes-types.ts';
import type { KubernetesObject } from './resource-type.ts';

export type EventType = 'Normal' | 'Warning';

/** events.k8s.io/v1 limits a note to 1 kB. */
const LONGEST_NOTE = 1000;
/** The same event of an object is not written again within this time. */
const QUIET_MS = 10 * 60_000;
const REMEMBERED = 10_000;

/**
 * Records Events (events.k8s.io/v1) on objects, for `kubectl describe`. They are a courtesy: one
 * that cannot be written is logged and given up, so that no pass fails for it.
 */
export class EventRecorder {
  readonly #cluster: Cluster;
  readonly #clock: Clock;
  readonly #instance: string;
  readonly #onError: (error: unknown) => void;
  readonly #recent = new Map<string, number>();
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

  async record(
    object: KubernetesObject,
    event: { readonly type: EventType; readonly reason: string; readonly message: string },
  ): Promise<void> {
    if (this.#isRepeated(object, event)) return;
    const namespace = object.metadata.namespace ?? 'default';
    const now = new Date(this.#clock.now());
    const note =
      event.message.length > LONGEST_NOTE
        ? `${event.message.slice(0, LONGEST_NOTE - 1)}…`
        : event.message;
    const body = {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name: this.#eventName(object.metadata.name, now), namespace },
      eventTime: now.toISOString().replace('Z', '000Z'),
      reportingController: 'mlops.pynomaly.io/operator',
      reportingInstance: this.#instance.slice(0, 128),
      action: 'Reconcile',
      reason: event.reason,
      note,
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
    try {
      await this.#cluster.create(EVENT, body, { fieldManager: 'mlops-operator' });
    } catch (error) {
      this.#onError(error);
    }
  }

  #isRepeated(
    object: KubernetesObject,
    event: { readonly type: string; readonly reason: string; readonly message: string },
  ): boolean {
    const id = [object.metadata.uid, event.type, event.reason, event.message].join('\n');
    const now = this.#clock.now();
    const last = this.#recent.get(id);
    if (last !== undefined && now - last < QUIET_MS) return true;
    if (this.#recent.size >= REMEMBERED) this.#recent.clear();
    this.#recent.set(id, now);
    return false;
  }

  /** As client-go names them: the object's name and a number that grows with time. */
  #eventName(name: string, now: Date): string {
    this.#sequence = (this.#sequence + 1) % 0x10000;
    const suffix = (BigInt(now.getTime()) * 0x10000n + BigInt(this.#sequence)).toString(16);
    return `${name.slice(0, 200)}.${suffix}`;
  }
}
