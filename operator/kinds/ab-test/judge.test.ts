import { describe, expect, test } from '@jest/globals';
import { judgeTest } from './judge.ts';
import type { Measurement } from './measurement.ts';
import type { TestPlan } from './test-plan.ts';

const PLAN: TestPlan = {
  ...{ alpha: 0.05, minimumSamples: 1000 },
  candidates: [
    { name: 'harmful', version: '1.1.0', weight: 33 },
    { name: 'good', version: '1.2.0', weight: 33 },
  ],
  metrics: {
    goal: [{ name: 'conversion', type: 'proportion', direction: 'increase' }],
    guardrails: [
      { name: 'refunds', type: 'proportion', direction: 'decrease', margin: { absolute: 0.01 } },
    ],
  },
};

type Counted = { readonly units: number; readonly conversions: number; readonly refunds: number };

const measured = (counts: Readonly<Record<string, Counted>>): Measurement => ({
  variants: Object.entries(counts).map(([variant, { units }]) => ({ variant, units })),
  ...{ conflictingUnits: 0, outcomesOfUnknownUnits: 0, outcomesBeforeExposure: 0, periods: [] },
  metrics: Object.entries(counts).flatMap(([variant, { units, conversions, refunds }]) => [
    {
      ...{ variant, metric: 'conversion' },
      aggregate: { type: 'proportion', units, successes: conversions },
    },
    {
      ...{ variant, metric: 'refunds' },
      aggregate: { type: 'proportion', units, successes: refunds },
    },
  ]),
});

/** One candidate was taken out at 600 units; control has had its share since. */
const afterADrop = measured({
  control: { units: 12_740, conversions: 1274, refunds: 255 },
  harmful: { units: 600, conversions: 60, refunds: 60 },
  good: { units: 6600, conversions: 990, refunds: 132 },
});

describe('after a harmful candidate was dropped', () => {
  test('its units, of which there come no more, are no sample ratio mismatch', () => {
    expect(judgeTest(PLAN, afterADrop).isMismatched).toBe(true);
    expect(judgeTest(PLAN, afterADrop, ['harmful']).isMismatched).toBe(false);
  });

  test('nobody waits for its samples, and another one can win', () => {
    expect(judgeTest(PLAN, afterADrop, ['harmful'])).toMatchObject({
      ...{ short: [], winners: ['good'], harmful: ['harmful'] },
    });
  });

  test('it stays out, though later numbers alone would not show the harm', () => {
    const calmer = measured({
      control: { units: 12_740, conversions: 1274, refunds: 255 },
      harmful: { units: 6000, conversions: 900, refunds: 120 },
      good: { units: 6600, conversions: 660, refunds: 132 },
    });
    expect(judgeTest(PLAN, calmer).winners).toEqual(['harmful']);
    expect(judgeTest(PLAN, calmer, ['harmful'])).toMatchObject({
      ...{ winners: [], harmful: ['harmful'] },
    });
  });

  test('the others are still held to their weights', () => {
    const candidates = [...PLAN.candidates, { name: 'third', version: '1.3.0', weight: 30 }];
    const skewed = measured({
      control: { units: 5000, conversions: 500, refunds: 100 },
      harmful: { units: 600, conversions: 60, refunds: 60 },
      good: { units: 6600, conversions: 660, refunds: 132 },
      third: { units: 3000, conversions: 300, refunds: 60 },
    });
    expect(judgeTest({ ...PLAN, candidates }, skewed, ['harmful']).isMismatched).toBe(true);
  });
});
