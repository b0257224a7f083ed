import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  jointMomentsOf,
  mergeJointMoments,
  mergeMoments,
  momentsOf,
  noMoments,
  variance,
} from './moments.ts';

const values = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { maxLength: 30 });
const pairs = fc.array(
  fc.tuple(
    fc.double({ min: -1e3, max: 1e3, noNaN: true }),
    fc.double({ min: -1e3, max: 1e3, noNaN: true }),
  ),
  { maxLength: 30 },
);
const near = (a: number, b: number, scale: number): boolean =>
  Math.abs(a - b) <= 1e-9 * (1 + scale);

describe('moments', () => {
  test('keep the variance of small differences at a large mean', () => {
    // Sums of squares give 0 or worse here; the variance of 4, 7, 13, 16 is 30.
    const moments = momentsOf([1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16]);
    expect(moments.mean).toBe(1e9 + 10);
    expect(variance(moments)).toBe(30);
  });

  test('of fewer than two values tell no variance', () => {
    expect(variance(momentsOf([3]))).toBe(Number.POSITIVE_INFINITY);
    expect(variance(noMoments)).toBe(Number.POSITIVE_INFINITY);
  });

  test('merge to those of all values, however they are cut', () => {
    fc.assert(
      fc.property(values, values, values, (a, b, c) => {
        const [x, y, z] = [momentsOf(a), momentsOf(b), momentsOf(c)];
        const left = mergeMoments(mergeMoments(x, y), z);
        const right = mergeMoments(x, mergeMoments(y, z));
        const all = momentsOf([...a, ...b, ...c]);
        for (const merged of [left, right]) {
          expect(merged.count).toBe(all.count);
          expect(near(merged.mean, all.mean, 1e6)).toBe(true);
          expect(near(merged.m2, all.m2, 1e12)).toBe(true);
        }
      }),
    );
  });

  test('of pairs merge in either order to those of all pairs', () => {
    fc.assert(
      fc.property(pairs, pairs, (a, b) => {
        const all = jointMomentsOf([...a, ...b]);
        for (const [one, other] of [[a, b] as const, [b, a] as const]) {
          const merged = mergeJointMoments(jointMomentsOf(one), jointMomentsOf(other));
          expect(merged.count).toBe(all.count);
          expect(near(merged.cross, all.cross, 1e6)).toBe(true);
          expect(near(merged.first.m2, all.first.m2, 1e6)).toBe(true);
          expect(near(merged.second.mean, all.second.mean, 1e3)).toBe(true);
        }
      }),
    );
  });
});
