import { matchesLabels } from './label-selector.ts';
import { isNewer, ObjectCache, type Change } from './object-cache.ts';
import { Reflector, type ReflectorOptions } from './reflector.ts';
import { keyOf, keyString, type KubernetesObject } from './resource-type.ts';
import { slimObject } from './slim-object.ts';

export type { InformerMetrics } from './reflector.ts';

export type InformerOptions = Omit<ReflectorOptions, 'namespace' | 'onList' | 'onEvent'> & {
  /** The namespaces to watch; all when absent or empty. */
  readonly namespaces?: readonly string[] | undefined;
  /** A listener threw; the others were called all the same. */
  readonly onListenerError: (error: unknown) => void;
};

/** Where a change was seen: in a list, on the watch, or in the answer to a write of our own. */
export type Seen = 'list' | 'watch' | 'write';
export type Listener = (change: Change, seen: Seen) => void;
/** Called after each complete list, with all objects there are. */
export type ListListener = (objects: readonly KubernetesObject[]) => void;

/** So many vanished objects are remembered, against late answers to writes that would revive them. */
const REMEMBERED = 4096;

/**
 * Keeps a cache equal to what the API server holds of one resource and reports each change once,
 * also what vanished while no watch was open. Listeners must only note what changed; they run in
 * the stream's turn.
 */
export class Informer {
  readonly cache = new ObjectCache();
  readonly #options: InformerOptions;
  readonly #listeners = new Set<Listener>();
  readonly #listListeners = new Set<ListListener>();
  readonly #vanished = new Set<string>();
  /** Scopes (a namespace, or undefined for all) not yet listed. */
  readonly #unlisted: Set<string | undefined>;
  #markSynced: () => void = () => {};
  /** Resolves after the first complete list. */
  readonly synced: Promise<void> = new Promise((resolve) => (this.#markSynced = resolve));

  constructor(options: InformerOptions) {
    this.#options = options;
    const { namespaces = [] } = options;
    this.#unlisted = new Set(namespaces.length === 0 ? [undefined] : namespaces);
  }

  get hasSynced(): boolean {
    return this.#unlisted.size === 0;
  }

  onChange(listener: Listener): void {
    this.#listeners.add(listener);
  }

  onList(listener: ListListener): void {
    this.#listListeners.add(listener);
  }

  /** Takes in the answer to a write of our own, ahead of its watch event. */
  learn(object: KubernetesObject): void {
    const { namespaces = [], labelSelector } = this.#options;
    const { uid, namespace, labels, resourceVersion } = object.metadata;
    // Without a version it is no state the server ever had.
    if (resourceVersion === undefined) return;
    // The answer may come after the news that the object is gone; it must not come back to life.
    if (uid !== undefined && this.#vanished.has(uid)) return;
    if (namespaces.length > 0 && !namespaces.includes(namespace ?? '')) return;
    if (matchesLabels(labelSelector, labels)) this.#put(object, 'write');
  }

  /** Runs until the signal aborts; never throws. */
  async run(signal: AbortSignal): Promise<void> {
    const { namespaces: _namespaces, onListenerError: _onListenerError, ...shared } = this.#options;
    const scopes = [...this.#unlisted];
    await Promise.all(
      scopes.map((namespace) =>
        new Reflector({
          ...shared,
          namespace,
          onList: (objects, version) => this.#replace(namespace, objects, version),
          onEvent: (type, object) => {
            if (type === 'DELETED') this.#report(this.cache.remove(slimObject(object)), 'watch');
            else this.#put(object, 'watch');
            this.#measure();
          },
        }).run(signal),
      ),
    );
  }

  #replace(
    namespace: string | undefined,
    objects: readonly KubernetesObject[],
    listVersion: string | undefined,
  ): void {
    const found = new Set(objects.map((object) => keyString(keyOf(object))));
    for (const known of this.cache.list(namespace)) {
      const gone = !found.has(keyString(keyOf(known)));
      // Something written after the list was read is not in it, and yet there.
      if (gone && isNewer(listVersion, known.metadata.resourceVersion))
        this.#report(this.cache.remove(known), 'list');
    }
    for (const object of objects) this.#put(object, 'list');
    this.#unlisted.delete(namespace);
    this.#measure();
    if (!this.hasSynced) return;
    this.#markSynced();
    const all = this.cache.list();
    for (const listener of this.#listListeners) this.#call(() => listener(all));
  }

  #put(object: KubernetesObject, seen: Seen): void {
    const before = this.cache.get(keyOf(object));
    const { uid, resourceVersion } = object.metadata;
    const replaced =
      before !== undefined &&
      before.metadata.uid !== uid &&
      isNewer(resourceVersion, before.metadata.resourceVersion);
    // Deleted and made again under the same name while nobody looked: that is two changes.
    if (replaced) this.#report(this.cache.remove(before), seen === 'list' ? 'list' : 'watch');
    if (uid !== undefined && seen !== 'write') this.#vanished.delete(uid);
    this.#report(this.cache.put(slimObject(object)), seen);
  }

  #report(change: Change | undefined, seen: Seen): void {
    if (change === undefined) return;
    if (change.type === 'DELETED') this.#remember(change.object.metadata.uid);
    for (const listener of this.#listeners) this.#call(() => listener(change, seen));
  }

  #remember(uid: string | undefined): void {
    if (uid === undefined) return;
    this.#vanished.add(uid);
    const [oldest] = this.#vanished;
    if (this.#vanished.size > REMEMBERED && oldest !== undefined) this.#vanished.delete(oldest);
  }

  /** A listener's fault must neither break the stream nor keep the news from the others. */
  #call(listener: () => void): void {
    try {
      listener();
    } catch (error) {
      this.#options.onListenerError(error);
    }
  }

  #measure(): void {
    this.#options.metrics.cached(this.#options.type.plural, this.cache.size);
  }
}
