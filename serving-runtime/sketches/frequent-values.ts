import type { FrequentValue } from '../protocol/sketch-record.ts';
import { keptValues } from '../protocol/sketch-record.ts';

type Counter = { count: number; error: number };

/** Space-Saving (Metwally, Agrawal, El Abbadi 2005): a new value takes the place of the least frequent one. */
export class FrequentValues {
  readonly #counters = new Map<string, Counter>();

  add(value: string): void {
    const counter = this.#counters.get(value);
    if (counter !== undefined) counter.count++;
    else if (this.#counters.size < keptValues) this.#counters.set(value, { count: 1, error: 0 });
    else this.#replaceLeast(value);
  }

  /** Most frequent first. */
  list(): readonly FrequentValue[] {
    return [...this.#counters]
      .map(([value, { count, error }]): FrequentValue => [value, count, error])
      .sort(([, a], [, b]) => b - a);
  }

  #replaceLeast(value: string): void {
    let least = '';
    let count = Number.POSITIVE_INFINITY;
    for (const [held, counter] of this.#counters) {
      if (counter.count >= count) continue;
      least = held;
      count = counter.count;
    }
    this.#counters.delete(least);
    this.#counters.set(value, { count: count + 1, error: count });
  }
}
