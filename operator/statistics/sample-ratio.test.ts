import { describe, expect, test } from '@jest/globals';
import { sampleRatioTest, sequentialSampleRatio } from './sample-ratio.ts';

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
