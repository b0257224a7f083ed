import {
  ApiError,
  type ApplyOptions,
  type Cluster,
  type DeleteOptions,
  type JsonPatchOperation,
  type ListOptions,
  type ObjectList,
  type WatchEvent,
  type WatchOptions,
} from './cluster.ts';
import type { Clock } from './clock.ts';
import { same } from './coverage.ts';
import { applyJsonPatch } from './json-patch.ts';
import { mergeApplied } from './memory-apply.ts';
import {
  keyOf,
  keyString,
  type KubernetesObject,
  type ObjectKey,
  type ResourceType,
} from './resource-type.ts';

type Entry = { readonly type: ResourceType; readonly event: WatchEvent; readonly version: number };
type Stored = KubernetesObject & { readonly spec?: unknown; readonly status?: unknown };

/**
 * A Kubernetes API server in memory: resource versions, generations, watches with history, merged
 * applies, finalizers and the garbage collection of owned objects. Held to the same contract suite
 * as the real one, as far as this project relies on it; it validates no schema.
 */
export class MemoryCluster implements Cluster {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #objects = new Map<string, { readonly type: ResourceType; readonly object: Stored }>();
  readonly #applied = new Map<string, KubernetesObject>();
  readonly #history: Entry[] = [];
  readonly #waiting = new Set<() => void>();
  #version = 0;
  #oldest = 0;
  #uids = 0;

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  async get<T extends KubernetesObject>(
    type: ResourceType,
    key: ObjectKey,
  ): Promise<T | undefined> {
    return this.#objects.get(idOf(type, key))?.object as unknown as T | undefined;
  }

