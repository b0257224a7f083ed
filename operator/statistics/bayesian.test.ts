import { describe, expect, test } from '@jest/globals';
import { compareBetas, compareNormals } from './bayesian.ts';

const of = (successes: number, units: number) => ({ successes, units });

describe('the Bayesian comparison of shares', () => {
  test.each([
    // scipy 1.17.1: integrate.quad of beta.pdf, cdf and sf, cut at each standard deviation, brentq
    {
      control: of(20, 100),
      treatment: of(30, 100),
      beat: 0.9476031033523693,
      loss: 0.0013455972243734458,
      interval: [-0.02057614386405071, 0.21604580630287287],
    },
    {
      control: of(0, 5),
      treatment: of(1, 3),
      beat: 0.8666666666666667,
      loss: 0.015584415584415586,
      interval: [-0.19873972418722718, 0.7143685304290246],
    },
    {
      control: of(500, 10_000),
      treatment: of(560, 10_000),
      beat: 0.9708376637062492,
      loss: 3.5674569999788415e-5,
      interval: [-0.00021145230545389495, 0.012216949845946172],
    },
  ])('is what quadrature in scipy gives for %j', ({ control, treatment, beat, loss, interval }) => {
    const result = compareBetas(control, treatment);
    expect(result.probabilityToBeat / beat).toBeCloseTo(1, 9);
    expect(result.expectedLoss / loss).toBeCloseTo(1, 9);
    expect(result.interval.lower).toBeCloseTo(interval[0] ?? 0, 8);
    expect(result.interval.upper).toBeCloseTo(interval[1] ?? 0, 8);
  });

  test('with a uniform control is the mean of treatment', () => {
    // P(T > U) = E[T] = 991 / 1002, in closed form
    expect(compareBetas(of(0, 0), of(990, 1000)).probabilityToBeat).toBeCloseTo(991 / 1002, 10);
  });

  test('is about normal for a billion units', () => {
    const result = compareBetas(of(50_000_000, 1e9), of(50_020_000, 1e9));
    const normal = compareNormals({
      value: 2e-5,
      variance: (2 * 0.05001 * 0.94999) / 1e9,
      units: 2e9,
    });
    expect(result.probabilityToBeat).toBeCloseTo(normal.probabilityToBeat, 4);
    expect(result.expectedLoss / normal.expectedLoss).toBeCloseTo(1, 3);
    expect(result.interval.lower).toBeCloseTo(normal.interval.lower, 7);
  });

  test('gives both variants the same chance where they are the same', () => {
    expect(compareBetas(of(7, 90), of(7, 90)).probabilityToBeat).toBeCloseTo(0.5, 10);
  });
});

describe('the Bayesian comparison of means', () => {
  test('is in closed form', () => {
    // Phi(2) and phi(2) - 2 Phi(-2), tables of the normal
    const result = compareNormals({ value: 2, variance: 1, units: 100 });
    expect(result.probabilityToBeat).toBeCloseTo(0.9772498680518208, 12);
    expect(result.expectedLoss).toBeCloseTo(0.008490702616829625, 12);
    expect(result.interval.upper).toBeCloseTo(2 + 1.959963984540054, 12);
  });

  test('is drawn towards no effect by a prior', () => {
    const result = compareNormals({ value: 2, variance: 1, units: 100 }, { priorDeviation: 1 });
    expect((result.interval.lower + result.interval.upper) / 2).toBeCloseTo(1, 12);
  });
});
