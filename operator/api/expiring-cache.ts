export type Expiring<T> = { readonly value: T; readonly expiresAt: number };

/**
 * A bounded cache whose entries each say until when they hold (ms since 1970). Lookups of the same
 * key at the same time share one load; a load that throws is not kept.
 */
export class ExpiringCache<T> {
  readonly #entries = new Map<string, Expiring<T>>();
  readonly #loading = new Map<string, Promise<Expiring<T>>>();
  readonly #now: () => number;
  readonly #maxEntries: number;

  constructor(now: () => number, maxEntries: number) {
    this.#now = now;
    this.#maxEntries = maxEntries;
  }

  async get(key: string, load: () => Promise<Expiring<T>>): Promise<T> {
    const entry = this.#entries.get(key);
    if (entry !== undefined && entry.expiresAt > this.#now()) return entry.value;
    const underWay = this.#loading.get(key);
    if (underWay !== undefined) return (await underWay).value;
    const loading = load();
    this.#loading.set(key, loading);
    try {
      const loaded = await loading;
      this.#keep(key, loaded);
      return loaded.value;
    } finally {
      this.#loading.delete(key);
    }
  }

  #keep(key: string, entry: Expiring<T>): void {
    // Re-inserting moves the key to the end, so the first key is the one loaded longest ago.
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    if (this.#entries.size <= this.#maxEntries) return;
    const oldest = this.#entries.keys().next();
    if (oldest.done !== true) this.#entries.delete(oldest.value);
  }
}