  async list<T extends KubernetesObject>(
    type: ResourceType,
    options: ListOptions = {},
  ): Promise<ObjectList<T>> {
    const items = [...this.#objects.values()]
      .filter((each) => each.type.plural === type.plural && each.type.group === type.group)
      .map(({ object }) => object)
      .filter((object) => selects(object, options));
    return { items: items as unknown as T[], resourceVersion: String(this.#version) };
  }

  async create<T extends KubernetesObject>(
    type: ResourceType,
    object: KubernetesObject,
    options: { readonly fieldManager: string },
  ): Promise<T> {
    if (this.#objects.has(idOf(type, keyOf(object)))) {
      throw new ApiError(
        409,
        'AlreadyExists',
        `${type.plural} "${object.metadata.name}" already exists`,
      );
    }
    return this.#store(type, undefined, object, options.fieldManager) as unknown as T;
  }

  async apply<T extends KubernetesObject>(
    type: ResourceType,
    object: KubernetesObject,
    options: ApplyOptions,
  ): Promise<T> {
    const id = idOf(type, keyOf(object));
    const live = this.#objects.get(id)?.object;
    if (options.subresource === 'status' && live === undefined) throw notFound(type, keyOf(object));
    if (object.metadata.uid !== undefined && live?.metadata.uid !== object.metadata.uid) {
      throw new ApiError(
        409,
        'Conflict',
        `uid of ${type.plural} "${object.metadata.name}" is another`,
      );
    }
    const managerId = [id, options.fieldManager, options.subresource ?? ''].join('|');
    const merged = mergeApplied(live, this.#applied.get(managerId), object);
    const next =
      options.subresource === 'status' && live !== undefined
        ? { ...live, status: merged.status }
        : merged;
    if (options.dryRun === true) return next as unknown as T;
    this.#applied.set(managerId, object);
    return this.#store(type, live, next, options.fieldManager) as unknown as T;
  }

  async patch<T extends KubernetesObject>(
    type: ResourceType,
    key: ObjectKey,
    operations: readonly JsonPatchOperation[],
    options: { readonly fieldManager: string },
  ): Promise<T> {
    const live = this.#objects.get(idOf(type, key))?.object;
    if (live === undefined) throw notFound(type, key);
    const next = applyJsonPatch(live, operations) as Stored;
    return this.#store(type, live, next, options.fieldManager) as unknown as T;
  }

  async delete(type: ResourceType, key: ObjectKey, options: DeleteOptions = {}): Promise<void> {
    const live = this.#objects.get(idOf(type, key))?.object;
    if (live === undefined) return;
    if (options.uid !== undefined && options.uid !== live.metadata.uid) {
      throw new ApiError(409, 'Conflict', `uid of ${type.plural} "${key.name}" is another`);
    }
    if (live.metadata.deletionTimestamp !== undefined) return;
    const deletionTimestamp = this.#time();
    this.#store(
      type,
      live,
      { ...live, metadata: { ...live.metadata, deletionTimestamp } },
      'api-server',
    );
  }

  async *watch(type: ResourceType, options: WatchOptions): AsyncIterable<WatchEvent> {
    let version = Number(options.resourceVersion);
    if (version < this.#oldest)
      throw new ApiError(410, 'Expired', `too old resource version: ${version}`);
    while (!options.signal.aborted) {
      for (const entry of this.#history.filter((each) => each.version > version)) {
        version = entry.version;
        const wanted = entry.type.plural === type.plural && entry.type.group === type.group;
        if (wanted && selects(entry.event.object as KubernetesObject, options)) yield entry.event;
        if (options.signal.aborted) return;
      }
      await this.#nextChange(version, options.signal);
    }
  }

  /** Forgets history, as compaction does: watches from before must list again. */
  compact(): void {
    this.#oldest = this.#version;
    this.#history.length = 0;
  }

  #nextChange(version: number, signal: AbortSignal): Promise<void> {
    if (this.#version > version && this.#history.some((entry) => entry.version > version))
      return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }

  #store(type: ResourceType, live: Stored | undefined, next: Stored, manager: string): Stored {
    if (live !== undefined && same(withoutVersion(live), withoutVersion(next))) return live;
    const object = this.#stamped(live, next, manager);
    const gone =
      object.metadata.deletionTimestamp !== undefined &&
      (object.metadata.finalizers ?? []).length === 0;
    if (gone) this.#objects.delete(idOf(type, keyOf(next)));
    else this.#objects.set(idOf(type, keyOf(next)), { type, object });
    const eventType = gone ? 'DELETED' : live === undefined ? 'ADDED' : 'MODIFIED';
    this.#history.push({ type, version: this.#version, event: { type: eventType, object } });
    for (const wake of [...this.#waiting]) wake();
    if (gone) this.#collect(object);
    return object;
  }

  #stamped(live: Stored | undefined, next: Stored, manager: string): Stored {
    const before = live?.metadata;
    const specChanged = live === undefined || !same(specOf(live), specOf(next));
    return {
      ...next,
      metadata: {
        ...next.metadata,
        uid: before?.uid ?? `uid-${++this.#uids}`,
        creationTimestamp: before?.creationTimestamp ?? this.#time(),
        generation: (before?.generation ?? 0) + (specChanged ? 1 : 0),
        resourceVersion: String(++this.#version),
        managedFields: [{ manager, operation: 'Apply', time: this.#time() }],
      },
    };
  }

  /** Deletes what the vanished object owned. */
  #collect(owner: Stored): void {
    for (const { type, object } of [...this.#objects.values()]) {
      const owned = object.metadata.ownerReferences?.some(({ uid }) => uid === owner.metadata.uid);
      if (owned === true) void this.delete(type, keyOf(object));
    }
  }

  #time(): string {
    return `${new Date(this.#clock.now()).toISOString().slice(0, 19)}Z`;
  }
}

const idOf = (type: ResourceType, key: ObjectKey): string =>
  `${type.group}/${type.plural}/${keyString(key)}`;

const notFound = (type: ResourceType, key: ObjectKey): ApiError =>
  new ApiError(404, 'NotFound', `${type.plural} "${key.name}" not found`);

const specOf = ({ metadata: _metadata, status: _status, ...rest }: Stored): unknown => rest;

const withoutVersion = ({ metadata, ...rest }: Stored): unknown => {
  const {
    resourceVersion: _version,
    managedFields: _fields,
    generation: _generation,
    ...kept
  } = metadata;
  return { ...rest, metadata: kept };
};

const selects = (
  object: KubernetesObject,
  { namespace, labelSelector }: Pick<ListOptions, 'namespace' | 'labelSelector'>,
): boolean => {
  if (namespace !== undefined && object.metadata.namespace !== namespace) return false;
  return (labelSelector ?? '')
    .split(',')
    .filter((term) => term !== '')
    .every((term) => {
      const [name = '', value] = term.split('=');
      const label = object.metadata.labels?.[name];
      return value === undefined ? label !== undefined : label === value;
    });
};
