import betainc from '@stdlib/math-base-special-betainc';
import erfc from '@stdlib/math-base-special-erfc';
import erfcinv from '@stdlib/math-base-special-erfcinv';
import gammainc from '@stdlib/math-base-special-gammainc';
import gammaln from '@stdlib/math-base-special-gammaln';
import betaincinv from '@stdlib/math-base-special-kernel-betaincinv';

/**
 * Distribution functions on @stdlib, the one place that imports it. A tail is always asked for as a
 * tail: 1 - cdf would keep no digit of a small p-value.
 */

/** P(Z > z) of a standard normal Z. */
export const normalTail = (z: number): number => erfc(z * Math.SQRT1_2) / 2;

/** P(Z <= z) of a standard normal Z. */
export const normalCdf = (z: number): number => normalTail(-z);

export const normalDensity = (z: number): number => Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);

/** z with P(Z > z) = tail, for 0 < tail < 1: precise for the tiniest tail. */
export const normalTailQuantile = (tail: number): number => Math.SQRT2 * erfcinv(2 * tail);

/** P(|T| > |t|) of Student's T with `df` degrees of freedom, which need not be whole. */
export const studentTwoSidedTail = (t: number, df: number): number =>
  t * t < df
    ? betainc((t * t) / (df + t * t), 1 / 2, df / 2, true, true)
    : betainc(df / (df + t * t), df / 2, 1 / 2);

/** t >= 0 with P(|T| > t) = tail. */
export const studentTwoSidedQuantile = (tail: number, df: number): number => {
  const [x = Number.NaN, rest = Number.NaN] = betaincinv(df / 2, 1 / 2, tail, 1 - tail);
  return Math.sqrt((df * rest) / x);
};

/** P(X > x) of a chi-square X with `df` degrees of freedom. */
export const chiSquareTail = (x: number, df: number): number => gammainc(x / 2, df / 2, true, true);

/** P(X <= x) of X ~ Beta(a, b). */
export const betaCdf = (x: number, a: number, b: number): number => betainc(x, a, b);

/** x with P(X <= x) = probability of X ~ Beta(a, b), for 0 < probability < 1. */
export const betaQuantile = (probability: number, a: number, b: number): number =>
  betaincinv(a, b, probability, 1 - probability)[0] ?? Number.NaN;

/** x with P(X > x) = tail of X ~ Beta(a, b), for 0 < tail < 1. */
export const betaTailQuantile = (tail: number, a: number, b: number): number =>
  betaincinv(a, b, 1 - tail, tail)[0] ?? Number.NaN;

/** ln of the gamma function, for x > 0. */
export const logGamma = (x: number): number => gammaln(x);

/** ln of the beta function. */
export const logBeta = (a: number, b: number): number => gammaln(a) + gammaln(b) - gammaln(a + b);
