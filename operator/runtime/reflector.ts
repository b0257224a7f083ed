import { backoffMs } from './backoff.ts';
import { pause, type Clock } from './clock.ts';
import { ApiError, isNotFound, type Cluster, type WatchEvent } from './cluster.ts';
import type { KubernetesObject, ResourceType } from './resource-type.ts';
import { Watchdog } from './watchdog.ts';

export type InformerMetrics = {
  restarted(resource: string, cause: 'expired' | 'closed' | 'silent' | 'error'): void;
  cached(resource: string, objects: number): void;
};

export type ReflectorOptions = {
  readonly cluster: Cluster;
  readonly type: ResourceType;
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly clock: Clock;
  readonly random: () => number;
  readonly metrics: InformerMetrics;
  readonly onError: (error: unknown, retryInMs: number) => void;
  /** Takes a complete list, as it was at `version`; undefined: the server knows no such resource. */
  readonly onList: (objects: readonly KubernetesObject[], version: string | undefined) => void;
  readonly onEvent: (type: 'ADDED' | 'MODIFIED' | 'DELETED', object: KubernetesObject) => void;
};

const PAGE_SIZE = 500;
const BACKOFF = { baseMs: 500, maxMs: 30_000 };
/** A stream that was good for this long starts again as if nothing had failed before. */
const HEALTHY_AFTER_MS = 30_000;
/** A server that ends streams sooner than this is not asked again at once. */
const TOO_SHORT_MS = 1_000;
/**
 * The server is asked to end a stream after about 40 s; two seconds before, it sends a bookmark, so
 * that the next stream starts from a fresh version. (Bookmarks of its own come once a minute only,
 * too late to notice within a minute that a stream is dead.)
 */
const STREAM_SECONDS = { least: 38, spread: 7 };
/** A stream that outlives that without a word is taken for dead. */
const SILENCE_MS = 50_000;

/**
 * Lists one resource (of one namespace, or of all) in pages, then watches it from there. A closed or
 * broken watch goes on where it ended, an expired one (410) lists again, and one that is silent
 * beyond the deadline counts as broken.
 */
export class Reflector {
  readonly #options: ReflectorOptions;
  #version: string | undefined;
  #failures = 0;

  constructor(options: ReflectorOptions) {
    this.#options = options;
  }

  /** Runs until the signal aborts; never throws. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, onError } = this.#options;
    while (!signal.aborted) {
      const startedAt = clock.monotonic();
      try {
        this.#version ??= await this.#relist(signal);
        await this.#follow(this.#version, signal);
        this.#failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        const wasMissing = this.#version === undefined && isNotFound(error);
        // A resource that vanished while it was watched has to be listed to be known again.
        if (isExpired(error) || isNotFound(error)) this.#version = undefined;
        const healthy = clock.monotonic() - startedAt >= HEALTHY_AFTER_MS;
        this.#failures = healthy ? 1 : this.#failures + 1;
        if (wasMissing && this.#failures > 1) this.#options.onList([], undefined);
        const delayMs = this.#delay(error);
        onError(error, delayMs);
        await pause(clock, delayMs, signal);
      }
    }
  }

  #delay(error: unknown): number {
    const asked = error instanceof ApiError ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
    return Math.max(asked, backoffMs(this.#failures, this.#options.random(), BACKOFF));
  }

  async #relist(signal: AbortSignal): Promise<string> {
    const { cluster, type, onList } = this.#options;
    const found: KubernetesObject[] = [];
    let continueToken: string | undefined;
    let version: string;
    do {
      const page = await cluster.list(type, {
        ...this.#scope(),
        limit: PAGE_SIZE,
        signal,
        ...(continueToken !== undefined && { continueToken }),
      });
      found.push(...page.items);
      version = page.resourceVersion;
      continueToken = page.continueToken;
    } while (continueToken !== undefined && !signal.aborted);
    if (!signal.aborted) onList(found, version);
    return version;
  }

  #scope(): { readonly namespace?: string; readonly labelSelector?: string } {
    const { namespace, labelSelector } = this.#options;
    return {
      ...(namespace !== undefined && { namespace }),
      ...(labelSelector !== undefined && { labelSelector }),
    };
  }

  /** Follows the watch until the server ends it. */
  async #follow(from: string, signal: AbortSignal): Promise<void> {
    const { cluster, type, clock, random, metrics } = this.#options;
    const startedAt = clock.monotonic();
    const watchdog = new Watchdog(clock, signal, SILENCE_MS);
    let events = 0;
    try {
      const stream = cluster.watch(type, {
        ...this.#scope(),
        resourceVersion: from,
        timeoutSeconds: Math.round(STREAM_SECONDS.least + STREAM_SECONDS.spread * random()),
        signal: watchdog.signal,
      });
      for await (const event of stream) {
        watchdog.touch();
        this.#take(event);
        events += 1;
      }
    } catch (error) {
      if (!watchdog.barked) {
        metrics.restarted(type.plural, isExpired(error) ? 'expired' : 'error');
        throw error;
      }
    } finally {
      watchdog.stop();
    }
    metrics.restarted(type.plural, watchdog.barked ? 'silent' : 'closed');
    if (events === 0 && clock.monotonic() - startedAt < TOO_SHORT_MS && !signal.aborted)
      throw new Error(`The server ended the watch of ${type.plural} as soon as it had begun.`);
  }

  #take(event: WatchEvent): void {
    if (event.type === 'ERROR') {
      const { code = 500, reason = 'Unknown', message = 'watch error' } = event.object;
      throw new ApiError(code, reason, message);
    }
    if (event.type !== 'BOOKMARK') this.#options.onEvent(event.type, event.object);
    this.#version = event.object.metadata.resourceVersion ?? this.#version;
  }
}

const isExpired = (error: unknown): boolean =>
  error instanceof ApiError &&
  (error.code === 410 || error.reason === 'Expired' || error.reason === 'Gone');
