import { describe, expect, test } from '@jest/globals';
import { bucketOf, seedOf } from './unit-hash.ts';

/** The uids of two tests. */
const A = '2f1c9a0e-6d5b-4c1f-9a77-0b8f5f0c1d2e';
const B = '7b3d0c4e-1f2a-4b5c-8d6e-9f0a1b2c3d4e';

/** The 99.9 % quantile of chi-squared with 99 degrees of freedom (NIST, handbook 1.3.6.7.4). */
const CHI_SQUARED_99 = 148.2;
const UNITS = 20_000;

const chiSquared = (counts: readonly number[]): number =>
  counts.reduce((sum, count) => sum + (count - UNITS / 100) ** 2 / (UNITS / 100), 0);

describe('the bucket of a unit', () => {
  // What the filter's own Lua answered under LuaJIT 2.1.0-beta3 for these salts and units.
  test.each([
    ['user-1', 58, 91],
    ['user-2', 15, 22],
    ['user-3', 53, 59],
    ['ada@example.com', 88, 24],
    ['0', 4, 84],
    ['a b', 77, 82],
    ['(%d+)[^;]*$', 2, 75],
    ['x'.repeat(512), 99, 29],
  ])('of %j is what LuaJIT says at the gateway', (unit, ofA, ofB) => {
    expect([bucketOf(A, unit), bucketOf(B, unit)]).toEqual([ofA, ofB]);
  });

  test('comes from FNV-1a', () => {
    // 'foobar' has 0xbf9cf968 (http://www.isthe.com/chongo/src/fnv/test_fnv.c), then NUL: times the prime.
    expect(seedOf('foobar')).toBe(Math.imul(0xbf9cf968, 0x01000193));
  });

  test('is any of 100 equally often, for names that count up', () => {
    const counts = new Array<number>(100).fill(0);
    for (let i = 0; i < UNITS; i++) {
      const bucket = bucketOf(A, `user-${i}`);
      counts[bucket] = (counts[bucket] ?? NaN) + 1;
    }
    expect(chiSquared(counts)).toBeLessThan(CHI_SQUARED_99);
  });

  test('of one test says nothing of that of another test', () => {
    const counts = new Array<number>(100).fill(0);
    for (let i = 0; i < UNITS; i++) {
      const tens = [A, B].map((salt) => Math.floor(bucketOf(salt, `user-${i}`) / 10));
      const cell = Number(tens.join(''));
      counts[cell] = (counts[cell] ?? NaN) + 1;
    }
    expect(chiSquared(counts)).toBeLessThan(CHI_SQUARED_99);
  });

  test('does not mix up where the salt ends', () => {
    const pairs = Array.from({ length: 50 }, (_, i) => [
      bucketOf('a', `b${i}`),
      bucketOf('ab', `${i}`),
    ]);
    expect(pairs.filter(([one, other]) => one === other).length).toBeLessThan(10);
  });
});
