import { describe, expect, test } from '@jest/globals';
import { effectiveCount, inverselyWeighted } from './inverse-propensity.ts';
import { jointMomentsOf, momentsOf } from './moments.ts';

const mean = (propensity: number, values: readonly number[]) => ({
  propensity,
  aggregate: { type: 'mean', values: momentsOf(values) } as const,
});

describe('a value with inverse-propensity weights', () => {
  test('of a mean is that of the units, each with its weight', () => {
    // Python, unit by unit: weights 2 and 5.
    const found = inverselyWeighted([mean(0.5, [1, 0, 0, 1]), mean(0.2, [3, 2, 5])], 'x');
    expect(found.value).toBeCloseTo(2.347826086956522, 12);
    expect(found.variance).toBeCloseTo(0.4690735096000943, 12);
    expect(found.unitVariance).toBeCloseTo(2.9224952741020793, 12);
    expect(found.represented).toBe(23);
    expect(found.effectiveUnits).toBeCloseTo(5.813186813186813, 12);
    expect(found.units).toBe(7);
  });

  test('of a ratio is that of the weighted sums', () => {
    const ratio = (propensity: number, pairs: readonly (readonly [number, number])[]) => ({
      propensity,
      aggregate: { type: 'ratio', pairs: jointMomentsOf(pairs) } as const,
    });
    const strata = [
      ratio(0.5, [
        [2, 1],
        [3, 2],
      ]),
      ratio(0.25, [
        [1, 4],
        [5, 2],
        [2, 2],
      ]),
    ];
    expect(inverselyWeighted(strata, 'x').value).toBeCloseTo(1.105263157894737, 12);
    expect(inverselyWeighted(strata, 'x').variance).toBeCloseTo(0.22033287037392288, 12);
  });

  test('of a share stands for fewer equal units than there are', () => {
    const share = (propensity: number, units: number, successes: number) => ({
      propensity,
      aggregate: { type: 'proportion', units, successes } as const,
    });
    const found = inverselyWeighted([share(0.5, 100, 10), share(0.1, 50, 10)], 'x');
    expect(found.value).toBeCloseTo(0.17142857142857143, 12);
    expect(found.variance).toBeCloseTo(0.0017186172428154932, 12);
    expect(effectiveCount(found).units).toBeCloseTo(90.74074074074075, 9);
  });

  test('is not taken in by units that come when their values are high', () => {
    // Everybody buys twice as often at the second time, when the variant gets 9 of 10 units and not 1.
    const first = { propensity: 0.1, aggregate: { type: 'proportion', units: 100, successes: 10 } };
    const then = { propensity: 0.9, aggregate: { type: 'proportion', units: 900, successes: 180 } };
    const found = inverselyWeighted([first, then] as never, 'x');
    expect(found.value).toBeCloseTo(0.15, 12);
  });

  test('is unknown of one unit, and refused for a propensity of 0', () => {
    expect(inverselyWeighted([mean(0.5, [1])], 'x').variance).toBe(Infinity);
    expect(() => inverselyWeighted([mean(0, [1, 2])], 'control')).toThrow(
      'control: the propensity 0 must be above 0 and at most 1',
    );
  });
});
