import { logGamma } from '../../operator/statistics/special-functions.ts';
import type { RandomStream } from './random-stream.ts';

/** How many of `count` units succeed, each with chance `share`; exact. */
export const binomial = (count: number, share: number, random: RandomStream): number => {
  if (share <= 0 || count === 0) return 0;
  if (share >= 1) return count;
  if (share > 1 / 2) return count - binomial(count, 1 - share, random);
  return count * share < 10
    ? fewSuccesses(count, share, random)
    : manySuccesses(count, share, random);
};

/** By the waiting times between successes (Devroye 1986, X.4.3), for few of them. */
const fewSuccesses = (count: number, share: number, random: RandomStream): number => {
  const log = Math.log1p(-share);
  let successes = 0;
  let at = Math.ceil(Math.log(random.uniform()) / log);
  while (at <= count) {
    successes += 1;
    at += Math.ceil(Math.log(random.uniform()) / log);
  }
  return successes;
};

/** Transformed rejection: Hörmann, "The generation of binomial random variates", 1993 (BTRS). */
const manySuccesses = (count: number, share: number, { uniform }: RandomStream): number => {
  const deviation = Math.sqrt(count * share * (1 - share));
  const b = 1.15 + 2.53 * deviation;
  const a = -0.0873 + 0.0248 * b + 0.01 * share;
  const centre = count * share + 0.5;
  const alpha = (2.83 + 5.1 / b) * deviation;
  const squeeze = 0.92 - 4.2 / b;
  const mode = Math.floor((count + 1) * share);
  const logOdds = Math.log(share / (1 - share));
  const atMode = logGamma(mode + 1) + logGamma(count - mode + 1);
  for (;;) {
    const [u, v] = [uniform() - 0.5, uniform()];
    const edge = 0.5 - Math.abs(u);
    const k = Math.floor(((2 * a) / edge + b) * u + centre);
    if (edge >= 0.07 && v <= squeeze) return k;
    if (k < 0 || k > count) continue;
    const height = Math.log((v * alpha) / (a / (edge * edge) + b));
    const ratio = atMode - logGamma(k + 1) - logGamma(count - k + 1) + (k - mode) * logOdds;
    if (height <= ratio) return k;
  }
};

/** Gamma with that shape, at least 1, and scale 1: Marsaglia & Tsang 2000. */
const gamma = (shape: number, { uniform, normal }: RandomStream): number => {
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = normal();
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(uniform()) < (x * x) / 2 + d - d * v + d * Math.log(v)) return d * v;
  }
};

/** With a whole number of degrees of freedom, from 0. */
export const chiSquare = (df: number, random: RandomStream): number => {
  if (df === 0) return 0;
  return df === 1 ? random.normal() ** 2 : 2 * gamma(df / 2, random);
};

/** 0, 1, 2 … with that mean, above 0. */
export const geometric = (mean: number, { uniform }: RandomStream): number =>
  Math.floor(Math.log(uniform()) / Math.log(mean / (1 + mean)));
