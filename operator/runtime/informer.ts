import { backoffMs } from './backoff.ts';
import { pause, type Clock } from './clock.ts';
import { ApiError, type Cluster, type WatchEvent } from './cluster.ts';
import { isNewer, ObjectCache, type Change } from './object-cache.ts';
import { keyOf, keyString, type KubernetesObject, type ResourceType } from './resource-type.ts';

export type InformerMetrics = {
  restarted(resource: string, cause: 'expired' | 'closed' | 'silent' | 'error'): void;
  cached(resource: string, objects: number): void;
};

export type InformerOptions = {
  readonly cluster: Cluster;
  readonly type: ResourceType;
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly clock: Clock;
  readonly random: () => number;
  readonly metrics: InformerMetrics;
  readonly onError: (error: unknown, retryInMs: number) => void;
};

/** Where a change was seen: in a list, on the watch, or in the answer to a write of our own. */
export type Seen = 'list' | 'watch' | 'write';
export type Listener = (change: Change, seen: Seen) => void;
/** Called after each complete list, with all objects there are. */
export type ListListener = (objects: readonly KubernetesObject[]) => void;

const PAGE_SIZE = 500;
const BACKOFF = { baseMs: 500, maxMs: 30_000 };
/** A stream that was good for this long starts again without a delay. */
const HEALTHY_AFTER_MS = 30_000;
/** Bookmarks come about once a minute; a stream that is silent for longer is taken for dead. */
const SILENCE_MS = 45_000;

/**
 * Keeps a cache equal to what the API server holds of one resource: a paged list, then a watch from
 * there; a closed watch goes on where it ended, an expired one (410) lists again, and what vanished
 * meanwhile is reported as deleted. Silence beyond the deadline counts as a broken stream.
 * Listeners must only note what changed; they run in the stream's turn.
 */
