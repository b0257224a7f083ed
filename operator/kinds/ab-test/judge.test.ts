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

describe('with one candidate left after a drop', () => {
  /** Control and the good one had 34 and 33 of 100 units, then 67 and 33. */
  const periods = (afterDrop: { readonly control: number; readonly good: number }) => [
    {
      ...{ since: '2026-02-01T10:00:00Z', weights: { control: 34, harmful: 33, good: 33 } },
      variants: [
        { variant: 'control', units: 612 },
        { variant: 'harmful', units: 600 },
        { variant: 'good', units: 600 },
      ],
      metrics: [],
    },
    {
      ...{ since: '2026-02-01T11:00:00Z', weights: undefined, metrics: [] },
      variants: [{ variant: 'control', units: 5000 }],
    },
    {
      ...{ since: '2026-02-01T11:00:15Z', weights: { control: 67, harmful: 0, good: 33 } },
      variants: Object.entries(afterDrop).map(([variant, units]) => ({ variant, units })),
      metrics: [],
    },
  ];

  test('its units are held to the weights of the time, without those of the change', () => {
    const split = { ...afterADrop, periods: periods({ control: 12_128, good: 6000 }) };
    expect(judgeTest(PLAN, split, ['harmful']).isMismatched).toBe(false);
  });

  test('units it loses are a mismatch', () => {
    const lossy = { ...afterADrop, periods: periods({ control: 12_128, good: 5400 }) };
    expect(judgeTest(PLAN, lossy, ['harmful']).isMismatched).toBe(true);
  });
});

describe('secondary metrics', () => {
  const names = ['a', 'b', 'c', 'd'];
  const plan: TestPlan = {
    ...PLAN,
    candidates: [{ name: 'good', version: '1.2.0', weight: 50 }],
    metrics: {
      goal: [{ name: 'conversion', type: 'proportion', direction: 'increase' }],
      secondary: names.map((name) => ({ name, type: 'proportion', direction: 'increase' })),
    },
  };
  const measuredWith = (good: readonly number[]): Measurement => ({
    ...measured({
      control: { units: 5000, conversions: 500, refunds: 0 },
      good: { units: 5000, conversions: 500, refunds: 0 },
    }),
    metrics: ['conversion', ...names].flatMap((metric, index) =>
      (['control', 'good'] as const).map((variant) => ({
        ...{ variant, metric },
        aggregate: {
          ...{ type: 'proportion' as const, units: 5000 },
          successes: variant === 'control' || index === 0 ? 500 : (good[index - 1] ?? 0),
        },
      })),
    ),
  });
  const found = (good: readonly number[]) =>
    judgeTest(plan, measuredWith(good)).findings.filter(({ role }) => role === 'secondary');

  test('decide nothing, be they better or worse', () => {
    const judgement = judgeTest(plan, measuredWith([1000, 1000, 100, 500]));
    expect(judgement.findings.map(({ verdict }) => verdict)).toEqual([
      ...['unsure', 'better', 'better', 'worse', 'unsure'],
    ]);
    expect(judgement).toMatchObject({ winners: [], harmful: [] });
  });

  test('have p-values by Benjamini and Hochberg: one alone is no discovery that is one beside others', () => {
    const alone = found([610, 500, 500, 500]);
    const beside = found([610, 1000, 1000, 1000]);
    const pOf = (findings: typeof alone) =>
      findings[0]?.role === 'secondary' ? findings[0].adjustedP : NaN;
    // Of four p-values the least counts four times, the greatest once.
    expect(pOf(alone) / pOf(beside)).toBeCloseTo(4, 9);
    expect(alone[0]?.verdict).toBe('unsure');
    expect(beside[0]?.verdict).toBe('better');
  });

  test('have intervals that leave out 0 just where they are discoveries', () => {
    for (const findings of [found([610, 500, 500, 500]), found([610, 1000, 1000, 1000])]) {
      for (const { comparison, verdict } of findings) {
        expect(comparison.interval.lower > 0).toBe(verdict === 'better');
      }
    }
  });
});
