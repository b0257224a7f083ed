import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { compareShares, logEvalueOfShare } from './binomial-mixture.ts';

const of = (successes: number, units: number) => ({ successes, units });

describe('the beta-binomial mixture', () => {
  test.each([
    // scipy 1.17.1: betaln(.5 + x, .5 + n - x) - betaln(.5, .5) - x ln p - (n - x) ln(1 - p)
    [3, 100, 0.05, -2.0550115653802106],
    [9985, 10_000, 0.99, 52.073308249615366],
  ])('of %d in %d against %d is as the formula says', (successes, units, share, expected) => {
    expect(logEvalueOfShare({ successes, units }, share)).toBeCloseTo(expected, 8);
  });

  test('is 1 on average over the next unit: a martingale', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 300 }),
        fc.integer({ min: 0, max: 300 }),
        fc.double({ min: 0.01, max: 0.99, noNaN: true }),
        (successes, failures, share) => {
          const now = logEvalueOfShare(of(successes, successes + failures), share);
          const hit = logEvalueOfShare(of(successes + 1, successes + failures + 1), share);
          const miss = logEvalueOfShare(of(successes, successes + failures + 1), share);
          const next = share * Math.exp(hit - now) + (1 - share) * Math.exp(miss - now);
          expect(next).toBeCloseTo(1, 9);
        },
      ),
    );
  });
});

describe('two shares, exactly', () => {
  test('are told apart where one variant always fails', () => {
    const { interval, pValue } = compareShares(of(99, 100), of(0, 20), { alpha: 0.005 });
    expect(pValue).toBeLessThan(1e-6);
    expect(interval.upper).toBeLessThan(-0.5);
    expect(interval.lower).toBeGreaterThanOrEqual(-1);
  });

  test('have an interval that ends where the evidence is 1 / alpha', () => {
    const { interval } = compareShares(of(40, 100), of(70, 110), { alpha: 0.05 });
    for (const end of [interval.lower, interval.upper]) {
      const { logEvalue } = compareShares(of(40, 100), of(70, 110), { alpha: 0.05, null: end });
      expect(logEvalue).toBeCloseTo(Math.log(20), 5);
    }
  });

  test('are symmetric in the variants', () => {
    const there = compareShares(of(40, 100), of(70, 110), { alpha: 0.05 });
    const back = compareShares(of(70, 110), of(40, 100), { alpha: 0.05 });
    expect(back.interval.lower).toBeCloseTo(-there.interval.upper, 6);
    expect(back.logEvalue).toBeCloseTo(there.logEvalue, 8);
  });

  test('tell nothing without units', () => {
    expect(compareShares(of(0, 0), of(3, 4), { alpha: 0.05 }).pValue).toBe(1);
  });
});
