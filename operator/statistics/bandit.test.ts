import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { probabilitiesBest, trafficWeights } from './bandit.ts';
import { betaPosterior, normalPosterior } from './posteriors.ts';

describe('the best arm', () => {
  test.each([
    // scipy 1.17.1: integrate.quad of pdf times the others' cdf
    [
      [betaPosterior(21, 81), betaPosterior(31, 71), betaPosterior(27, 75)],
      [0.02755112208703393, 0.7161467764170987, 0.2563021014958676],
    ],
    [
      [normalPosterior(0, 1), normalPosterior(0.5, 0.01), normalPosterior(0.3, 0.5)],
      [0.2746758372962058, 0.4531993229062064, 0.27212483979758784],
    ],
  ])('is as likely as quadrature in scipy says', (arms, expected) => {
    probabilitiesBest(arms).forEach((p, index) => {
      expect(p / (expected[index] ?? 0)).toBeCloseTo(1, 9);
    });
  });

  test('is found among one of a billion units and one of none', () => {
    // P(uniform > 0.3), as the other is all but known to be 0.3
    const [, uniform] = probabilitiesBest([betaPosterior(3e8, 7e8), betaPosterior(1, 1)]);
    expect(uniform).toBeCloseTo(0.7, 6);
  });
});

describe('traffic weights', () => {
  test.each([
    [[0.5, 0.25, 0.25], 5, [48, 26, 26]],
    [[1, 1, 1], 0, [34, 33, 33]],
    [[1, 0], 5, [95, 5]],
    [[0.2, 0.8], 50, [50, 50]],
  ])('of %j with a floor of %d are %j', (shares, floor, expected) => {
    expect(trafficWeights(shares, floor)).toEqual(expected);
  });

  test('sum to 100 and keep the floor', () => {
    const shares = fc.array(fc.double({ min: 1e-6, max: 1, noNaN: true }), {
      minLength: 1,
      maxLength: 9,
    });
    fc.assert(
      fc.property(shares, fc.integer({ min: 0, max: 11 }), (given, floor) => {
        const weights = trafficWeights(given, floor);
        expect(weights.reduce((sum, weight) => sum + weight, 0)).toBe(100);
        expect(weights.every((weight) => Number.isInteger(weight) && weight >= floor)).toBe(true);
      }),
    );
  });

  test('refuse floors that do not fit and shares that say nothing', () => {
    expect(() => trafficWeights([1, 1, 1], 34)).toThrow('a floor of 34 % does not fit 3 arms');
    expect(() => trafficWeights([0, 0], 5)).toThrow('must be from 0 and not all 0');
  });
});
