import { describe, expect, test } from '@jest/globals';
import { nothingKnown } from './confidence-sequence.ts';
import { judgeGuardrail } from './guardrail.ts';
import type { GuardrailOptions } from './guardrail.ts';
import { compareSequentially } from './sequential-comparison.ts';

const share = (successes: number, units: number) => ({
  type: 'proportion' as const,
  successes,
  units,
});
const mean = (count: number, value: number, variance: number) => ({
  type: 'mean' as const,
  values: { count, mean: value, m2: variance * (count - 1) },
});
const bins = (values: readonly number[], each: number) => ({
  type: 'quantile' as const,
  bins: values.map((value) => ({ lower: value, upper: value, count: each })),
});
const plan = { alpha: 0.05, plannedUnits: 10_000 };

describe('treatment against control', () => {
  test('is not judged by a mean before the burn-in is over', () => {
    const early = compareSequentially(mean(499, 1, 1), mean(5000, 3, 1), plan);
    expect(early).toEqual({ ...nothingKnown, effect: 2 });
    expect(compareSequentially(mean(500, 1, 1), mean(5000, 3, 1), plan).pValue).toBeLessThan(1e-9);
  });

  test('is judged exactly by a proportion that has no success at all', () => {
    const { pValue, interval } = compareSequentially(share(990, 1000), share(0, 50), plan);
    expect(pValue).toBeLessThan(1e-9);
    expect(interval.upper).toBeLessThan(-0.5);
  });

  test('by a proportion after the burn-in spends nine tenths of alpha asymptotically', () => {
    const { interval, pValue, effect } = compareSequentially(share(200, 2000), share(262, 2100), {
      ...plan,
      alpha: 0.05 / 0.9,
    });
    // gbstats 0.8.0: SequentialTwoSidedTTest, absolute, n 2000 and 2100, sums 200 and 262, alpha 0.05,
    // sequential_tuning_parameter 10000; its p-value 0.18383546048058183 by 0.9
    expect(effect).toBeCloseTo(0.024761904761904763, 12);
    expect(interval.lower).toBeCloseTo(-0.005952370441317679, 10);
    expect(interval.upper).toBeCloseTo(0.0554761799651272, 10);
    expect(pValue).toBeCloseTo(0.18383546048058183 / 0.9, 10);
  });

  test('with a covariate is judged by what the covariate did not foretell', () => {
    const pairs = (value: number) => ({
      count: 1000,
      first: { mean: value, m2: 1000 },
      second: { mean: 0, m2: 1000 },
      cross: 950,
    });
    const control = { type: 'covariate-mean' as const, pairs: pairs(0) };
    const treatment = { type: 'covariate-mean' as const, pairs: pairs(0.1) };
    expect(compareSequentially(control, treatment, plan).pValue).toBeLessThan(0.01);
    expect(compareSequentially(mean(1000, 0, 1), mean(1000, 0.1, 1), plan).pValue).toBeGreaterThan(
      0.3,
    );
  });

  test('needs the quantile, and both of one type', () => {
    expect(() => compareSequentially(bins([1], 1), bins([1], 1), plan)).toThrow(
      'a metric of type quantile needs quantile',
    );
    expect(() => compareSequentially(share(1, 2), mean(2, 1, 1), plan)).toThrow(
      'control and treatment differ in type: proportion and mean',
    );
  });

  test('is unknown without units', () => {
    expect(compareSequentially(share(0, 0), share(1, 2), plan)).toEqual(nothingKnown);
  });
});

describe('a guardrail', () => {
  const errors: GuardrailOptions = { ...plan, direction: 'decrease', margin: { relative: 0.1 } };
  const latency: GuardrailOptions = { ...plan, direction: 'decrease', margin: { absolute: 5 } };
  const revenue: GuardrailOptions = { ...plan, direction: 'increase', margin: { absolute: 0.1 } };
  const values = Array.from({ length: 500 }, (_, index) => index / 10);

  test.each([
    ['safe', share(5000, 50_000), share(5000, 50_000), errors],
    ['harmful', share(5000, 50_000), share(7000, 50_000), errors],
    ['undecided', share(500, 5000), share(550, 5000), errors],
    ['safe', mean(20_000, 10, 4), mean(20_000, 10, 4), revenue],
    ['harmful', mean(20_000, 10, 4), mean(20_000, 9.7, 4), revenue],
    ['undecided', mean(20_000, 10, 4), mean(20_000, 9.9, 4), revenue],
    ['safe', bins(values, 20), bins(values, 20), { ...latency, quantile: 0.9 }],
    [
      'harmful',
      bins(values, 20),
      bins(
        values.map((value) => value + 9),
        20,
      ),
      { ...latency, quantile: 0.9 },
    ],
    // Far below control and never above: a wide margin of what cannot be negative.
    [
      'safe',
      share(5000, 10_000),
      share(4000, 10_000),
      { ...errors, direction: 'increase', margin: { relative: 1 } },
    ],
  ] as const)('is %s in case %#', (verdict, control, treatment, options) => {
    expect(judgeGuardrail(control, treatment, options).verdict).toBe(verdict);
  });

  test('sees harm in a variant that always fails, before any burn-in', () => {
    const success = { ...errors, direction: 'increase' } as const;
    expect(judgeGuardrail(share(990, 1000), share(0, 30), success).verdict).toBe('harmful');
  });
});
