import { matchesLabels } from './label-selector.ts';
import { isNewer, isOlder, ObjectCache, type Change } from './object-cache.ts';
import { partialOf } from './partial-metadata.ts';
import { Reflector, type ReflectorOptions } from './reflector.ts';
import { keyOf, keyString, type KubernetesObject, type ObjectKey } from './resource-type.ts';
import { slimObject } from './slim-object.ts';
import { Vanished } from './vanished.ts';
import { Verification, VERIFY_MS } from './verification.ts';

export type { InformerMetrics } from './reflector.ts';

export type InformerOptions = Omit<
  ReflectorOptions,
  'namespace' | 'onFound' | 'onListed' | 'onEvent'
> & {
  /** The namespaces to watch; all when absent or empty. */
  readonly namespaces?: readonly string[] | undefined;
  /** What to keep of an object; by default all but the field sets of its managers. */
  readonly keep?: ((object: KubernetesObject) => KubernetesObject) | undefined;
  /** How often the cache is compared with the server's state, in milliseconds; 10 minutes by default, 0 is never. */
  readonly verifyMs?: number | undefined;
  /** A listener threw; the others were called all the same. */
  readonly onListenerError: (error: unknown) => void;
  /** The watch had lost something, which has been put right: so many objects. */
  readonly onHealed?: ((objects: number) => void) | undefined;
};

/** Where a change was seen: in a list, on the watch, or in the answer to a write of our own. */
export type Seen = 'list' | 'watch' | 'write';
export type Listener = (change: Change, seen: Seen) => void;
/** Called after each complete list, with all objects there are. */
export type ListListener = (objects: readonly KubernetesObject[]) => void;

/**
 * Keeps a cache equal to what the API server holds of one resource and reports each change once,
 * also what vanished while no watch was open. Listeners must only note what changed; they run in
 * the stream's turn.
 */