export class Informer {
  readonly cache = new ObjectCache();
  readonly #options: InformerOptions;
  readonly #listeners = new Set<Listener>();
  readonly #listListeners = new Set<ListListener>();
  #markSynced: () => void = () => {};
  /** Resolves after the first complete list. */
  readonly synced: Promise<void> = new Promise((resolve) => (this.#markSynced = resolve));
  hasSynced = false;

  constructor(options: InformerOptions) {
    this.#options = options;
  }

  onChange(listener: Listener): void {
    this.#listeners.add(listener);
  }

  onList(listener: ListListener): void {
    this.#listListeners.add(listener);
  }

  /** Takes in the answer to a write of our own, ahead of its watch event. */
  learn(object: KubernetesObject): void {
    this.#report(this.cache.put(slim(object)), 'write');
  }

  /** Runs until the signal aborts; never throws. */
  async run(signal: AbortSignal): Promise<void> {
    let version: string | undefined;
    let failures = 0;
    while (!signal.aborted) {
      const startedAt = this.#options.clock.now();
      try {
        version ??= await this.#relist(signal);
        version = await this.#follow(version, signal);
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        if (isExpired(error)) version = undefined;
        else version = error instanceof StreamBroken ? error.version : version;
        const healthy = this.#options.clock.now() - startedAt >= HEALTHY_AFTER_MS;
        failures = healthy ? 1 : failures + 1;
        const delayMs = this.#delay(error, failures);
        this.#options.onError(error instanceof StreamBroken ? error.cause : error, delayMs);
        await pause(this.#options.clock, delayMs, signal);
      }
    }
  }

  #delay(error: unknown, failures: number): number {
    const asked = error instanceof ApiError ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
    return Math.max(asked, backoffMs(failures, this.#options.random(), BACKOFF));
  }

  async #relist(signal: AbortSignal): Promise<string> {
    const { cluster, type, namespace, labelSelector } = this.#options;
    const found = new Map<string, KubernetesObject>();
    let continueToken: string | undefined;
    let resourceVersion: string;
    do {
      const page = await cluster.list(type, {
        limit: PAGE_SIZE,
        signal,
        ...(namespace !== undefined && { namespace }),
        ...(labelSelector !== undefined && { labelSelector }),
        ...(continueToken !== undefined && { continueToken }),
      });
      for (const object of page.items) found.set(keyString(keyOf(object)), slim(object));
      resourceVersion = page.resourceVersion;
      continueToken = page.continueToken;
    } while (continueToken !== undefined);
    this.#replace(found, resourceVersion);
    return resourceVersion;
  }

  #replace(found: ReadonlyMap<string, KubernetesObject>, listVersion: string): void {
    for (const known of this.cache.list()) {
      const gone = !found.has(keyString(keyOf(known)));
      // Something written after the list was read is not in it, and yet there.
      if (gone && isNewer(listVersion, known.metadata.resourceVersion))
        this.#report(this.cache.remove(known), 'list');
    }
    for (const object of found.values()) this.#report(this.cache.put(object), 'list');
    for (const listener of this.#listListeners) listener([...found.values()]);
    this.#options.metrics.cached(this.#options.type.plural, this.cache.size);
    this.hasSynced = true;
    this.#markSynced();
  }

  /** Follows the watch until the server ends it; returns the version to go on from. */
  async #follow(from: string, signal: AbortSignal): Promise<string> {
    const { cluster, type, namespace, labelSelector, random, metrics } = this.#options;
    const watchdog = new Watchdog(this.#options.clock, signal);
    let version = from;
    try {
      const events = cluster.watch(type, {
        resourceVersion: from,
        timeoutSeconds: Math.round(240 + 240 * random()),
        signal: watchdog.signal,
        ...(namespace !== undefined && { namespace }),
        ...(labelSelector !== undefined && { labelSelector }),
      });
      for await (const event of events) {
        watchdog.touch();
        version = this.#take(event) ?? version;
      }
      if (!watchdog.barked) metrics.restarted(type.plural, 'closed');
    } catch (error) {
      if (!watchdog.barked) {
        metrics.restarted(type.plural, isExpired(error) ? 'expired' : 'error');
        throw isExpired(error) ? error : new StreamBroken(version, error);
      }
    } finally {
      watchdog.stop();
    }
    if (watchdog.barked) metrics.restarted(type.plural, 'silent');
    metrics.cached(type.plural, this.cache.size);
    return version;
  }

  /** @returns the version the event brings the cache to */
  #take(event: WatchEvent): string | undefined {
    if (event.type === 'ERROR') {
      const { code = 500, reason = 'Unknown', message = 'watch error' } = event.object;
      throw new ApiError(code, reason, message);
    }
    if (event.type === 'DELETED') this.#report(this.cache.remove(event.object), 'watch');
    else if (event.type !== 'BOOKMARK') this.#report(this.cache.put(slim(event.object)), 'watch');
    return event.object.metadata.resourceVersion;
  }

  #report(change: Change | undefined, seen: Seen): void {
    if (change === undefined) return;
    for (const listener of this.#listeners) listener(change, seen);
  }
}

/** Aborts a stream that has been silent for too long. */
class Watchdog {
  readonly #clock: Clock;
  readonly #outer: AbortSignal;
  readonly #controller = new AbortController();
  #lastSeen: number;
  #handle: ReturnType<Clock['setTimeout']>;
  barked = false;

  constructor(clock: Clock, outer: AbortSignal) {
    this.#clock = clock;
    this.#outer = outer;
    this.#lastSeen = clock.now();
    this.#handle = clock.setTimeout(() => this.#check(), SILENCE_MS);
    outer.addEventListener('abort', this.#forward, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  touch(): void {
    this.#lastSeen = this.#clock.now();
  }

  stop(): void {
    this.#clock.clearTimeout(this.#handle);
    this.#outer.removeEventListener('abort', this.#forward);
    this.#controller.abort();
  }

  readonly #forward = (): void => this.#controller.abort();

  #check(): void {
    const silentMs = this.#clock.now() - this.#lastSeen;
    if (silentMs < SILENCE_MS) {
      this.#handle = this.#clock.setTimeout(() => this.#check(), SILENCE_MS - silentMs);
      return;
    }
    this.barked = true;
    this.#controller.abort();
  }
}

/** Carries how far a stream came before it broke. */
class StreamBroken extends Error {
  readonly version: string;
  constructor(version: string, cause: unknown) {
    super('watch stream broke', { cause });
    this.version = version;
  }
}

const isExpired = (error: unknown): boolean =>
  error instanceof ApiError &&
  (error.code === 410 || error.reason === 'Expired' || error.reason === 'Gone');

/**
 * Keeps who wrote and when, for the audit, but not the field sets, which are most of an object's
 * size and which nothing here reads.
 */
const slim = (object: KubernetesObject): KubernetesObject => {
  const { managedFields, ...metadata } = object.metadata;
  if (managedFields === undefined) return object;
  const writers = managedFields.map(({ manager, operation, subresource, time }) => ({
    ...(manager !== undefined && { manager }),
    ...(operation !== undefined && { operation }),
    ...(subresource !== undefined && { subresource }),
    ...(time !== undefined && { time }),
  }));
  return { ...object, metadata: { ...metadata, managedFields: writers } };
};
