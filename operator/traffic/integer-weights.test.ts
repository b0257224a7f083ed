import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { integerWeights } from './integer-weights.ts';

describe('shares as whole percentages', () => {
  test.each([
    [[1], [100]],
    [
      [1, 1, 1],
      [34, 33, 33],
    ],
    [
      [90, 10],
      [90, 10],
    ],
    [
      [0.29, 0.71],
      [29, 71],
    ],
    [
      [2, 1],
      [67, 33],
    ],
    [
      [0, 3, 0],
      [0, 100, 0],
    ],
    [
      [1, 999],
      [0, 100],
    ],
    // The votes of https://en.wikipedia.org/wiki/Largest_remainders_method; of 100 seats their
    // quotas are 47, 16, 15.8, 12, 6.1 and 3.1.
    [
      [47000, 16000, 15800, 12000, 6100, 3100],
      [47, 16, 16, 12, 6, 3],
    ],
  ])('%j', (shares, weights) => {
    expect(integerWeights(shares)).toEqual(weights);
  });

  test('sum to 100, and are less than 1 from their quota', () => {
    const shares = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1 });
    fc.assert(
      fc.property(shares, (all) => {
        const whole = all.reduce((sum, share) => sum + share, 0);
        fc.pre(whole > 0);
        const weights = integerWeights(all);
        expect(weights.reduce((sum, weight) => sum + weight, 0)).toBe(100);
        for (const [i, share] of all.entries()) {
          expect(Math.abs((weights[i] ?? NaN) - (share / whole) * 100)).toBeLessThan(1 + 1e-9);
        }
      }),
    );
  });

  test.each([
    [[1, -1], 'a share must be a number from 0, not -1'],
    [[1, NaN], 'a share must be a number from 0, not NaN'],
    [[Infinity], 'a share must be a number from 0, not Infinity'],
    [[0, 0], 'shares must sum to a number over 0, not 0'],
    [[], 'shares must sum to a number over 0, not 0'],
  ])('%j is refused', (shares, message) => {
    expect(() => integerWeights(shares)).toThrow(message);
  });
});