export class Informer {
  readonly cache = new ObjectCache();
  readonly #options: InformerOptions;
  readonly #keep: (object: KubernetesObject) => KubernetesObject;
  readonly #listeners = new Set<Listener>();
  readonly #listListeners = new Set<ListListener>();
  readonly #vanished = new Vanished();
  readonly #reflectors: Reflector[] = [];
  /** Scopes (a namespace, or undefined for all) not yet listed. */
  readonly #unlisted: Set<string | undefined>;
  #isServed = true;
  #markSynced: () => void = () => {};
  /** Resolves after the first complete list. */
  readonly synced: Promise<void> = new Promise((resolve) => (this.#markSynced = resolve));

  constructor(options: InformerOptions) {
    this.#options = options;
    const { namespaces = [], metadataOnly = false, keep = slimObject } = options;
    this.#keep = metadataOnly ? (object) => keep(partialOf(object)) : keep;
    this.#unlisted = new Set(namespaces.length === 0 ? [undefined] : namespaces);
  }

  get hasSynced(): boolean {
    return this.#unlisted.size === 0;
  }

  /** Whether the API server has such a resource, as far as it has been asked: a CRD may not be installed. */
  get isServed(): boolean {
    return this.#isServed;
  }

  /** Seconds since the server last proved the cache to be current, in the worst of its namespaces; 0 before `run`. */
  get ageSeconds(): number {
    return Math.max(0, ...this.#reflectors.map(({ ageSeconds }) => ageSeconds));
  }

  onChange(listener: Listener): void {
    this.#listeners.add(listener);
  }

  onList(listener: ListListener): void {
    this.#listListeners.add(listener);
  }

  /**
   * Takes in the answer to a write of our own, ahead of its watch event. From then on the cache never
   * shows that object as it was before, whatever comes in late.
   */
  learn(object: KubernetesObject): void {
    // Without a version it is no state the server ever had.
    if (object.metadata.resourceVersion === undefined) return;
    if (this.#selects(object)) this.#put(object, 'write');
  }

  /**
   * Takes in the answer to a deletion of our own, or to the removal of a finalizer: what stays for the
   * time being is learned, what is gone leaves the cache at once and does not come back.
   *
   * @param object the object that was to be deleted, with its uid
   * @param answer what the server showed of it; undefined when it is gone
   */
  learnDeleted(object: KubernetesObject, answer: KubernetesObject | undefined): void {
    if (answer !== undefined && !isGone(answer)) return this.learn(answer);
    const { uid } = object.metadata;
    if (uid === undefined) return;
    this.#vanished.add(uid, undefined);
    const known = this.cache.get(keyOf(object));
    if (known?.metadata.uid !== uid) return;
    this.#report(this.cache.remove(known), 'write');
    this.#measure();
  }

  /** Runs until the signal aborts; never throws. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([...this.#unlisted].map((namespace) => this.#follow(namespace, signal)));
  }

  async #follow(namespace: string | undefined, signal: AbortSignal): Promise<void> {
    const reflector = new Reflector({
      ...this.#options,
      namespace,
      onFound: (object, version) => {
        this.#vanished.revive(object.metadata.uid, version);
        this.#put(object, 'list');
      },
      onListed: (found, version) => this.#sweep(namespace, found, version),
      onEvent: (type, object) => {
        if (type === 'DELETED') this.#remove(object);
        else this.#put(object, 'watch');
        this.#measure();
      },
    });
    this.#reflectors.push(reflector);
    const verification = this.#verification(namespace, reflector);
    await Promise.all([reflector.run(signal), verification.run(signal)]);
  }

  #verification(namespace: string | undefined, reflector: Reflector): Verification {
    const { type, metrics, verifyMs = VERIFY_MS, onHealed } = this.#options;
    return new Verification({
      ...this.#options,
      namespace,
      everyMs: verifyMs,
      ready: () => reflector.hasListed,
      cached: () => this.cache.list(namespace),
      get: (key) => this.cache.get(key),
      isPast: (uid, version) => this.#vanished.wasGoneAt(uid, version),
      heal: (key, live, version) => this.#heal(key, live, version),
      relist: () => reflector.relist(),
      onVerified: (healed, how) => {
        if (how === 'single') reflector.confirm();
        if (healed === 0) return;
        metrics.healed?.(type.plural, healed);
        onHealed?.(healed);
      },
    });
  }

  #heal(key: ObjectKey, live: KubernetesObject | undefined, version: string): boolean {
    const before = this.cache.get(key);
    if (live !== undefined && this.#selects(live)) {
      this.#vanished.revive(live.metadata.uid, undefined);
      this.#put(live, 'list');
    } else if (before !== undefined && isNewer(version, before.metadata.resourceVersion)) {
      this.#vanish(before, version);
    }
    this.#measure();
    return this.cache.get(key) !== before;
  }

  #selects({ metadata }: KubernetesObject): boolean {
    const { namespaces = [], labelSelector } = this.#options;
    if (namespaces.length > 0 && !namespaces.includes(metadata.namespace ?? '')) return false;
    return matchesLabels(labelSelector, metadata.labels);
  }

  /** After a complete list: what was not in it is gone. */
  #sweep(
    namespace: string | undefined,
    found: ReadonlySet<string>,
    version: string | undefined,
  ): void {
    this.#isServed = version !== undefined;
    for (const known of this.cache.list(namespace)) {
      if (found.has(keyString(keyOf(known)))) continue;
      // Something written after the list was read is not in it, and yet there.
      if (isNewer(version, known.metadata.resourceVersion)) this.#vanish(known, version);
    }
    this.#unlisted.delete(namespace);
    this.#measure();
    if (!this.hasSynced) return;
    this.#markSynced();
    const all = this.cache.list();
    for (const listener of this.#listListeners) this.#call(() => listener(all));
  }

  #put(object: KubernetesObject, seen: Seen): void {
    const { uid, resourceVersion } = object.metadata;
    if (this.#vanished.covers(uid, resourceVersion)) return;
    const before = this.cache.get(keyOf(object));
    const replaced =
      before !== undefined &&
      before.metadata.uid !== uid &&
      isNewer(resourceVersion, before.metadata.resourceVersion);
    // Deleted and made again under the same name while nobody looked: that is two changes.
    if (replaced) {
      this.#vanished.add(before.metadata.uid, undefined);
      this.#report(this.cache.remove(before), seen === 'list' ? 'list' : 'watch');
    }
    this.#report(this.cache.put(this.#keep(object)), seen);
  }

  #remove(object: KubernetesObject): void {
    const { uid, resourceVersion } = object.metadata;
    const known = this.cache.get(keyOf(object))?.metadata;
    // A write of ours may have brought back into the selection what this tells had left it.
    if (known?.uid === uid && isOlder(resourceVersion, known?.resourceVersion)) return;
    this.#vanished.add(uid, resourceVersion);
    this.#report(this.cache.remove(this.#keep(object)), 'watch');
  }

  /** @param version as of which it is not there; undefined: the server knows no such resource, for now */
  #vanish(known: KubernetesObject, version: string | undefined): void {
    if (version !== undefined) this.#vanished.add(known.metadata.uid, version);
    this.#report(this.cache.remove(known), 'list');
  }

  #report(change: Change | undefined, seen: Seen): void {
    if (change === undefined) return;
    for (const listener of this.#listeners) this.#call(() => listener(change, seen));
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

/** Marked for deletion with nothing left to wait for: no finalizer, no grace period, no namespace's own finalizer. */
const isGone = (object: KubernetesObject): boolean => {
  const {
    deletionTimestamp,
    deletionGracePeriodSeconds,
    finalizers = [],
  } = object.metadata as KubernetesObject['metadata'] & {
    readonly deletionGracePeriodSeconds?: number;
  };
  const { spec } = object as { readonly spec?: { readonly finalizers?: readonly unknown[] } };
  if (deletionTimestamp === undefined || finalizers.length > 0) return false;
  return (deletionGracePeriodSeconds ?? 0) === 0 && (spec?.finalizers ?? []).length === 0;
};
