/**
 * Random numbers for millions of draws (sfc32, Chris Doty-Humphrey's PractRand, public domain). A state
 * of 128 bits, as streams of a generator with 32 (e2e/seeded-random.ts) would run into one another: all
 * of them are stretches of one cycle that 10,000 tests with 70,000 units each nearly use up.
 */
export type RandomStream = {
  /** In (0, 1). */
  readonly uniform: () => number;
  /** Standard normal. */
  readonly normal: () => number;
};

/** The same for the same three numbers, and independent for any others. */
export const randomStream = (seed: number, test: number, lane: number): RandomStream => {
  const uniform = sfc32(seed, test, lane);
  let spare: number | undefined;
  /** Box & Muller 1958: two for two. */
  const normal = (): number => {
    if (spare !== undefined) {
      const kept = spare;
      spare = undefined;
      return kept;
    }
    const radius = Math.sqrt(-2 * Math.log(uniform()));
    const angle = 2 * Math.PI * uniform();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
  return { uniform, normal };
};

const sfc32 = (seed: number, test: number, lane: number): (() => number) => {
  let [a, b, c, counter] = [seed | 0, test | 0, lane | 0, 1];
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    c |= 0;
    return ((sum >>> 0) + 0.5) / 2 ** 32;
  };
  // Its author has 12 rounds mix seeds that differ in one bit.
  for (let round = 0; round < 12; round += 1) next();
  return next;
};
