import { describe, expect, test } from '@jest/globals';
import type { End } from './simulate-test.ts';
import { tableOf } from './report.ts';
import { tallyOf, type Tally } from './tally.ts';
import { falsePromotions, isWholeTheory, powerAgrees, verdictLine } from './verdict.ts';
import { aSpec } from './testing/a-test.ts';

const ends = (winners: readonly string[]) =>
  winners.map((winner, at) => {
    const end: End = { winner, days: at + 1 };
    return { decide: end, threshold: end, repeated: end };
  });

const ten = tallyOf(ends(['b', 'control', 'c', ...Array<string>(7).fill('inconclusive')])).decide;

describe('a tally', () => {
  test('counts how tests ended, and when', () => {
    expect(ten).toMatchObject({
      ...{ tests: 10, promoted: 0.2, controlKept: 0.1, inconclusive: 0.7 },
      ...{ medianDays: 5, slowDays: 9 },
    });
    // 2 of 10 at 99 %: scipy 1.17.1 binomtest(2, 10).proportion_ci(0.99, 'exact')
    expect(ten.interval.lower).toBeCloseTo(0.0109, 3);
    expect(ten.interval.upper).toBeCloseTo(0.6482, 3);
  });

  test('is one line of the table for each method, and one for each theory', () => {
    const tallies = { decide: ten, threshold: ten, repeated: ten };
    const theory = { sequential: 0.5, atPlannedUnits: 0.25, fixed: 0.75 };
    const lines = tableOf('title', tallies, theory);
    expect(lines).toHaveLength(7);
    expect(lines[1]).toMatch(
      /this controller +20\.0 % +1\.1 – 64\.8 % +10\.0 % +70\.0 % +5\.0 +9\.0/,
    );
    expect(tableOf('title', tallies, undefined)).toHaveLength(4);
  });
});

describe('a promise', () => {
  const aa = (promoted: number, lower: number): Tally => ({
    ...{ ...ten, tests: 1000, promoted, interval: { lower, upper: 0.1 } },
  });

  test('about false promotions is broken only where the whole interval is above alpha', () => {
    expect(falsePromotions(aa(0.06, 0.042), 0.05).holds).toBe(true);
    const broken = falsePromotions(aa(0.09, 0.068), 0.05);
    expect(verdictLine(broken)).toBe(
      'BROKEN  false promotions: 9.0 % of 1000 A/A tests (99 % interval 6.8 – 10.0 %), alpha 5.0 %',
    );
  });

  test('about power allows 5 points to both sides', () => {
    expect(powerAgrees(aa(0.75, 0.7), 0.79).holds).toBe(true);
    expect(powerAgrees(aa(0.75, 0.7), 0.69).holds).toBe(false);
    expect(powerAgrees(aa(0.75, 0.7), 0.81).holds).toBe(false);
  });

  test('about power is made where nothing but one goal decides', () => {
    expect(isWholeTheory(aSpec())).toBe(true);
    const goal = [{ name: 'a', type: 'mean', direction: 'increase' }] as const;
    const guardrail = { name: 'b', type: 'mean', direction: 'increase', margin: {} } as const;
    expect(isWholeTheory(aSpec({ metrics: { goal, guardrails: [guardrail] } }))).toBe(false);
  });
});
