import { describe, expect, test } from '@jest/globals';

import { misdirected, type PodChange } from './pod-readiness.ts';

const second = (n: number): number => Date.parse('2026-03-01T12:00:00Z') + n * 1000;
const stamp = (n: number): string => new Date(second(n)).toISOString();

const change = (at: number, ready: string, since: number, more: object = {}): PodChange => ({
  at: second(at),
  isDeleted: false,
  fields: { name: 'times-x', ip: '100.64.0.7', ready, since: stamp(since), stops: '', ...more },
});
/** Made at 0, ready at 10. */
const COMES_UP = [change(1, 'False', 0), change(10.2, 'True', 10)];
const stoppedAt = (at: number) => change(at, 'True', 10, { stops: stamp(at + 45) });

const at = (n: number) => ({ ip: '100.64.0.7', sentAt: second(n) });
const asked = (n: number, changes: readonly PodChange[]) => misdirected([at(n)], changes).length;

describe('a request went to a pod that', () => {
  test.each([
    ['is not ready yet', 9, COMES_UP, 1],
    ['is ready', 11, COMES_UP, 0],
    ['nobody knows', 11, [], 1],
    ['stopped being ready', 22, [...COMES_UP, change(20.4, 'False', 20)], 1],
    ['is ready again', 31, [...COMES_UP, change(20.4, 'False', 20), change(30.3, 'True', 30)], 0],
    ['drains', 24, [...COMES_UP, stoppedAt(20)], 0],
    ['has drained', 26, [...COMES_UP, stoppedAt(20)], 1],
    ['drained and says so late', 26, [...COMES_UP, stoppedAt(20), change(27, 'False', 27)], 1],
    ['is gone', 23, [...COMES_UP, { ...stoppedAt(22), isDeleted: true }], 1],
  ])('%s', (_what, when, changes, wrong) => {
    expect(asked(when, changes)).toBe(wrong);
  });

  test('is named with its times', () => {
    expect(misdirected([at(9)], COMES_UP)).toEqual([
      { ...at(9), why: 'sent at 12:00:09.000; the pod was ready 12:00:10.000 to the end' },
    ]);
  });
});
