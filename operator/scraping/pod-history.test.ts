import { describe, expect, test } from '@jest/globals';
import { emptyHistogram } from '../traffic/histogram.ts';
import { PodHistory } from './pod-history.ts';
import type { Reading } from './reading.ts';

/** Times are seconds here. */
const reading = (requests: number, startedAt?: number): Reading => ({
  traffic: { requests, failures: 0, durations: emptyHistogram },
  startedAt: startedAt === undefined ? undefined : new Date(startedAt * 1000),
});

const history = (...readings: readonly (readonly [at: number, reading: Reading])[]) => {
  const pod = new PodHistory();
  for (const [at, each] of readings) {
    pod.add(at * 1000, each, each.startedAt?.getTime(), undefined);
  }
  return (since: number) => {
    const stretch = pod.since(since * 1000);
    return stretch === undefined
      ? undefined
      : [stretch.traffic.requests, stretch.from / 1000, stretch.to / 1000];
  };
};

describe('a window', () => {
  test('begins with the newest snapshot at or before it', () => {
    const since = history([100, reading(5)], [110, reading(7)], [120, reading(12)]);
    expect(since(100)).toEqual([7, 100, 120]);
    expect(since(109)).toEqual([7, 100, 120]);
    expect(since(110)).toEqual([5, 110, 120]);
    expect(since(120)).toEqual([0, 120, 120]);
  });

  test('has nothing of a pod that was not read since', () => {
    expect(history([100, reading(5)])(101)).toBeUndefined();
    expect(history()(0)).toBeUndefined();
  });

  test('has all of a pod whose process began after it', () => {
    const since = history([100, reading(5, 95)], [110, reading(7, 95)]);
    expect(since(90)).toEqual([7, 95, 110]);
    expect(since(95)).toEqual([2, 100, 110]);
  });

  test('begins with the first snapshot where the start is unknown, or in the future', () => {
    expect(history([100, reading(5)], [110, reading(7)])(90)).toEqual([2, 100, 110]);
    expect(history([100, reading(5, 105)], [110, reading(7, 105)])(90)).toEqual([2, 100, 110]);
  });
});

describe('a process that begins anew', () => {
  test('adds to what there was, and to every window', () => {
    const since = history(
      ...[[100, reading(50)] as const, [110, reading(60)] as const],
      ...[[120, reading(4)] as const, [130, reading(9)] as const],
    );
    expect(since(100)).toEqual([19, 100, 130]);
    expect(since(110)).toEqual([9, 110, 130]);
    expect(since(120)).toEqual([5, 120, 130]);
  });

  test('is known by its start where its counters have overtaken the old ones', () => {
    const since = history([100, reading(50, 10)], [110, reading(60, 105)]);
    expect(since(100)).toEqual([60, 100, 110]);
    expect(history([100, reading(50)], [110, reading(60, 10)])(100)).toEqual([10, 100, 110]);
  });
});

describe('of more than 256 snapshots', () => {
  const add = (pod: PodHistory, count: number, pinned?: number): void => {
    for (let at = 0; at < count; at++) pod.add(at, reading(at), undefined, pinned);
  };
  const beginning = (pod: PodHistory, since: number) => pod.since(since)?.from;

  test('the oldest goes', () => {
    const pod = new PodHistory();
    add(pod, 300);
    expect(beginning(pod, 0)).toBe(44);
    expect(beginning(pod, 60)).toBe(60);
  });

  test('the one that the window asked for begins with stays', () => {
    const pod = new PodHistory();
    add(pod, 1000, 100);
    expect(beginning(pod, 100)).toBe(100);
    // In the gap behind it.
    expect(beginning(pod, 744)).toBe(100);
    expect(beginning(pod, 745)).toBe(745);
    expect(pod.since(100)?.traffic.requests).toBe(899);
  });
});
