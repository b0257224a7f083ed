import { describe, expect, test } from '@jest/globals';
import { between, noTraffic, total, type Traffic } from './traffic.ts';

const bounds = [0.1, 1];
const traffic = (requests: number, failures: number, counts: readonly number[]): Traffic => ({
  requests,
  failures,
  durations: { bounds, counts },
});

describe('between two readings', () => {
  test('lies what was answered', () => {
    const before = traffic(10, 1, [5, 3, 1]);
    const after = traffic(25, 2, [15, 6, 2]);
    expect(between(before, after)).toEqual(traffic(15, 1, [10, 3, 1]));
  });

  test('a process that began anew counts from 0, even where only one counter shows it', () => {
    const before = traffic(10, 1, [5, 3, 1]);
    for (const after of [
      traffic(4, 1, [5, 3, 1]),
      traffic(12, 0, [8, 3, 1]),
      traffic(12, 1, [9, 2, 1]),
    ]) {
      expect(between(before, after)).toEqual(after);
    }
    expect(between(before, noTraffic)).toEqual(noTraffic);
  });

  test('a process that had not even buckets before has all of them new', () => {
    const after = traffic(3, 0, [3, 0, 0]);
    expect(between(noTraffic, after)).toEqual(after);
  });

  test('other buckets cannot be compared', () => {
    const other = { requests: 20, failures: 1, durations: { bounds: [0.5], counts: [9, 9] } };
    expect(() => between(traffic(10, 1, [5, 3, 1]), other)).toThrow('different bounds');
  });
});

test('the traffic of many is added up', () => {
  expect(total([traffic(10, 1, [5, 3, 1]), noTraffic, traffic(2, 2, [0, 0, 0])])).toEqual(
    traffic(12, 3, [5, 3, 1]),
  );
  expect(total([])).toEqual(noTraffic);
});
