type Waiting = { readonly keys: readonly string[]; readonly go: () => void };

/**
 * Lets so many things of one key happen at once, in the order they came; one that waits for its keys
 * holds up nobody with other keys.
 */
export class Turns {
  readonly #atOnce: number;
  readonly #busy = new Map<string, number>();
  readonly #waiting: Waiting[] = [];

  constructor(atOnce: number) {
    this.#atOnce = atOnce;
  }

  /** Does the work once each of the keys has room. Throws the signal's reason when it aborts before. */
  async take<T>(keys: readonly string[], signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    await this.#turn(keys, signal);
    try {
      return await work();
    } finally {
      for (const key of keys) this.#add(key, -1);
      this.#next();
    }
  }

  async #turn(keys: readonly string[], signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const waiting: Waiting = {
        keys,
        go: () => {
          signal.removeEventListener('abort', leave);
          resolve();
        },
      };
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
        reject(signal.reason as Error);
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#waiting.push(waiting);
      this.#next();
    });
  }

  #next(): void {
    for (const waiting of [...this.#waiting]) {
      if (!waiting.keys.every((key) => (this.#busy.get(key) ?? 0) < this.#atOnce)) continue;
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
      for (const key of waiting.keys) this.#add(key, 1);
      waiting.go();
    }
  }

  #add(key: string, change: number): void {
    const busy = (this.#busy.get(key) ?? 0) + change;
    if (busy === 0) this.#busy.delete(key);
    else this.#busy.set(key, busy);
  }
}
