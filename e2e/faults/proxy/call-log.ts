import type { RequestFacts, Verb } from './request-facts.ts';
import { matches, type Match } from './rule.ts';

export type CallCount = {
  readonly userAgent: string;
  readonly verb: Verb;
  readonly resource: string;
  readonly subresource: string;
  /** As the caller saw it; 0 when it saw none. */
  readonly code: number;
  readonly count: number;
};

/** How many requests came, by caller, verb, resource and answer. */
export class CallLog {
  readonly #counts = new Map<string, { readonly facts: RequestFacts; code: number; n: number }>();

  note(facts: RequestFacts, code: number): void {
    const { name: _name, ...shared } = facts;
    const key = JSON.stringify([shared, code]);
    const known = this.#counts.get(key);
    if (known === undefined) this.#counts.set(key, { facts: { ...shared, name: '' }, code, n: 1 });
    else known.n += 1;
  }

  count(match: Match = {}, code?: number): number {
    let sum = 0;
    for (const each of this.#counts.values()) {
      if (matches(match, each.facts) && (code === undefined || code === each.code)) sum += each.n;
    }
    return sum;
  }

  table(): readonly CallCount[] {
    return [...this.#counts.values()].map(({ facts, code, n }) => ({
      userAgent: facts.userAgent,
      verb: facts.verb,
      resource: facts.resource,
      subresource: facts.subresource,
      code,
      count: n,
    }));
  }

  clear(): void {
    this.#counts.clear();
  }
}
