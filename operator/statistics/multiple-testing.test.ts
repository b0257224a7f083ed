import { expect, test } from '@jest/globals';
import { benjaminiHochberg, holm } from './multiple-testing.ts';

const P_VALUES = [0.01, 0.04, 0.03, 0.005, 0.2, 0.03];

test.each([
  // statsmodels 0.15.0: multipletests(p, method='holm' and 'fdr_bh')[1]
  ['Holm', holm, [0.05, 0.12, 0.12, 0.03, 0.2, 0.12]],
  ['Benjamini and Hochberg', benjaminiHochberg, [0.03, 0.048, 0.045, 0.03, 0.2, 0.045]],
])('p-values are adjusted as %s do', (_name, adjust, expected) => {
  adjust(P_VALUES).forEach((p, index) => expect(p).toBeCloseTo(expected[index] ?? 0, 12));
  expect(adjust([])).toEqual([]);
  expect(adjust([0.7])).toEqual([0.7]);
});
