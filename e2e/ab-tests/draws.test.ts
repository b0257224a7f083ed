import { describe, expect, test } from '@jest/globals';
import { binomial, chiSquare, geometric } from './draws.ts';
import { randomStream } from './random-stream.ts';

const DRAWS = 40_000;
const draws = (draw: () => number): readonly number[] => Array.from({ length: DRAWS }, draw);
const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
const variance = (values: readonly number[]): number => {
  const middle = mean(values);
  return mean(values.map((value) => (value - middle) ** 2));
};
const share = (values: readonly number[], of: number): number =>
  values.filter((value) => value === of).length / values.length;

describe('binomial draws', () => {
  // n choose k p^k (1 - p)^(n - k), Python 3 math.comb; 0.008 is 4 standard errors and more.
  test.each([
    ['by rejection', { count: 40, chance: 0.3, of: 12, expected: 0.1365738 }],
    ['of a share above a half', { count: 40, chance: 0.7, of: 28, expected: 0.1365738 }],
    ['by waiting times', { count: 20, chance: 0.1, of: 2, expected: 0.2851798 }],
  ])(
    'have the right number as often as they should: %s',
    (_name, { count, chance, of, expected }) => {
      const random = randomStream(1, 2, 3);
      const drawn = draws(() => binomial(count, chance, random));
      expect(Math.abs(share(drawn, of) - expected)).toBeLessThan(0.009);
      expect(mean(drawn) / (count * chance)).toBeCloseTo(1, 1);
      expect(variance(drawn) / (count * chance * (1 - chance))).toBeCloseTo(1, 1);
      expect(drawn.every((each) => Number.isInteger(each) && each >= 0 && each <= count)).toBe(
        true,
      );
    },
  );

  test('have the right tail', () => {
    const random = randomStream(5, 0, 0);
    // Binomial(40, 0.3) at 20: 0.0038351, Python 3 math.comb; 4 standard errors are 0.0012.
    const drawn = draws(() => binomial(40, 0.3, random));
    expect(Math.abs(share(drawn, 20) - 0.0038351)).toBeLessThan(0.0012);
  });

  test('of impossible and of certain units need no luck', () => {
    const random = randomStream(1, 0, 0);
    expect(binomial(7, 0, random)).toBe(0);
    expect(binomial(7, 1, random)).toBe(7);
    expect(binomial(0, 0.5, random)).toBe(0);
  });
});

test.each([0, 1, 2, 9, 300])(
  'chi-square with %s degrees of freedom has mean df, variance 2 df',
  (df) => {
    const random = randomStream(7, df, 0);
    const drawn = draws(() => chiSquare(df, random));
    expect(Math.abs(mean(drawn) - df)).toBeLessThanOrEqual(4 * Math.sqrt((2 * df) / DRAWS));
    expect(Math.abs(variance(drawn) - 2 * df)).toBeLessThanOrEqual(0.15 * df);
  },
);

test('geometric numbers have the mean they are asked for', () => {
  const random = randomStream(9, 0, 0);
  // Variance m + m^2 = 12: a standard error of 0.017.
  expect(Math.abs(mean(draws(() => geometric(3, random))) - 3)).toBeLessThan(0.07);
});

describe('streams', () => {
  test('are the same for the same numbers, and others for others', () => {
    const first = (seed: number, of: number, lane: number) =>
      randomStream(seed, of, lane).uniform();
    expect(first(1, 2, 3)).toBe(first(1, 2, 3));
    expect(new Set([first(1, 2, 3), first(2, 2, 3), first(1, 3, 3), first(1, 2, 4)]).size).toBe(4);
  });

  test('of neighbouring tests have nothing in common', () => {
    const [one, other] = [randomStream(1, 1, 0), randomStream(1, 2, 0)];
    // Correlation of 40,000 independent pairs: 0 with a standard error of 0.005.
    expect(Math.abs(mean(draws(() => one.normal() * other.normal())))).toBeLessThan(0.02);
  });
});
