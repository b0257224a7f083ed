import { createHash } from 'node:crypto';

/** Everything that happened in a run, in order; two runs of a seed have the same hash. */
export class Trace {
  readonly #hash = createHash('sha256');
  readonly #now: () => number;
  readonly #print: ((line: string) => void) | undefined;
  lines = 0;

  constructor(now: () => number, print: ((line: string) => void) | undefined) {
    this.#now = now;
    this.#print = print;
  }

  add(who: string, what: string): void {
    const line = `${(this.#now() / 1000).toFixed(3).padStart(9)} ${who.padEnd(10)} ${what}`;
    this.lines += 1;
    this.#hash.update(line).update('\n');
    this.#print?.(line);
  }

  /** To be asked once, at the end. */
  digest(): string {
    return this.#hash.digest('hex').slice(0, 16);
  }
}
