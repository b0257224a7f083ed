import { MemoryCluster } from '../../operator/runtime/memory-cluster.ts';
import { ApiError, type WatchEvent } from '../../operator/runtime/cluster.ts';
import {
  keyOf,
  keyString,
  type KubernetesObject,
  type ResourceType,
} from '../../operator/runtime/resource-type.ts';
import type { SimulationClock } from './simulation-clock.ts';
import { SIMULATED_TYPES } from './types.ts';

/** One change of one object, as the server stored it. */
export type StoredChange = {
  readonly type: ResourceType;
  readonly what: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: KubernetesObject;
  readonly before: KubernetesObject | undefined;
  readonly version: number;
};

type Log = { readonly changes: StoredChange[]; readonly live: Map<string, KubernetesObject> };

/** A signal that never aborts: a real one gets slower with every wait for it. */
const NEVER = {
  aborted: false,
  addEventListener: () => undefined,
  removeEventListener: () => undefined,
} as unknown as AbortSignal;

/** So many changes are kept by the memory cluster before they live on in the logs here alone. */
const COMPACT_EVERY = 24;

/**
 * The API server of a world: a `MemoryCluster`, and its changes by type, so that each stream of each
 * process can be delayed, cut and disturbed on its own.
 */
export class SimulatedApiServer {
  readonly cluster: MemoryCluster;
  readonly #clock: SimulationClock;
  readonly #logs = new Map<string, Log>();
  readonly #listeners = new Set<(change: StoredChange) => void>();
  #forgotten = 0;
  #version = 0;
  #uncompacted = 0;

  constructor(clock: SimulationClock) {
    this.#clock = clock;
    this.cluster = new MemoryCluster(clock);
    for (const type of SIMULATED_TYPES) {
      const log: Log = { changes: [], live: new Map() };
      this.#logs.set(idOf(type), log);
      void this.#follow(type, log);
    }
  }

  /** Called for every change there is, from now on. */
  onChange(listener: (change: StoredChange) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Of the newest change there is. */
  get version(): number {
    return this.#version;
  }

  /** All objects of a type, in the order they were made. */
  live<T extends KubernetesObject>(type: ResourceType): readonly T[] {
    return [...(this.#logs.get(idOf(type))?.live.values() ?? [])] as unknown as T[];
  }

  one<T extends KubernetesObject>(
    type: ResourceType,
    namespace: string,
    name: string,
  ): T | undefined {
    return this.#logs.get(idOf(type))?.live.get(keyString({ namespace, name })) as T | undefined;
  }

  /** What happened to a type after a version. Throws 410 when that was compacted away. */
  changesSince(type: ResourceType, version: number): readonly StoredChange[] {
    if (version < this.#forgotten)
      throw new ApiError(410, 'Expired', `too old resource version: ${version}`);
    return this.#logs.get(idOf(type))?.changes.filter((each) => each.version > version) ?? [];
  }

  /** What a type held a while ago, as a lagging watch cache shows it, and the version of that state. */
  stale(
    type: ResourceType,
    changesAgo: number,
  ): { readonly items: readonly KubernetesObject[]; readonly version: number } | undefined {
    const changes = this.#logs.get(idOf(type))?.changes ?? [];
    const at = changes.at(-1 - changesAgo);
    if (at === undefined || at.version < this.#forgotten) return undefined;
    const state = new Map<string, KubernetesObject>();
    for (const { what, object, version } of changes) {
      if (version > at.version) break;
      if (what === 'DELETED') state.delete(keyString(keyOf(object)));
      else state.set(keyString(keyOf(object)), object);
    }
    return { items: [...state.values()], version: at.version };
  }

  /** etcd's compaction: watches and pages from before get 410. */
  compact(): void {
    this.#forgotten = this.#version;
    this.cluster.compact();
  }

  async #follow(type: ResourceType, log: Log): Promise<void> {
    const options = { resourceVersion: '0', timeoutSeconds: 0, signal: NEVER };
    for await (const event of this.cluster.watch(type, options)) this.#take(type, log, event);
  }

  #take(type: ResourceType, log: Log, event: WatchEvent): void {
    if (event.type === 'ERROR' || event.type === 'BOOKMARK') return;
    const { type: what, object } = event;
    const key = keyString(keyOf(object));
    const before = log.live.get(key);
    if (what === 'DELETED') log.live.delete(key);
    else log.live.set(key, object);
    const version = Number(object.metadata.resourceVersion);
    const change: StoredChange = { type, what, object, before, version };
    this.#version = Math.max(this.#version, version);
    log.changes.push(change);
    for (const listener of [...this.#listeners]) listener(change);
    this.#uncompacted += 1;
    if (this.#uncompacted % COMPACT_EVERY === 0)
      // Once all logs have taken in what there is; nobody else watches the memory cluster itself.
      this.#clock.setTimeout(() => this.cluster.compact(), 0);
  }
}

export const idOf = ({ group, plural }: ResourceType): string => `${group}/${plural}`;
