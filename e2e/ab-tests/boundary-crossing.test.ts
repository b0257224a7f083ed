import { describe, expect, test } from '@jest/globals';
import { crossingProbability } from './boundary-crossing.ts';

const looks = (count: number, boundary: number) =>
  Array.from({ length: count }, (_look, at) => ({ information: (at + 1) / count, boundary }));

describe('the chance to cross a boundary', () => {
  // Armitage, McPherson & Rowe 1969, table 2: two-sided tests at 5 %, repeated; half of it is one side, but for the
  // few per mille that cross both.
  test.each([
    [1, 0.05],
    [2, 0.083],
    [5, 0.142],
    [10, 0.193],
    [20, 0.248],
  ])('of 1.96 standard errors at %s looks is what is published', (count, twoSided) => {
    expect(Math.abs(2 * crossingProbability(looks(count, 1.959964), 0) - twoSided)).toBeLessThan(
      0.003,
    );
  });

  test('of the boundary of Pocock 1977 for 5 looks is half of alpha', () => {
    expect(crossingProbability(looks(5, 2.413), 0)).toBeCloseTo(0.025, 3);
  });

  test('at one look is the power of that look', () => {
    // 1.96 + 0.84 standard errors: 80 %
    expect(crossingProbability(looks(1, 1.959964), 2.801585)).toBeCloseTo(0.8, 5);
  });

  test('with an effect is that of Jennison & Turnbull 1999, table 2.1', () => {
    // Pocock, 5 looks, power 0.8 needs 1.228 times the information of one look.
    expect(crossingProbability(looks(5, 2.413), 2.801585 * Math.sqrt(1.228))).toBeCloseTo(0.8, 2);
  });

  test('without looks is none', () => {
    expect(crossingProbability([], 1)).toBe(0);
  });
});
