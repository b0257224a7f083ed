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
import { matchesFields } from './field-selector.ts';
import { matchesLabels } from './label-selector.ts';
import { mergeApplied } from './memory-apply.ts';
import { FieldOwners } from './memory-ownership.ts';
import { partialAs, partialEvent } from './partial-metadata.ts';
import {
  apiVersionOf,
  keyOf,
  keyString,
  type KubernetesObject,
  type ObjectKey,
  type ResourceType,
} from './resource-type.ts';

type Entry = {
  readonly type: ResourceType;
  readonly event: {
    readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
    readonly object: KubernetesObject;
  };
  readonly before: KubernetesObject | undefined;
  readonly version: number;
};
type Page = { readonly version: number; readonly rest: readonly KubernetesObject[] };
type Selection = Pick<ListOptions, 'namespace' | 'labelSelector' | 'fieldSelector'>;
type Stored = KubernetesObject & { readonly spec?: unknown; readonly status?: unknown };

/**
 * A Kubernetes API server in memory: resource versions, generations, watches with history, merged
 * applies, finalizers and the garbage collection of owned objects. Held to the same contract suite
 * as the real one, as far as this project relies on it; it validates no schema.
 */
export class MemoryCluster implements Cluster {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #objects = new Map<string, { readonly type: ResourceType; readonly object: Stored }>();
  readonly #owners = new FieldOwners();
  readonly #history: Entry[] = [];
  readonly #waiting = new Set<() => void>();
  #version = 0;
  readonly #pages = new Map<string, Page>();
  #oldest = 0;
  #uids = 0;
  #tokens = 0;

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
    const items = this.#select(type, options);
    const page = this.#page(options, items);
    const { limit = page.rest.length } = options;
    const rest = page.rest.slice(limit);
    const continueToken = rest.length === 0 ? undefined : `page-${++this.#tokens}`;
    if (continueToken !== undefined) this.#pages.set(continueToken, { ...page, rest });
    const shown = page.rest.slice(0, limit);
    return {
      items: (options.metadataOnly === true
        ? shown.map((object) => partialAs(type, object))
        : shown) as unknown as T[],
      resourceVersion: String(page.version),
      ...(continueToken !== undefined && { continueToken }),
    };
  }

  /** Pages of one list all show the state at its beginning. */
  #page({ continueToken }: ListOptions, items: readonly KubernetesObject[]): Page {
    if (continueToken === undefined) return { version: this.#version, rest: items };
    const page = this.#pages.get(continueToken);
    if (page === undefined)
      throw new ApiError(410, 'Expired', 'the provided continue parameter is too old');
    return page;
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
    this.#owners.update(idOf(type, keyOf(object)), options, undefined, object);
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
    refuseOutdated(type, live, object);
    if (options.force === false && live !== undefined)
      this.#owners.refuseContested(id, options, live, object);
    const merged = mergeApplied(live, this.#owners.appliedBy(id, options), object);
    const next =
      options.subresource === 'status' && live !== undefined
        ? { ...live, status: merged.status }
        : merged;
    if (options.dryRun === true) return next as unknown as T;
    this.#owners.apply(id, options, object);
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
    this.#owners.update(idOf(type, key), options, live, next);
    return this.#store(type, live, next, options.fieldManager) as unknown as T;
  }

  async delete(
    type: ResourceType,
    key: ObjectKey,
    options: DeleteOptions = {},
  ): Promise<KubernetesObject | undefined> {
    const live = this.#objects.get(idOf(type, key))?.object;
    if (live === undefined) return undefined;
    if (options.uid !== undefined && options.uid !== live.metadata.uid)
      throw otherUid(type, key.name);
    if (live.metadata.deletionTimestamp !== undefined) return live;
    const deletionTimestamp = this.#time();
    const dying = { ...live, metadata: { ...live.metadata, deletionTimestamp } };
    this.#store(type, live, dying, 'api-server');
    return this.#objects.get(idOf(type, key))?.object;
  }

  async *watch(type: ResourceType, options: WatchOptions): AsyncIterable<WatchEvent> {
    for await (const event of this.#events(type, options))
      yield options.metadataOnly === true ? partialEvent(type, event) : event;
  }

  async *#events(type: ResourceType, options: WatchOptions): AsyncIterable<WatchEvent> {
    let version = Number(options.resourceVersion);
    if (options.initialEvents === true) {
      version = this.#version;
      yield* this.#initialEvents(type, options);
    }
    while (!options.signal.aborted) {
      if (version < this.#oldest)
        throw new ApiError(410, 'Expired', `too old resource version: ${version}`);
      for (const entry of this.#history.filter((each) => each.version > version)) {
        version = entry.version;
        const wanted = entry.type.plural === type.plural && entry.type.group === type.group;
        const event = wanted ? asSelected(entry, options) : undefined;
        if (event !== undefined) yield event;
        if (options.signal.aborted) return;
      }
      await this.#nextChange(version, options.signal);
    }
  }

  /** All there is, as of now, and the bookmark that says so. */
  *#initialEvents(type: ResourceType, options: WatchOptions): Iterable<WatchEvent> {
    const resourceVersion = String(this.#version);
    for (const object of this.#select(type, options)) yield { type: 'ADDED', object };
    const annotations = { 'k8s.io/initial-events-end': 'true' };
    const metadata = { name: '', resourceVersion, annotations };
    yield {
      type: 'BOOKMARK',
      object: { apiVersion: apiVersionOf(type), kind: type.kind, metadata },
    };
  }

  #select(type: ResourceType, selection: Selection): readonly Stored[] {
    return [...this.#objects.values()]
      .filter((each) => each.type.plural === type.plural && each.type.group === type.group)
      .map(({ object }) => object)
      .filter((object) => selects(object, selection));
  }

  /** Forgets history, as compaction does: watches from before must list again. */
  compact(): void {
    this.#oldest = this.#version;
    this.#history.length = 0;
    this.#pages.clear();
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
    this.#history.push({
      type,
      before: live,
      version: this.#version,
      event: { type: eventType, object },
    });
    for (const wake of [...this.#waiting]) wake();
    if (gone) {
      this.#owners.forget(idOf(type, keyOf(object)));
      this.#collect(object);
    }
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

const otherUid = (type: ResourceType, name: string): ApiError =>
  new ApiError(409, 'Conflict', `uid of ${type.plural} "${name}" is another`);

const refuseOutdated = (
  type: ResourceType,
  live: Stored | undefined,
  { metadata: { name, uid, resourceVersion } }: KubernetesObject,
): void => {
  if (uid !== undefined && live?.metadata.uid !== uid) throw otherUid(type, name);
  if (resourceVersion !== undefined && live?.metadata.resourceVersion !== resourceVersion)
    throw new ApiError(409, 'Conflict', `${type.plural} "${name}" has changed`);
};

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
  { namespace, labelSelector, fieldSelector }: Selection,
): boolean =>
  (namespace === undefined || object.metadata.namespace === namespace) &&
  matchesLabels(labelSelector, object.metadata.labels) &&
  matchesFields(fieldSelector, object);

/** As a watch with a selector sees it: what begins to match is added, what ceases to is deleted. */
const asSelected = ({ event, before }: Entry, selection: Selection): WatchEvent | undefined => {
  const did = before !== undefined && selects(before, selection);
  const does = event.type !== 'DELETED' && selects(event.object, selection);
  if (does) return { type: did ? 'MODIFIED' : 'ADDED', object: event.object };
  return did ? { type: 'DELETED', object: event.object } : undefined;
};
