/**
 * Random numbers that follow from a seed (mulberry32). Forks are independent of how many numbers
 * were drawn before, so that drawing one more in one place changes nothing elsewhere.
 */
export class SeededRandom {
  readonly #seed: number;
  #state: number;

  constructor(seed: number) {
    this.#seed = seed >>> 0;
    // Neighbouring seeds are to have nothing in common.
    this.#state = mixed(this.#seed ^ 0x9e3779b9);
  }

  /** In [0, 1). */
  readonly next = (): number => {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    return mixed(this.#state) / 2 ** 32;
  };

  /** A whole number, both ends included. */
  int(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(choices: readonly [T, ...T[]]): T {
    return choices[this.int(0, choices.length - 1)] ?? choices[0];
  }

  fork(name: string): SeededRandom {
    let hash = this.#seed;
    for (const character of name) hash = mixed((hash * 31 + (character.codePointAt(0) ?? 0)) >>> 0);
    return new SeededRandom(hash);
  }
}

const mixed = (value: number): number => {
  let mix = value >>> 0;
  mix = Math.imul(mix ^ (mix >>> 15), mix | 1);
  mix ^= mix + Math.imul(mix ^ (mix >>> 7), mix | 61);
  return (mix ^ (mix >>> 14)) >>> 0;
};
