import { expect, test } from '@jest/globals';
import { populationStability, stabilityBeyond } from './population-stability.ts';

test('is the divergence in both directions, less what chance adds', () => {
  // scipy.stats.entropy(a, e) + entropy(e, a) of counts with 0.5 more each, scipy 1.17.1; by chance 3 (1/1000 + 1/1000).
  const { index, excess } = populationStability({
    reference: [100, 200, 300, 400],
    current: [150, 250, 250, 350],
  });
  expect(index).toBeCloseTo(0.04699560498763511, 12);
  expect(excess).toBeCloseTo(0.04699560498763511 - 0.006, 12);
});

test('is finite where a cell is empty on one side, and leaves out one that is on both', () => {
  // By scipy as above; by chance 2 (1/1000 + 1/500).
  const { index, excess } = populationStability({
    reference: [500, 500, 0, 0],
    current: [250, 200, 50, 0],
  });
  expect(index).toBeCloseTo(0.5540345212304165, 12);
  expect(excess).toBeCloseTo(0.5540345212304165 - 0.006, 12);
});

test('knows its variance', () => {
  // 200,000 pairs of multinomial samples of 5,000 and 2,000 by numpy: 7.10e-4 around 0.2507.
  const { variance } = populationStability({
    reference: [500, 1000, 1500, 2000],
    current: [400, 600, 600, 400],
  });
  expect(variance / 7.1e-4).toBeGreaterThan(0.97);
  expect(variance / 7.1e-4).toBeLessThan(1.03);
});

test('is never surely beyond what it is, and surely beyond a tenth of it once values are many', () => {
  const options = { alpha: 0.01, plannedUnits: 1000 };
  const many = (n: number) =>
    populationStability({
      reference: [0.1 * n, 0.2 * n, 0.3 * n, 0.4 * n],
      current: [0.2 * n, 0.3 * n, 0.3 * n, 0.2 * n],
    });
  const pValue = (n: number, threshold: number) =>
    stabilityBeyond(many(n), { ...options, threshold }).pValue;
  expect(pValue(1_000_000, 0.2485)).toBe(1);
  expect(pValue(2000, 0.02485)).toBeLessThan(0.01);
  expect(pValue(50, 0.02485)).toBeGreaterThan(0.01);
});

test('of nothing, or of other cells, is refused', () => {
  expect(() => populationStability({ reference: [0], current: [1] })).toThrow('empty sample');
  expect(() => populationStability({ reference: [1], current: [1, 2] })).toThrow('1 cells');
});
