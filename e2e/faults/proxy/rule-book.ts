import type { RequestFacts } from './request-facts.ts';
import { matches, type Fault, type Rule } from './rule.ts';

export type FaultType = Fault['type'];

/** A rule that is in force, until it is removed. */
export type RuleHandle = {
  readonly name: string;
  /** How often its fault was done. */
  readonly hits: number;
  remove(): void;
};

type Entry = { readonly rule: Rule; seen: number; hits: number; readonly onHit: () => void };

/** The rules in force, in the order they were added, with their counters. */
export class RuleBook {
  readonly #random: () => number;
  readonly #entries = new Set<Entry>();

  constructor(random: () => number) {
    this.#random = random;
  }

  /** `onHit` is called in the very moment the fault is done, before anything else happens. */
  add(rule: Rule, onHit: () => void = () => {}): RuleHandle {
    const entry: Entry = { rule, seen: 0, hits: 0, onHit };
    this.#entries.add(entry);
    return {
      name: rule.name,
      get hits() {
        return entry.hits;
      },
      remove: () => void this.#entries.delete(entry),
    };
  }

  clear(): void {
    this.#entries.clear();
  }

  counts(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#entries].map(({ rule, hits }) => [rule.name, hits]));
  }

  /** The first rule with a fault of these types that strikes now; counted as a hit. */
  strike<T extends FaultType>(
    facts: RequestFacts,
    types: readonly T[],
  ): { readonly fault: Extract<Fault, { type: T }>; readonly onHit: () => void } | undefined {
    for (const entry of this.#entries) {
      const { rule } = entry;
      if (!(types as readonly string[]).includes(rule.fault.type)) continue;
      if (!matches(rule.match ?? {}, facts) || !this.#isDue(entry)) continue;
      entry.hits += 1;
      return { fault: rule.fault as Extract<Fault, { type: T }>, onHit: entry.onHit };
    }
    return undefined;
  }

  /** Whether a rule of this type is in force for such a request, hits or not. */
  holds(facts: RequestFacts, type: FaultType): boolean {
    return [...this.#entries].some(
      ({ rule }) => rule.fault.type === type && matches(rule.match ?? {}, facts),
    );
  }

  #isDue(entry: Entry): boolean {
    const { after = 0, times = Number.POSITIVE_INFINITY, probability = 1 } = entry.rule;
    if (entry.hits >= times) return false;
    entry.seen += 1;
    return entry.seen > after && (probability >= 1 || this.#random() < probability);
  }
}
