/**
 * Keeps up to `most` of the items it is given, evenly spread over their order, in bounded memory:
 * whenever it is full it drops every second one and from then on takes every second only. The same
 * items always give the same sample.
 */
export class EvenSample<T> {
  #items: T[] = [];
  #stride = 1;
  #seen = 0;
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  add(item: T): void {
    if (this.#seen % this.#stride === 0) this.#items.push(item);
    this.#seen += 1;
    if (this.#items.length > this.#most) {
      this.#items = this.#items.filter((_, index) => index % 2 === 0);
      this.#stride *= 2;
    }
  }

  get items(): readonly T[] {
    return this.#items;
  }

  /** How many were given. */
  get seen(): number {
    return this.#seen;
  }
}
