import { pause, type Clock } from './clock.ts';
import {
  ApiError,
  endsInitialEvents,
  isNotFound,
  type Cluster,
  type WatchEvent,
} from './cluster.ts';
import { GarbageError } from './json-lines.ts';
import { isExpired, listPages } from './list-pages.ts';
import { keyOf, keyString, type KubernetesObject, type ResourceType } from './resource-type.ts';
import { RetryPace, TOO_SHORT_MS } from './retry-pace.ts';
import { Watchdog } from './watchdog.ts';

/** Why a watch ended; 'diverged': what the server holds had ceased to be what it had told. */
export type RestartCause = 'expired' | 'closed' | 'silent' | 'garbage' | 'diverged' | 'error';

export type InformerMetrics = {
  restarted(resource: string, cause: RestartCause): void;
  cached(resource: string, objects: number): void;
  /** So many objects were not as the server held them, and have been put right. */
  healed?(resource: string, objects: number): void;
};

/** One resource, of one namespace or of all. */
export type Source = {
  readonly cluster: Cluster;
  readonly type: ResourceType;
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
};

export type ReflectorOptions = Source & {
  /** Ask for objects without spec, status and data. */
  readonly metadataOnly?: boolean | undefined;
  readonly clock: Clock;
  readonly random: () => number;
  readonly metrics: InformerMetrics;
  readonly onError: (error: unknown, retryInMs: number) => void;
  /** An object of a list under way, with the version of the list; undefined: the latest, told at its end. */
  readonly onFound: (object: KubernetesObject, version: string | undefined) => void;
  /** The list is complete: keys and version. Version undefined: the server knows no such resource. */
  readonly onListed: (found: ReadonlySet<string>, version: string | undefined) => void;
  readonly onEvent: (type: 'ADDED' | 'MODIFIED' | 'DELETED', object: KubernetesObject) => void;
};

/**
 * The server is asked to end a stream after about 40 s; two seconds before, it sends a bookmark, so
 * that the next stream starts from a fresh version. (Bookmarks of its own come once a minute only,
 * too late to notice within a minute that a stream is dead.)
 */
const STREAM_SECONDS = { least: 38, spread: 7 };
/** A stream that outlives that without a word is taken for dead. */
const SILENCE_MS = 50_000;
/** Initial events come at once and end at once; a server that pauses this long does not know of them. */
const INITIAL_SILENCE_MS = 10_000;

/**
 * Shows all objects of one resource, then follows the watch from there. Where the server streams
 * initial events (WatchList, KEP-3157) both are one call, else the list comes in pages. A closed or
 * broken watch goes on where it ended, an expired one (410) lists again, and one that is silent
 * beyond the deadline counts as broken.
 */
export class Reflector {
  readonly #options: ReflectorOptions;
  #version: string | undefined;
  readonly #pace: RetryPace;
  /** Whether lists are streamed: until the server shows that it does not offer it. */
  #streams = true;
  /** After a failed stream the list comes in pages, for once. */
  #pagesNext = false;
  #watchdog: Watchdog | undefined;
  /** How many the open stream has told. */
  #events = 0;
  #contactAt: number;

  constructor(options: ReflectorOptions) {
    this.#options = options;
    this.#pace = new RetryPace(options.clock, options.random);
    this.#contactAt = options.clock.monotonic();
  }

