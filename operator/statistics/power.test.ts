import { describe, expect, test } from '@jest/globals';
import {
  fixedPower,
  sequentialFactor,
  sequentialPower,
  unitsForMeans,
  unitsForProportions,
} from './power.ts';

const plan = { alpha: 0.05, power: 0.8 };

describe('the size of a test', () => {
  test('is that of a test with one look', () => {
    // 3840.85: Fleiss' formula with scipy 1.17.1 norm.isf; 1569.77: statsmodels 0.15.0
    // NormalIndPower().solve_power(effect_size=0.1, alpha=0.05, power=0.8)
    expect(unitsForProportions(0.1, 0.12, plan)).toBe(3841);
    expect(unitsForMeans(0.1, 1, plan)).toBe(1570);
  });

  test('gives the power asked for', () => {
    // statsmodels 0.15.0: NormalIndPower().power(effect_size=0.1, nobs1=1000, alpha=0.05)
    expect(fixedPower(0.1, Math.sqrt(2 / 1000), 0.05)).toBeCloseTo(0.6087794846454566, 10);
  });

  test('is about twice as large where one may look at any time', () => {
    // scipy 1.17.1: the boundary at the planned units, 3.0352 standard errors, and norm.isf
    expect(sequentialFactor(plan)).toBeCloseTo(1.9148990803809498, 9);
    const units = unitsForMeans(0.1, 1, plan) * sequentialFactor(plan);
    expect(sequentialPower(0.1, Math.sqrt(2 / units), 0.05)).toBeCloseTo(0.8, 3);
  });
});
