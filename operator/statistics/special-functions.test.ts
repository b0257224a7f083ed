import { expect, test } from '@jest/globals';
import * as functions from './special-functions.ts';

/** Literals: scipy 1.17.1, scipy.stats.{norm,t,chi2,beta} sf and isf, scipy.special.betaln. */
const REFERENCE: readonly (readonly [string, number, number])[] = [
  ['norm.sf(10)', functions.normalTail(10), 7.61985302416047e-24],
  ['norm.sf(-3)', functions.normalTail(-3), 0.998650101968369],
  ['norm.cdf(-0.7)', functions.normalCdf(-0.7), 0.24196365222307303],
  ['norm.isf(1e-12)', functions.normalTailQuantile(1e-12), 7.034483825301131],
  ['norm.isf(0.3)', functions.normalTailQuantile(0.3), 0.5244005127080409],
  ['2 t.sf(1.96, 1e9)', functions.studentTwoSidedTail(1.96, 1e9), 0.049995790573729625],
  ['2 t.sf(40, 12.3)', functions.studentTwoSidedTail(40, 12.3), 2.12189649587767e-14],
  ['2 t.sf(0.01, 7.7)', functions.studentTwoSidedTail(0.01, 7.7), 0.9922755016359278],
  ['t.isf(0.025, 12.3)', functions.studentTwoSidedQuantile(0.05, 12.3), 2.1729334817589625],
  ['t.isf(5e-7, 3.5)', functions.studentTwoSidedQuantile(1e-6, 3.5), 74.42418573952777],
  ['chi2.sf(40, 2)', functions.chiSquareTail(40, 2), 2.0611536224385566e-9],
  ['chi2.sf(3, 1)', functions.chiSquareTail(3, 1), 0.08326451666355042],
  ['beta.cdf(0.3, 0.5, 2)', functions.betaCdf(0.3, 0.5, 2), 0.7394254526319747],
  ['beta.cdf(0.3001, 3e5, 7e5)', functions.betaCdf(0.3001, 3e5, 7e5), 0.5864782487704794],
  ['beta.ppf(0.025, 10, 990)', functions.betaQuantile(0.025, 10, 990), 0.004810331195290225],
  ['beta.ppf(1e-9, 3, 1e6)', functions.betaQuantile(1e-9, 3, 1e6), 1.8179447804303784e-9],
  ['betaln(1.5, 1e9)', functions.logBeta(1.5, 1e9), -31.205680993429862],
];

test.each(REFERENCE)('%s is what scipy says, to 1e-8', (_name, value, expected) => {
  expect(Math.abs(value / expected - 1)).toBeLessThan(1.1e-8);
});

test('of them all only the beta functions of huge parameters are off by more than 1e-9', () => {
  const off = REFERENCE.filter(([, value, expected]) => Math.abs(value / expected - 1) > 1e-9);
  expect(off.map(([name]) => name)).toEqual(['betaln(1.5, 1e9)']);
});
