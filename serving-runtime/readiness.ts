/** Whether this process answers inferences now, for those that wait for a change of it. */
export class Readiness {
  readonly #read: () => boolean;
  readonly #listeners = new Set<() => void>();

  constructor(read: () => boolean) {
    this.#read = read;
  }

  get isReady(): boolean {
    return this.#read();
  }

  /** Gives how to stop listening. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  changed(): void {
    for (const listener of this.#listeners) listener();
  }
}
