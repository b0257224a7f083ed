import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  boundaryAt,
  confidenceSequence,
  nothingKnown,
  runningPValue,
} from './confidence-sequence.ts';

describe('the asymptotic confidence sequence', () => {
  const plan = { alpha: 0.05, plannedUnits: 5000 };

  test.each<[number, number, [number, number], number]>([
    // gbstats 0.8.0: SequentialTwoSidedTTest, absolute and relative, n 3000 and 3100, means 10 and 10.3,
    // variances 9 and 9.5, sequential_tuning_parameter 5000
    [0.3, 0.006064516129032258, [0.06349210655274479, 0.5365078934472567], 0.003921471505785502],
    [0.03, 6.247216129032259e-5, [0.005995601512000463, 0.05400439848799968], 0.004773866385300082],
  ])('is that of gbstats for an effect of %d', (value, variance, [lower, upper], pValue) => {
    const result = confidenceSequence({ value, variance, units: 6100 }, plan);
    expect(result.interval.lower / lower).toBeCloseTo(1, 9);
    expect(result.interval.upper / upper).toBeCloseTo(1, 9);
    expect(result.pValue / pValue).toBeCloseTo(1, 9);
  });

  test('has a nearer bound when it looks to one side only', () => {
    // scipy 1.17.1: brentq of ln of the half-normal mixture - ln 20, rho2 * 2000 with alpha 0.1 and N* 5000
    expect(boundaryAt(2000, { ...plan, alternative: 'greater' })).toBeCloseTo(2.864584379954074, 9);
  });

  test('rejects exactly when its interval has left the null hypothesis', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -6, max: 6, noNaN: true }),
        fc.integer({ min: 2, max: 1_000_000 }),
        fc.constantFrom('two-sided', 'greater', 'less'),
        (value, units, alternative) => {
          const { interval, pValue } = confidenceSequence(
            { value, variance: 1, units },
            { ...plan, alternative, null: 0.25 },
          );
          expect(interval.lower > 0.25 || interval.upper < 0.25).toBe(pValue < 0.05);
        },
      ),
    );
  });

  test('is the mirror image for the mirrored effect', () => {
    const effect = { value: 3, variance: 1, units: 4000 };
    const less = confidenceSequence({ ...effect, value: -3 }, { ...plan, alternative: 'less' });
    const greater = confidenceSequence(effect, { ...plan, alternative: 'greater' });
    expect(less.pValue).toBe(greater.pValue);
    expect(less.interval.upper).toBe(-greater.interval.lower);
    expect(less.interval.lower).toBe(Number.NEGATIVE_INFINITY);
  });

  test.each([0, Number.POSITIVE_INFINITY])('says nothing with a variance of %d', (variance) => {
    expect(confidenceSequence({ value: 1, variance, units: 10 }, plan)).toEqual(nothingKnown);
  });

  test('has evidence that overflows nothing', () => {
    const { pValue, logEvalue } = confidenceSequence({ value: 1e6, variance: 1, units: 1e9 }, plan);
    expect(pValue).toBe(0);
    expect(Number.isFinite(logEvalue)).toBe(true);
  });

  test('keeps the least p-value of all looks', () => {
    expect(runningPValue(0.01, 0.3)).toBe(0.01);
    expect(runningPValue(0.3, 0.01)).toBe(0.01);
  });
});
