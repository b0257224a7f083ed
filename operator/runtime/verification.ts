import { pause, type Clock } from './clock.ts';
import { listPages } from './list-pages.ts';
import { isNewer } from './object-cache.ts';
import { scopeOf, type Source } from './reflector.ts';
import {
  keyOf,
  keyString,
  parseKey,
  type KubernetesObject,
  type ObjectKey,
} from './resource-type.ts';

export type VerificationOptions = Source & {
  readonly clock: Clock;
  readonly random: () => number;
  /** Milliseconds from one look to the next, give or take a tenth; 0: never. */
  readonly everyMs: number;
  readonly onError: (error: unknown, retryInMs: number) => void;
  /** Whether there is anything to verify: a list has been complete. */
  readonly ready: () => boolean;
  readonly cached: () => readonly KubernetesObject[];
  /** Whether the object of that uid is known to be gone as of that version, or since. */
  readonly isPast: (uid: string | undefined, version: string) => boolean;
  readonly get: (key: ObjectKey) => KubernetesObject | undefined;
  /** Takes what the server holds now under a key; true when something was put right. */
  readonly heal: (key: ObjectKey, live: KubernetesObject | undefined, version: string) => boolean;
  readonly relist: () => void;
  /** All was as it should be, or has been put right: so many objects, one by one or by a new list. */
  readonly onVerified: (healed: number, how: 'single' | 'list') => void;
};

type Identity = {
  readonly uid: string | undefined;
  readonly resourceVersion: string | undefined;
};

export const VERIFY_MS = 600_000;
/** Metadata is small. */
const PAGE_SIZE = 1_000;
/** What the watch tells within this time was under way, not lost. */
const GRACE_MS = 5_000;
/** So many objects are read one by one; beyond, a new list is cheaper. */
const FEW = 20;

/**
 * Compares the cache with what the server holds, from time to time, by a list of metadata: a watch
 * may lose events without a sign. What differs is read again; what is newer than the list is left.
 */
export class Verification {
  readonly #options: VerificationOptions;

  constructor(options: VerificationOptions) {
    this.#options = options;
  }

  /** Runs until the signal aborts; never throws. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random, everyMs, ready, onError } = this.#options;
    if (everyMs === 0) return;
    while (!signal.aborted) {
      const delayMs = everyMs * (0.9 + 0.2 * random());
      await pause(clock, delayMs, signal);
      if (signal.aborted || !ready()) continue;
      try {
        await this.#verify(signal);
      } catch (error) {
        if (!signal.aborted) onError(error, delayMs);
      }
    }
  }

  async #verify(signal: AbortSignal): Promise<void> {
    const { clock, relist, onVerified } = this.#options;
    const held = new Map<string, Identity>();
    const asked = { ...scopeOf(this.#options), metadataOnly: true, limit: PAGE_SIZE, signal };
    const { version, found } = await listPages(this.#options, asked, (object) => {
      const { uid, resourceVersion } = object.metadata;
      held.set(keyString(keyOf(object)), { uid, resourceVersion });
    });
    for (const key of held.keys()) if (!found.has(key)) held.delete(key);
    if (this.#differing(held, version).length > 0) await pause(clock, GRACE_MS, signal);
    if (signal.aborted || !this.#options.ready()) return;
    const differing = this.#differing(held, version);
    if (differing.length > FEW) {
      relist();
      return onVerified(differing.length, 'list');
    }
    onVerified(await this.#healSingly(differing, version), 'single');
  }

  async #healSingly(keys: readonly string[], version: string): Promise<number> {
    const { cluster, type, heal } = this.#options;
    let healed = 0;
    for (const each of keys) {
      const key = parseKey(each);
      if (heal(key, await cluster.get(type, key), version)) healed += 1;
    }
    return healed;
  }

  /** The keys whose objects are not in the cache as the list had them, or later. */
  #differing(held: ReadonlyMap<string, Identity>, version: string): readonly string[] {
    const { cached, get, isPast } = this.#options;
    const lost = [...held].flatMap(([key, object]) => {
      const known = get(parseKey(key))?.metadata;
      if (known === undefined) return isPast(object.uid, version) ? [] : [key];
      return isNewer(object.resourceVersion, known.resourceVersion) ? [key] : [];
    });
    const left = cached().flatMap((object) => {
      const key = keyString(keyOf(object));
      const newer = isNewer(object.metadata.resourceVersion, version);
      return held.has(key) || newer ? [] : [key];
    });
    return [...lost, ...left];
  }
}
