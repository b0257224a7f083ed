import { describe, expect, test } from '@jest/globals';
import { planOf } from './simulation-plan.ts';
import { aSpec } from './testing/a-test.ts';
import { theoryOf } from './theory.ts';

const planned = (changes: Parameters<typeof aSpec>[0], looks: number, effect = 0.02) =>
  planOf(aSpec({ minimumSamples: 7000, ...changes }), {
    ...{ first: { control: 0.1, effects: [effect] }, values: new Map(), spread: 1, normal: false },
    ...{ unitsPerDay: 1000, days: 14, looks },
  });

describe('the theory of a test', () => {
  test('with one look at the planned units is that of the statistics', () => {
    const theory = theoryOf(planned({}, 1));
    // Error sqrt(0.09 / 7000 + 0.1056 / 7000) = 0.0052862, shift 3.7834; at 4.5 % the boundary is 3.076.
    expect(theory?.atPlannedUnits).toBeCloseTo(0.7604, 2);
    expect(theory?.sequential).toBeCloseTo(theory?.atPlannedUnits ?? 0, 4);
    // 3.7834 - 1.95996 = 1.8234 standard errors.
    expect(theory?.fixed).toBeCloseTo(0.9659, 3);
  });

  test('gains by more looks, if they may decide', () => {
    const many = theoryOf(planned({ minimumSamples: 1000 }, 200))?.sequential ?? 0;
    expect(many).toBeGreaterThan(theoryOf(planned({ minimumSamples: 1000 }, 1))?.sequential ?? 1);
    const late = theoryOf(planned({ minimumRuntime: '13d' }, 200))?.sequential ?? 0;
    expect(late).toBeLessThan(0.8);
  });

  test('finds what is worse hardly ever better, and nothing where no look may decide', () => {
    expect(theoryOf(planned({}, 200, -0.02))).toMatchObject({ atPlannedUnits: 0, fixed: 0 });
    expect(theoryOf(planned({ minimumSamples: 8000 }, 200))?.sequential).toBe(0);
  });

  test('without effect is a promise about false promotions: half of alpha at most', () => {
    const theory = theoryOf(planned({ minimumSamples: 100 }, 200, 0));
    expect(theory?.sequential).toBeLessThan(0.025);
    expect(theory?.fixed).toBeCloseTo(0.025, 6);
  });

  test('says nothing of quantiles and of several candidates', () => {
    const goal = [
      { name: 'conversion', type: 'quantile', quantile: 0.9, direction: 'increase' },
    ] as const;
    expect(theoryOf(planned({ metrics: { goal } }, 10))).toBeUndefined();
    const candidates = ['1.1.0', '1.2.0'].map((version, at) => ({
      name: `c${at}`,
      version,
      weight: 30,
    }));
    expect(theoryOf(planned({ candidates }, 10))).toBeUndefined();
  });
});
