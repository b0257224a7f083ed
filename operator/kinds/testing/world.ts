import { BackgroundWork } from '../../runtime/background.ts';
import type { Cluster } from '../../runtime/cluster.ts';
import type { EventRecorder } from '../../runtime/event-recorder.ts';
import type { Informer } from '../../runtime/informer.ts';
import type { Informers } from '../../runtime/informers.ts';
import { MemoryCluster } from '../../runtime/memory-cluster.ts';
import { ObjectCache } from '../../runtime/object-cache.ts';
import type { OwnObject, Reconciler } from '../../runtime/reconciler.ts';
import { Reconciliation } from '../../runtime/reconciliation.ts';
import {
  apiVersionOf,
  keyOf,
  type KubernetesObject,
  type ObjectKey,
  type ResourceType,
} from '../../runtime/resource-type.ts';

export type RecordedEvent = {
  readonly type: string;
  readonly reason: string;
  readonly message: string;
};

type Conditioned = OwnObject & {
  readonly status?: {
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason: string;
      readonly message: string;
    }[];
  };
};

/**
 * A cluster in memory in which reconcilers of ours run one pass at a time, through the runtime's own
 * pass, status and finalizers. Before each pass the caches are what the cluster holds.
 */
export class World {
  readonly cluster: MemoryCluster;
  readonly events: RecordedEvent[] = [];
  readonly #reconcilers: readonly Reconciler[];
  readonly #caches = new Map<string, { readonly type: ResourceType; cache: ObjectCache }>();
  readonly #backgrounds = new Map<string, BackgroundWork>();
  #time: number;
  #running = 0;
  #idle: (() => void)[] = [];
  /** Resources whose CRDs are not installed. */
  readonly missing = new Set<string>();
  /** Stands between the passes and the cluster; replaced to inject faults. */
  through: (cluster: Cluster) => Cluster = (cluster) => cluster;

  constructor(reconcilers: readonly Reconciler[], start = '2026-03-01T12:00:00Z') {
    this.#reconcilers = reconcilers;
    this.#time = Date.parse(start);
    this.cluster = new MemoryCluster({ now: () => this.#time });
  }

  now(): Date {
    return new Date(this.#time);
  }

  advance(milliseconds: number): void {
    this.#time += milliseconds;
  }

  /** Creates an object, with its status. */
  async put<T extends KubernetesObject>(type: ResourceType, object: object): Promise<T> {
    const whole = { apiVersion: apiVersionOf(type), kind: type.kind, ...object } as T & {
      readonly status?: unknown;
    };
    return this.cluster.create<T>(type, whole, { fieldManager: 'user' });
  }

  async get<T extends KubernetesObject>(
    type: ResourceType,
    key: ObjectKey,
  ): Promise<T | undefined> {
    return this.cluster.get<T>(type, key);
  }

  async list<T extends KubernetesObject>(type: ResourceType): Promise<readonly T[]> {
    return (await this.cluster.list<T>(type)).items;
  }

  /** Replaces a part of an object, as its owner or another controller would. */
  async change(type: ResourceType, key: ObjectKey, path: string, value: unknown): Promise<void> {
    await this.cluster.patch(type, key, [{ op: 'add', path, value }], { fieldManager: 'user' });
  }

  /** One pass over the object; background work it started has ended when this returns. */
  async reconcile(
    type: ResourceType,
    key: ObjectKey,
  ): Promise<{ readonly requeueAfterMs?: number }> {
    const reconciler = this.#reconcilers.find(({ type: its }) => its.plural === type.plural);
    if (reconciler === undefined) throw new Error(`no reconciler for ${type.plural}`);
    await this.#fillCaches(reconciler);
    const object = (await this.cluster.get<OwnObject>(type, key)) as OwnObject;
    const handled = await this.#reconciliation(reconciler).run(
      object,
      new AbortController().signal,
    );
    await this.#untilIdle();
    const { requeueAfterMs } = handled;
    return requeueAfterMs === undefined ? {} : { requeueAfterMs };
  }

  /** What the object says about itself: `True Ready: message`. */
  async condition(type: ResourceType, key: ObjectKey, name = 'Ready'): Promise<string | undefined> {
    const object = await this.cluster.get<Conditioned>(type, key);
    const found = object?.status?.conditions?.find((each) => each.type === name);
    return found && `${found.status} ${found.reason}: ${found.message}`;
  }

  /** Forgets what lives in memory only, as a new process has. */
  restart(): void {
    this.#backgrounds.clear();
    this.#caches.clear();
  }

  async #fillCaches(reconciler: Reconciler): Promise<void> {
    const types = [
      reconciler.type,
      ...reconciler.owns,
      ...reconciler.watches.map(({ type }) => type),
    ];
    this.#caches.clear();
    for (const type of types) {
      const cache = new ObjectCache();
      for (const object of (await this.cluster.list(type)).items) cache.put(object);
      this.#caches.set(type.plural + type.group, { type, cache });
    }
  }

  #reconciliation(reconciler: Reconciler): Reconciliation {
    const log = {
      debug: () => undefined,
      info: () => undefined,
      warn: () => undefined,
      error: () => undefined,
      child: () => log,
    };
    const cacheOf = (type: ResourceType): ObjectCache => {
      const found = this.#caches.get(type.plural + type.group);
      if (found === undefined) {
        throw new Error(
          `${reconciler.fieldManager} reads ${type.plural}, but neither owns nor watches it`,
        );
      }
      return found.cache;
    };
    return new Reconciliation({
      reconciler: this.#counting(reconciler),
      cluster: this.through(this.cluster),
      informers: {
        learn: (type: ResourceType, object: KubernetesObject) =>
          void this.#caches.get(type.plural + type.group)?.cache.put(object),
        learnDeleted: (type: ResourceType, object: KubernetesObject) =>
          void this.#caches.get(type.plural + type.group)?.cache.remove(object),
      } as unknown as Informers,
      informer: (type) =>
        ({ cache: cacheOf(type), isServed: !this.missing.has(type.plural) }) as unknown as Informer,
      foreign: () => ({ cache: new ObjectCache() }) as unknown as Informer,
      background: this.#backgroundOf(reconciler),
      events: {
        record: async (_object: unknown, event: RecordedEvent) => {
          this.events.push(event);
        },
      } as unknown as EventRecorder,
      clock: { now: () => this.#time } as never,
      log,
      finalizerDeadlineMs: 300_000,
    });
  }

  #backgroundOf(reconciler: Reconciler): BackgroundWork {
    const found =
      this.#backgrounds.get(reconciler.fieldManager) ?? new BackgroundWork(() => undefined);
    this.#backgrounds.set(reconciler.fieldManager, found);
    return found;
  }

  /** The same reconciler, whose background work is waited for. */
  #counting(reconciler: Reconciler): Reconciler {
    const counted = async <T>(work: () => Promise<T>): Promise<T> => {
      this.#running += 1;
      try {
        return await work();
      } finally {
        this.#running -= 1;
        if (this.#running === 0) for (const wake of this.#idle.splice(0)) wake();
      }
    };
    return {
      ...reconciler,
      reconcile: (object, pass) =>
        reconciler.reconcile(object, {
          ...pass,
          background: (id, work) => pass.background(id, (signal) => counted(() => work(signal))),
        }),
    };
  }

  async #untilIdle(): Promise<void> {
    if (this.#running > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
    // The work's own promise settles a few turns after the function it ran.
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

export const key = (name: string, namespace = 'demo'): ObjectKey => ({ namespace, name });

export const keysOf = (objects: readonly KubernetesObject[]): readonly string[] =>
  objects.map((object) => keyOf(object).name);
