import { describe, expect, test } from '@jest/globals';
import { exactInterval, judgeRate, wilsonInterval } from './binomial-bounds.ts';

describe('bounds of a share', () => {
  test.each<[number, number, number, [number, number]]>([
    // statsmodels 0.15.0: proportion_confint(successes, units, alpha, 'beta')
    [3, 50, 0.05, [0.01254858783533406, 0.16548194660377288]],
    [0, 50, 0.05, [0, 0.07112173646419767]],
    [50, 50, 0.01, [0.8994549166252374, 1]],
  ])('are exact for %d of %d', (successes, units, alpha, [lower, upper]) => {
    const interval = exactInterval({ successes, units }, alpha);
    expect(interval.lower).toBeCloseTo(lower, 11);
    expect(interval.upper).toBeCloseTo(upper, 11);
  });

  test("are Wilson's where many are made", () => {
    const interval = wilsonInterval({ successes: 3, units: 50 }, 0.05);
    // statsmodels 0.15.0: proportion_confint(3, 50, 0.05, 'wilson')
    expect(interval.lower).toBeCloseTo(0.020614970348973943, 11);
    expect(interval.upper).toBeCloseTo(0.16217091688838173, 11);
  });
});

describe('a rate against its threshold', () => {
  const rule = { threshold: 0.99, side: 'at-least', minimumRequests: 100, alpha: 0.05 } as const;

  test.each([
    ['fail', 90, 100],
    ['inconclusive', 99, 100],
    ['inconclusive', 0, 99],
    ['inconclusive', 100, 100],
    ['pass', 1000, 1000],
    ['fail', 9850, 10_000],
    ['inconclusive', 9895, 10_000],
    ['pass', 9950, 10_000],
  ])('is a %s with %d of %d good', (verdict, successes, units) => {
    expect(judgeRate({ successes, units }, rule)).toBe(verdict);
  });

  test('may have to be low', () => {
    const atMost = { ...rule, threshold: 0.01, side: 'at-most' } as const;
    expect(judgeRate({ successes: 150, units: 10_000 }, atMost)).toBe('fail');
    expect(judgeRate({ successes: 50, units: 10_000 }, atMost)).toBe('pass');
  });

  test('at the edge is told by one request', () => {
    const all = { ...rule, threshold: 1 };
    expect(judgeRate({ successes: 999, units: 1000 }, all)).toBe('fail');
    expect(judgeRate({ successes: 1000, units: 1000 }, all)).toBe('inconclusive');
    expect(judgeRate({ successes: 0, units: 1000 }, { ...all, threshold: 0 })).toBe('pass');
  });

  test('out of 0 to 1 is refused', () => {
    expect(() => judgeRate({ successes: 1, units: 1 }, { ...rule, threshold: 99 })).toThrow(
      'the threshold of a rate is from 0 to 1, not 99',
    );
  });
});
