import { describe, expect, test } from '@jest/globals';
import type { ABTest } from '../../../crds/schema/ab-test.ts';
import { meta } from '../testing/builders.ts';
import { beliefsOf, nextWeights, withoutDropped } from './bandit.ts';
import { judgeTest } from './judge.ts';
import type { Measurement, Period, Weights } from './measurement.ts';
import type { TestPlan } from './test-plan.ts';

const PLAN: TestPlan = {
  ...{ alpha: 0.05, minimumSamples: 100 },
  candidates: [
    { name: 'a', version: '1.1.0', weight: 33 },
    { name: 'b', version: '1.2.0', weight: 33 },
  ],
  metrics: { goal: [{ name: 'conversion', type: 'proportion', direction: 'increase' }] },
  allocation: { mode: 'bandit', floor: 5, interval: '1h', probabilityToBeBest: 0.95 },
};
const START: Weights = { control: 34, a: 33, b: 33 };

type Counts = Readonly<Record<string, readonly [units: number, successes: number]>>;

const period = (since: string, weights: Weights | undefined, counts: Counts): Period => ({
  ...{ since: `2026-02-01T${since}:00Z`, weights },
  variants: Object.entries(counts).map(([variant, [units]]) => ({ variant, units })),
  metrics: Object.entries(counts).map(([variant, [units, successes]]) => ({
    ...{ variant, metric: 'conversion' },
    aggregate: { type: 'proportion', units, successes },
  })),
});

const measurementOf = (...periods: readonly Period[]): Measurement => ({
  variants: ['control', 'a', 'b'].map((variant) => ({
    variant,
    units: periods
      .flatMap(({ variants }) => variants)
      .filter((each) => each.variant === variant)
      .reduce((sum, { units }) => sum + units, 0),
  })),
  ...{ conflictingUnits: 0, outcomesOfUnknownUnits: 0, outcomesBeforeExposure: 0, periods },
  metrics: periods[0]?.metrics ?? [],
});

/** scipy's three arms in operator/statistics/bandit.test.ts: 20, 30 and 26 of 100. */
const EVEN: Counts = { control: [100, 20], a: [100, 30], b: [100, 26] };

describe('a bandit believes', () => {
  test('what Thompson sampling gives each variant on average', () => {
    const third = { control: 34, a: 33, b: 33 };
    const beliefs = beliefsOf(PLAN, measurementOf(period('10:00', third, EVEN)), []);
    expect(beliefs.map(({ variant }) => variant)).toEqual(['control', 'a', 'b']);
    // scipy 1.17.1: integrate.quad of pdf times the others' cdf
    const expected = [0.02755112208703393, 0.7161467764170987, 0.2563021014958676];
    beliefs.forEach(({ probabilityBest }, index) =>
      expect(probabilityBest).toBeCloseTo(expected[index] ?? 0, 9),
    );
  });

  test('the other way where less is better', () => {
    const goal = [{ name: 'conversion', type: 'proportion', direction: 'decrease' }] as const;
    const [control] = beliefsOf(
      { ...PLAN, metrics: { goal: [...goal] } },
      measurementOf(period('10:00', START, EVEN)),
      [],
    );
    expect(control?.probabilityBest).toBeGreaterThan(0.7);
  });

  test('nothing of one that is harmful', () => {
    const beliefs = beliefsOf(PLAN, measurementOf(period('10:00', START, EVEN)), ['a']);
    expect(beliefs.map(({ variant }) => variant)).toEqual(['control', 'b']);
  });

  test('no variant to be better because most of its units came when all bought more', () => {
    const then = { control: 5, a: 90, b: 5 };
    const beliefs = beliefsOf(
      PLAN,
      measurementOf(
        period('10:00', START, { control: [3400, 340], a: [3300, 330], b: [3300, 330] }),
        period('11:00', then, { control: [500, 200], a: [9000, 3600], b: [500, 200] }),
      ),
      [],
    );
    for (const { probabilityBest } of beliefs) {
      expect(probabilityBest).toBeGreaterThan(0.25);
      expect(probabilityBest).toBeLessThan(0.45);
    }
  });

  test('units that came while routes changed say nothing', () => {
    const changing = period('11:00', undefined, { control: [9000, 9000], a: [1, 0], b: [1, 0] });
    const [alone, beside] = [[], [changing]].map((more) =>
      beliefsOf(PLAN, measurementOf(period('10:00', START, EVEN), ...more), []),
    );
    expect(beside).toEqual(alone);
  });
});

describe('the weights of a bandit', () => {
  const testWith = (weights: Weights): ABTest =>
    ({
      metadata: meta('test'),
      spec: PLAN,
      status: { variants: Object.entries(weights).map(([name, weight]) => ({ name, weight })) },
    }) as unknown as ABTest;
  const beliefs = [
    { variant: 'control', probabilityBest: 0.1 },
    { variant: 'a', probabilityBest: 0.85 },
    { variant: 'b', probabilityBest: 0.05 },
  ];
  const at = (time: string) => new Date(`2026-02-01T${time}:00Z`);
  const routed = { periods: [period('10:00', START, EVEN)] };
  const wish = { beliefs, dropped: [], now: at('11:00') };

  test('follow the beliefs, each with its floor', () => {
    // 5 and 85 % of a probability each: 13.5, 77.25, 9.25; the largest remainder gets the last percent.
    expect(nextWeights(testWith(START), routed, wish)).toEqual({ control: 14, a: 77, b: 9 });
  });

  test('stay for an interval', () => {
    const early = { ...wish, now: at('10:59') };
    expect(nextWeights(testWith(START), routed, early)).toEqual(START);
  });

  test('stay as asked until they are routed, and an interval from then', () => {
    const asked = { control: 14, a: 77, b: 9 };
    const changing = { periods: [...routed.periods, period('11:00', undefined, EVEN)] };
    expect(nextWeights(testWith(asked), changing, { ...wish, now: at('15:00') })).toEqual(asked);
    const since = { periods: [...changing.periods, period('11:30', asked, EVEN)] };
    expect(nextWeights(testWith(asked), since, { ...wish, now: at('12:29') })).toEqual(asked);
  });

  test('of what was dropped go to control at once, and to the others an interval later', () => {
    const dropped = { ...wish, dropped: ['b'], now: at('10:30') };
    const without = { control: 67, a: 33, b: 0 };
    expect(nextWeights(testWith(START), routed, dropped)).toEqual(without);
    const since = { periods: [...routed.periods, period('10:31', without, EVEN)] };
    const two = beliefs.slice(0, 2);
    const later = { ...dropped, beliefs: two, now: at('11:31') };
    expect(nextWeights(testWith(without), since, later)).toEqual({ control: 14, a: 86, b: 0 });
  });

  test('are what they were after a time in which the test was idle', () => {
    const noted = { control: 14, a: 77, b: 9 };
    const before = { periods: [...routed.periods, period('11:00', noted, EVEN)] };
    const idle = testWith({ control: 0, a: 0, b: 0 });
    expect(nextWeights(idle, before, { ...wish, now: at('11:10') })).toEqual(noted);
    expect(withoutDropped(noted, ['a'])).toEqual({ control: 91, a: 0, b: 9 });
  });
});

test('a bandit promotes what is so probably the best that it ends, and no other', () => {
  const clear = measurementOf(
    period('10:00', START, { control: [3400, 340], a: [3300, 500], b: [3300, 330] }),
  );
  expect(judgeTest(PLAN, clear).winners).toEqual(['a']);
  const open = measurementOf(period('10:00', START, EVEN));
  expect(judgeTest(PLAN, open).winners).toEqual([]);
});
