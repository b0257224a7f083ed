import { isNewer } from './object-cache.ts';

/** So many are remembered. */
const CAPACITY = 16_384;

/**
 * Objects that are gone, by uid, so that news of how they were before cannot revive them: late
 * answers to writes, replayed events, lists that lag behind.
 */
export class Vanished {
  readonly #versions = new Map<string, string | undefined>();

  /** @param version the version as of which it is gone; undefined: it will never be again */
  add(uid: string | undefined, version: string | undefined): void {
    if (uid === undefined) return;
    if (this.#versions.has(uid) && this.#versions.get(uid) === undefined) return;
    this.#versions.delete(uid);
    this.#versions.set(uid, version);
    const [oldest] = this.#versions.keys();
    if (this.#versions.size > CAPACITY && oldest !== undefined) this.#versions.delete(oldest);
  }

  /**
   * It was there after all, or again, as of `version` (undefined: now): says nothing of one that is
   * known to be gone since, or for good.
   */
  revive(uid: string | undefined, version: string | undefined): void {
    if (uid !== undefined && !this.wasGoneAt(uid, version)) this.#versions.delete(uid);
  }

  /** Whether it was gone at that version, or has gone since. */
  wasGoneAt(uid: string | undefined, version: string | undefined): boolean {
    if (uid === undefined || !this.#versions.has(uid)) return false;
    const gone = this.#versions.get(uid);
    return gone === undefined || (version !== undefined && !isNewer(version, gone));
  }

  /** Whether a state of that version is from before the object was gone. (One that left a selection may come back.) */
  covers(uid: string | undefined, version: string | undefined): boolean {
    if (uid === undefined || !this.#versions.has(uid)) return false;
    const gone = this.#versions.get(uid);
    return gone === undefined || !isNewer(version, gone);
  }
}
