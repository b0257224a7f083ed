import { describe, expect, test } from '@jest/globals';
import { fewestSignedRankPairs, signedRankTest } from './signed-rank.ts';

describe("Wilcoxon's signed-rank test", () => {
  // scipy 1.17.1: wilcoxon(d, method=PermutationMethod(n_resamples=inf)), which is exact with ties too
  test.each([
    [
      'without ties',
      [0.5, -1.25, 2, 3.5, -0.75, 4, 5.5, 6],
      { statistic: 5, pValue: 0.078125, pairs: 8 },
    ],
    [
      'with ties',
      [1, 1, -2, 2, 3, -3, 4, 5, 2, 6],
      { statistic: 10.5, pValue: 0.08984375, pairs: 10 },
    ],
    [
      'with zeros and ties',
      [0, 0, 1, 1, -2, 2, 3, 4, 5, 0],
      { statistic: 3.5, pValue: 0.09375, pairs: 7 },
    ],
    ['with one sign only', [1, 2, 3, 4, 5.5, 6], { statistic: 0, pValue: 0.03125, pairs: 6 }],
    ['with no tendency', [1, -1, 2, -2], { statistic: 5, pValue: 1, pairs: 4 }],
  ])('is exact %s', (_, differences, expected) => {
    expect(signedRankTest(differences)).toEqual({ ...expected, exact: true });
    expect(signedRankTest(differences.map((each) => -each))?.pValue).toBe(expected.pValue);
  });

  test('is exact for 50 pairs', () => {
    const differences = Array.from({ length: 50 }, (_, i) => ((i * 37) % 101) - 40 + 0.01 * i);
    const result = signedRankTest(differences);
    // scipy 1.17.1: wilcoxon(d, method='exact')
    expect(result).toMatchObject({ statistic: 413, exact: true });
    expect(result?.pValue).toBeCloseTo(0.029727315082014982, 12);
  });

  test('is normal beyond, with ties and zeros taken into account', () => {
    const differences = Array.from({ length: 70 }, (_, i) => ((i * 7) % 13) - 5);
    const result = signedRankTest(differences);
    // scipy 1.17.1: wilcoxon(d, method='approx')
    expect(result).toMatchObject({ statistic: 806.5, pairs: 65, exact: false });
    expect(result?.pValue).toBeCloseTo(0.08121875941356056, 12);
  });

  test('says nothing where nothing differs', () => {
    expect(signedRankTest([0, 0])).toBeUndefined();
    expect(signedRankTest([])).toBeUndefined();
  });

  test('can tell from so many pairs on', () => {
    // 2 / 2^5 = 0.0625 and 2 / 2^6 = 0.03125; 2 / 2^7 = 0.0156 and 2 / 2^8 = 0.0078
    expect(fewestSignedRankPairs(0.05)).toBe(6);
    expect(fewestSignedRankPairs(0.01)).toBe(8);
  });
});
