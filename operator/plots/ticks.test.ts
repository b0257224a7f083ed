import { describe, expect, test } from '@jest/globals';
import { linearTicks, logTicks, tickLabel } from './ticks.ts';

describe('ticks', () => {
  test('are multiples of 1, 2 or 5 that enclose what is shown', () => {
    expect(linearTicks(0, 10)).toEqual([0, 2, 4, 6, 8, 10]);
    expect(linearTicks(0.79, 0.98)).toEqual([0.75, 0.8, 0.85, 0.9, 0.95, 1]);
    expect(linearTicks(-3, 4)).toEqual([-4, -2, 0, 2, 4]);
  });

  test('are exact decimals, not what adding steps leaves', () => {
    expect(linearTicks(0, 0.6)).toEqual([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6]);
  });

  test('widen a range without width', () => {
    expect(linearTicks(5, 5)).toEqual([4.4, 4.6, 4.8, 5, 5.2, 5.4, 5.6]);
    expect(linearTicks(0, 0)).toEqual([-1, -0.5, 0, 0.5, 1]);
  });

  test.each([
    [-1.7e308, 1.7e308],
    [0, 5e-324],
    [1e16, 1e16 + 2],
    [1, 1 + Number.EPSILON],
  ])('stay few, growing and finite from %p to %p', (min, max) => {
    const ticks = linearTicks(min, max);
    expect(ticks.length).toBeGreaterThan(1);
    expect(ticks.length).toBeLessThan(12);
    expect(ticks.every(Number.isFinite)).toBe(true);
    expect(ticks).toEqual([...new Set(ticks)].toSorted((a, b) => a - b));
  });

  test('of a logarithm are 1, 2 and 5 of a power of ten, over many decades the powers', () => {
    expect(logTicks(0.0006, 0.04)).toEqual([0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05]);
    expect(logTicks(1e-5, 1)).toEqual([1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1]);
    expect(logTicks(1, 1)).toEqual([0.5, 1, 2]);
  });

  test.each([
    [5e-324, 1.7e308],
    [1e-300, 1e-299],
  ])('of a logarithm stay few and growing from %p to %p', (min, max) => {
    const ticks = logTicks(min, max);
    expect(ticks.length).toBeGreaterThan(1);
    expect(ticks.length).toBeLessThan(12);
    expect(ticks).toEqual([...new Set(ticks)].toSorted((a, b) => a - b));
  });

  test('are written as short as they can be', () => {
    expect([0, 0.05, 1200, 1e-7, 25_000_000, -0.3].map(tickLabel)).toEqual([
      ...['0', '0.05', '1200', '1e-7', '2.5e7', '-0.3'],
    ]);
  });
});
