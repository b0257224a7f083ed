import type { Cluster } from '../../runtime/cluster.ts';

/** The process that ends right after a write, before it learns that it happened. */
export class Crash extends Error {
  override readonly name = 'Crash';
  readonly code = 'Crash';
}

/** Ends the process after the write with this number, counted from 1 over the lifetime of the value. */
export class CrashAfterWrite {
  readonly #at: number;
  #writes = 0;

  constructor(at: number) {
    this.#at = at;
  }

  /** Whether the moment has come. */
  get happened(): boolean {
    return this.#writes >= this.#at;
  }

  /** Counts a write that has been done. */
  wrote(): void {
    this.#writes += 1;
    if (this.#writes === this.#at) throw new Crash(`crashed after write ${this.#at}`);
  }

  readonly around = (cluster: Cluster): Cluster => ({
    get: (type, key) => cluster.get(type, key),
    list: (type, options) => cluster.list(type, options),
    watch: (type, options) => cluster.watch(type, options),
    apply: async (type, object, options) => this.#after(await cluster.apply(type, object, options)),
    create: async (type, object, options) =>
      this.#after(await cluster.create(type, object, options)),
    patch: async (type, key, operations, options) =>
      this.#after(await cluster.patch(type, key, operations, options)),
    delete: async (type, key, options) => {
      await cluster.delete(type, key, options);
      this.wrote();
    },
  });

  #after<T>(value: T): T {
    this.wrote();
    return value;
  }
}