  /** Seconds since the server last proved what is known to be current. */
  get ageSeconds(): number {
    return (this.#options.clock.monotonic() - this.#contactAt) / 1000;
  }

  /** Whether a complete list has been shown and its watch is followed or resumed. */
  get hasListed(): boolean {
    return this.#version !== undefined;
  }

  /** Lists again: the watch has not told everything. */
  relist(): void {
    this.#version = undefined;
    this.#watchdog?.cut();
  }

  /** Notes that the server has just proved what is known to be current. */
  confirm(): void {
    this.#contactAt = this.#options.clock.monotonic();
  }

  /** Runs until the signal aborts; never throws. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, onError } = this.#options;
    while (!signal.aborted) {
      let openedAt: number | undefined;
      try {
        if (this.#version === undefined && (this.#pagesNext || !this.#streams))
          await this.#list(signal);
        openedAt = clock.monotonic();
        await this.#follow(signal);
        this.#pace.ended(openedAt);
      } catch (error) {
        if (signal.aborted) return;
        const delayMs = this.#failed(error, openedAt);
        if (!this.#isKnownToLack(error)) onError(error, delayMs);
        await pause(clock, delayMs, signal);
      }
    }
  }

  /** @returns how long to wait before the next try */
  #failed(error: unknown, openedAt: number | undefined): number {
    const delayMs = this.#pace.failed(error, openedAt);
    const unlisted = this.#version === undefined;
    this.#pagesNext = unlisted;
    if (unlisted && isNotFound(error) && this.#pace.failures > 1)
      this.#options.onListed(new Set(), undefined);
    // A resource that vanished while it was watched has to be listed to be known again.
    if (isExpired(error) || isNotFound(error)) this.#version = undefined;
    return delayMs;
  }

  /** A resource that is not installed is told of a few times, and looked for on and on. */
  #isKnownToLack(error: unknown): boolean {
    return this.#version === undefined && isNotFound(error) && this.#pace.failures > 2;
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { metadataOnly = false, onFound } = this.#options;
    const options = { ...scopeOf(this.#options), metadataOnly, signal };
    const { found, version } = await listPages(this.#options, options, onFound);
    if (!signal.aborted) this.#listed(found, version);
  }

  #listed(found: ReadonlySet<string>, version: string | undefined): void {
    this.#version = version;
    this.#pagesNext = false;
    this.confirm();
    this.#options.onListed(found, version);
  }

  /** Follows the watch until the server ends it; without a version it begins with all there is. */
  async #follow(signal: AbortSignal): Promise<void> {
    const { clock, type, metrics } = this.#options;
    const openedAt = clock.monotonic();
    const initial = this.#version === undefined;
    const watchdog = new Watchdog(clock, signal, initial ? INITIAL_SILENCE_MS : SILENCE_MS);
    this.#watchdog = watchdog;
    this.#events = 0;
    try {
      await this.#read(watchdog);
    } catch (error) {
      if (signal.aborted || this.#refusesStreams(error)) return;
      if (!watchdog.signal.aborted) {
        metrics.restarted(type.plural, causeOf(error));
        throw error;
      }
    } finally {
      watchdog.stop();
    }
    if (!signal.aborted) this.#ended(watchdog, clock.monotonic() - openedAt);
  }

  async #read(watchdog: Watchdog): Promise<void> {
    const found = new Set<string>();
    for await (const event of this.#open(watchdog.signal)) {
      // The stream has been given up; a late event must not become the version to go on from.
      if (watchdog.signal.aborted) return;
      watchdog.touch();
      if (this.#version === undefined) this.#takeInitial(event, found);
      else this.#take(event);
      if (endsInitialEvents(event)) watchdog.expect(SILENCE_MS);
      this.#events += 1;
    }
  }

  #ended({ barked: silent, wasCut }: Watchdog, lastedMs: number): void {
    const { type, metrics } = this.#options;
    if (wasCut) return metrics.restarted(type.plural, 'diverged');
    metrics.restarted(type.plural, silent ? 'silent' : 'closed');
    // Ended as asked: all was told. (A resource never written since the server began gets no bookmarks.)
    if (!silent && lastedMs >= STREAM_SECONDS.least * 1000) this.confirm();
    const unlisted = this.#version === undefined;
    if (unlisted && (this.#events > 0 || silent)) this.#streams = false;
    else if (this.#events === 0 && lastedMs < TOO_SHORT_MS)
      throw new Error(`The server ended the watch of ${type.plural} as soon as it had begun.`);
  }

  #open(signal: AbortSignal): AsyncIterable<WatchEvent> {
    const { cluster, type, random, metadataOnly = false } = this.#options;
    return cluster.watch(type, {
      ...scopeOf(this.#options),
      metadataOnly,
      resourceVersion: this.#version ?? '',
      ...(this.#version === undefined && { initialEvents: true }),
      timeoutSeconds: Math.round(STREAM_SECONDS.least + STREAM_SECONDS.spread * random()),
      signal,
    });
  }

  /** A server that does not offer initial events answers the call 400 or 422, or goes on without their end. */
  #refusesStreams(error: unknown): boolean {
    const refused = error instanceof ApiError && (error.code === 400 || error.code === 422);
    if (this.#version !== undefined || !(refused || error instanceof NotStreamedError))
      return false;
    this.#streams = false;
    return true;
  }

  #takeInitial(event: WatchEvent, found: Set<string>): void {
    if (event.type === 'ERROR') throw errorOf(event);
    if (endsInitialEvents(event)) this.#listed(found, event.object.metadata.resourceVersion);
    else if (event.type !== 'ADDED') throw new NotStreamedError(`Among them was ${event.type}.`);
    else {
      found.add(keyString(keyOf(event.object)));
      this.#options.onFound(event.object, undefined);
    }
  }

  #take(event: WatchEvent): void {
    if (event.type === 'ERROR') throw errorOf(event);
    if (event.type !== 'BOOKMARK') this.#options.onEvent(event.type, event.object);
    this.#version = event.object.metadata.resourceVersion ?? this.#version;
    this.confirm();
  }
}

const errorOf = ({ object }: Extract<WatchEvent, { readonly type: 'ERROR' }>): ApiError =>
  new ApiError(object.code ?? 500, object.reason ?? 'Unknown', object.message ?? 'watch error');

/** The stream goes on without having told that all there was has been shown. */
class NotStreamedError extends Error {
  override readonly name = 'NotStreamedError';
  readonly code = 'NotStreamed';
}

export const scopeOf = ({
  namespace,
  labelSelector,
}: Source): { readonly namespace?: string; readonly labelSelector?: string } => ({
  ...(namespace !== undefined && { namespace }),
  ...(labelSelector !== undefined && { labelSelector }),
});

const causeOf = (error: unknown): RestartCause => {
  if (isExpired(error)) return 'expired';
  return error instanceof GarbageError ? 'garbage' : 'error';
};
