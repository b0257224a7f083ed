import type { Target } from './target.ts';

/** One thing the protocol asks of a server; the name is a sentence about the server. */
export type Case = {
  readonly name: string;
  /** Throws `Mismatch` where the server does something else, `NotApplicable` where it cannot be asked. */
  readonly check: (target: Target) => Promise<void>;
};

export class Mismatch extends Error {
  override readonly name = 'Mismatch';
}

export class NotApplicable extends Error {
  override readonly name = 'NotApplicable';
}

/** Throws `Mismatch` unless it holds. */
export function expectThat(holds: boolean, wanted: string, got: unknown): asserts holds {
  if (!holds) throw new Mismatch(`wanted ${wanted}, got ${inBrief(got)}`);
}

export function expectSame(got: unknown, wanted: unknown, what: string): void {
  const [a, b] = [JSON.stringify(got), JSON.stringify(wanted)];
  expectThat(a === b, `${what} ${inBrief(wanted)}`, got);
}

const inBrief = (value: unknown): string => {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
};
