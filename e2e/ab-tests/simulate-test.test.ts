import { describe, expect, test } from '@jest/globals';
import type { ABTestSpec } from '../../crds/schema/ab-test.ts';
import { simulateTest, type Ends } from './simulate-test.ts';
import { planOf, type Wishes } from './simulation-plan.ts';
import { aSpec } from './testing/a-test.ts';

const wishes: Wishes = {
  ...{ first: { control: 0.1 }, values: new Map(), spread: 1, normal: false },
  ...{ unitsPerDay: 1000, days: undefined, looks: 50 },
};

const run = (spec: ABTestSpec, changes: Partial<Wishes>, tests = 5): readonly Ends[] => {
  const plan = planOf(spec, { ...wishes, ...changes });
  return Array.from({ length: tests }, (_test, number) => simulateTest(plan, 1, number));
};

const winners = (ends: readonly Ends[]): readonly string[] =>
  ends.map(({ decide }) => decide.winner);

describe('a simulated test', () => {
  test('is the same again from the same seed and number', () => {
    expect(run(aSpec(), {}, 2)).toEqual(run(aSpec(), {}, 2));
  });

  test('promotes what is much better, long before its end', () => {
    const ends = run(aSpec(), { first: { control: 0.1, effects: [0.1] } });
    expect(winners(ends)).toEqual(Array<string>(5).fill('challenger'));
    for (const { decide } of ends) expect(decide.days).toBeLessThan(7);
  });

  test('does not promote what is worse, and gives up when its time is over', () => {
    const ends = run(aSpec(), { first: { control: 0.1, effects: [-0.05] }, days: 20 });
    for (const { decide } of ends) expect(decide).toEqual({ winner: 'inconclusive', days: 14 });
    expect(ends.map(({ repeated }) => repeated.winner)).toEqual(Array<string>(5).fill('control'));
  });

  test('looks the other way where less is better', () => {
    const goal = [{ name: 'conversion', type: 'proportion', direction: 'decrease' }] as const;
    const ends = run(aSpec({ metrics: { goal } }), { first: { control: 0.1, effects: [-0.06] } });
    expect(winners(ends)).toEqual(Array<string>(5).fill('challenger'));
  });

  test('keeps control when the guardrail of its only candidate breaks', () => {
    const goal = [{ name: 'conversion', type: 'proportion', direction: 'increase' }] as const;
    const margin = { absolute: 0.01 };
    const guardrails = [
      { name: 'refunds', type: 'proportion', direction: 'decrease', margin },
    ] as const;
    const values = new Map([['refunds', { control: 0.02, effects: [0.08] }]]);
    const ends = run(aSpec({ metrics: { goal, guardrails } }), { values });
    expect(winners(ends)).toEqual(Array<string>(5).fill('control'));
  });

  test('promotes the good candidate after the harmful one was dropped', () => {
    const goal = [{ name: 'conversion', type: 'proportion', direction: 'increase' }] as const;
    const margin = { absolute: 0.01 };
    const guardrails = [
      { name: 'refunds', type: 'proportion', direction: 'decrease', margin },
    ] as const;
    const candidates = [
      { name: 'harmful', version: '1.1.0', weight: 33 },
      { name: 'good', version: '1.2.0', weight: 33 },
    ];
    // The harmful one is out before it has the 1000 units of minimumSamples.
    const ends = run(aSpec({ candidates, metrics: { goal, guardrails }, minimumSamples: 1000 }), {
      values: new Map([['refunds', { control: 0.02, effects: [0.08, 0] }]]),
      first: { control: 0.1, effects: [0, 0.05] },
      unitsPerDay: 2000,
    });
    expect(winners(ends)).toEqual(Array<string>(5).fill('good'));
  });

  test('is refused where the controller would refuse it', () => {
    const goal = [
      {
        name: 'r',
        type: 'ratio',
        direction: 'increase',
        numerator: 'request-duration',
        denominator: 'x',
      },
    ] as const;
    expect(() => run(aSpec({ metrics: { goal } }), { first: { control: 1 } })).toThrow(
      /^the controller would not run this ABTest: Metric r: request-duration is/,
    );
  });
});

test('a plan for a metric the test does not have is refused', () => {
  expect(() => run(aSpec(), { values: new Map([['clicks', { control: 1 }]]) })).toThrow(
    '--metric clicks: the test has no such metric; it has conversion.',
  );
});
