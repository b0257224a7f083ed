import { describe, expect, test } from '@jest/globals';
import { backoffMs } from './backoff.ts';

const options = { baseMs: 100, maxMs: 10_000 };

describe('backoff', () => {
  test('doubles with every failure', () => {
    expect([1, 2, 3, 4].map((attempt) => backoffMs(attempt, 0.999999, options))).toEqual([
      100, 200, 400, 800,
    ]);
  });

  test('is at least half of the full delay, so that no retry comes at once', () => {
    expect([1, 2, 3].map((attempt) => backoffMs(attempt, 0, options))).toEqual([50, 100, 200]);
  });

  test('never exceeds the longest delay, however often it failed', () => {
    expect(backoffMs(1_000_000, 0.5, options)).toBe(7_500);
    expect(backoffMs(8, 0.999999, options)).toBe(10_000);
  });
});
