import { expect, test } from '@jest/globals';
import type { Ratio } from './aggregates.ts';
import { awayFromBoundary } from './boundary-rates.ts';
import { judgeGuardrail } from './guardrail.ts';
import { jointMomentsOf } from './moments.ts';

/** So many units of two events each, of the first so many one counts. */
const rate = (units: number, counting: number): Ratio => ({
  type: 'ratio',
  pairs: jointMomentsOf(
    Array.from({ length: units }, (_, i) => [i < counting ? 1 : 0, 2] as const),
  ),
});
const options = {
  ...({ direction: 'decrease', margin: { absolute: 0.05 } } as const),
  ...{ alpha: 0.05, plannedUnits: 1200 },
};

test('rates that are 0 in both variants are surely not worse, once there are enough units', () => {
  const judged = (units: number) =>
    judgeGuardrail(...awayFromBoundary(rate(units, 0), rate(units, 0)), options).verdict;
  expect(judged(600)).toBe('safe');
  expect(judged(100)).toBe('undecided');
});

test('a rate of 0 beside one that is clearly not is harmful', () => {
  const pair = awayFromBoundary(rate(800, 0), rate(800, 400));
  expect(judgeGuardrail(...pair, options).verdict).toBe('harmful');
});

test('rates away from 0 and 1 stay as they are', () => {
  const [control, treatment] = [rate(600, 3), rate(600, 5)];
  expect(awayFromBoundary(control, treatment)).toEqual([control, treatment]);
});

test('each gets one event of either kind', () => {
  const [control] = awayFromBoundary(rate(2, 0), rate(2, 0));
  // Four units with 1 counting event of 2 + 2 + 1 + 1.
  expect(control.pairs.count).toBe(4);
  expect(control.pairs.first.mean).toBeCloseTo(0.25, 12);
  expect(control.pairs.second.mean).toBeCloseTo(1.5, 12);
});
