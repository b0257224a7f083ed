import { describe, expect, test } from '@jest/globals';
import { sampleRatioOverSplits, sampleRatioTest, sequentialSampleRatio } from './sample-ratio.ts';

const ARMS = [
  { weight: 25, units: 480 },
  { weight: 25, units: 520 },
  { weight: 50, units: 1010 },
];

describe('the sample ratio', () => {
  test('is tested by chi-square', () => {
    // scipy 1.17.1: chisquare([480, 520, 1010], [502.5, 502.5, 1005])
    expect(sampleRatioTest(ARMS).statistic).toBeCloseTo(1.6417910447761193, 10);
    expect(sampleRatioTest(ARMS).pValue).toBeCloseTo(0.4400374146506345, 10);
  });

  test('is tested at every look by the Dirichlet-multinomial e-value', () => {
    // scipy 1.17.1: gammaln of the formula, prior 1000 * (0.25, 0.25, 0.5)
    expect(sequentialSampleRatio(ARMS).logEvalue).toBeCloseTo(-0.5504072126464052, 8);
    expect(sequentialSampleRatio(ARMS).pValue).toBe(1);
  });

  test('is found wrong where one of ten units of a variant is lost', () => {
    const lost = [
      { weight: 1, units: 10_000 },
      { weight: 1, units: 9_000 },
    ];
    expect(sequentialSampleRatio(lost).pValue).toBeLessThan(0.001);
  });

  test('of no units is as expected', () => {
    const none = ARMS.map(({ weight }) => ({ weight, units: 0 }));
    expect(sampleRatioTest(none).pValue).toBe(1);
    expect(sequentialSampleRatio(none).pValue).toBe(1);
  });

  test('needs weights above 0', () => {
    expect(() => sampleRatioTest([{ weight: 0, units: 1 }])).toThrow(
      'arm 0 has weight 0 and 1 units: the weight must be above 0',
    );
  });
});

describe('the sample ratio over splits', () => {
  const split = (...arms: readonly (readonly [name: string, weight: number, units: number])[]) =>
    new Map(arms.map(([name, weight, units]) => [name, { weight, units }]));

  test('is that of one split where the weights stay', () => {
    const one = sequentialSampleRatio(ARMS).logEvalue;
    const whole = split(['control', 25, 480], ['a', 25, 520], ['b', 50, 1010]);
    expect(sampleRatioOverSplits([whole]).logEvalue).toBeCloseTo(one, 9);
    const parts = [
      split(['control', 25, 100], ['a', 25, 20], ['b', 50, 10]),
      split(['control', 25, 380], ['a', 25, 500], ['b', 50, 1000]),
    ];
    expect(sampleRatioOverSplits(parts).logEvalue).toBeCloseTo(one, 9);
  });

  test('is as the weights say where they change, and what was dropped is missing', () => {
    const splits = [
      split(['control', 34, 3400], ['a', 33, 3300], ['b', 33, 3300]),
      split(['control', 67, 6700], ['b', 33, 3300]),
    ];
    expect(sampleRatioOverSplits(splits).pValue).toBe(1);
  });

  test('is found wrong by a loss that is too small to be seen in any one split', () => {
    // A twentieth of a variant is lost; its share changes with each of 24 splits.
    const splits = Array.from({ length: 24 }, (_, hour) => {
      const weight = 30 + hour;
      return split(['control', 100 - weight, 10 * (100 - weight)], ['a', weight, 9.5 * weight]);
    }).map(
      (arms) =>
        new Map([...arms].map(([name, arm]) => [name, { ...arm, units: Math.round(arm.units) }])),
    );
    expect(sampleRatioOverSplits(splits.slice(0, 1)).pValue).toBe(1);
    const many = splits.map(
      (arms) =>
        new Map([...arms].map(([name, { weight, units }]) => [name, { weight, units: 5 * units }])),
    );
    expect(sampleRatioOverSplits(many).pValue).toBeLessThan(0.001);
    expect(Math.min(...many.map((arms) => sampleRatioOverSplits([arms]).pValue))).toBeGreaterThan(
      0.001,
    );
  });
});
