import { describe, expect, test } from '@jest/globals';
import { isSampled, mix } from './sampling.ts';

describe('sampling', () => {
  test('mixes as MurmurHash3 does', () => {
    // fmix32 of 1, 2 and 0xffffffff; it maps 0 to itself.
    expect([0, 1, 2, 0xffffffff].map(mix)).toEqual([0, 0x514e28b7, 0x30f4c306, 0x81f16f39]);
  });

  test('takes all or none at the ends, and the same requests each time between them', () => {
    const ids = Array.from({ length: 20_000 }, (_, i) => `request-${String(i)}`);
    expect(ids.every((id) => isSampled(id, 1))).toBe(true);
    expect(ids.some((id) => isSampled(id, 0))).toBe(false);
    const tenth = ids.filter((id) => isSampled(id, 0.1));
    expect(tenth).toEqual(ids.filter((id) => isSampled(id, 0.1)));
    // 2000 are expected; 5 standard deviations are 212.
    expect(Math.abs(tenth.length - 2000)).toBeLessThan(212);
    // Whoever is in the smaller sample is in the larger one.
    expect(tenth.every((id) => isSampled(id, 0.2))).toBe(true);
  });
});
