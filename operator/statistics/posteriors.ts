import { betaCdf, normalCdf, normalDensity } from './special-functions.ts';
import { integrate, nodesBetween } from './quadrature.ts';

/**
 * What is believed of a variant's value, on a line where its density is smooth: the value itself for a
 * normal, its logit for a share. All posteriors that are compared are of one kind.
 */
export type Posterior = {
  readonly density: (at: number) => number;
  readonly cdf: (at: number) => number;
  readonly tail: (at: number) => number;
  /** Where the density bends; beyond them nothing is left of it. */
  readonly knots: readonly number[];
  /** How far a cell of an integral may go without a knot. */
  readonly widest: number;
  /** How fast the value grows along the line. */
  readonly slope: (at: number) => number;
};

/** Value with mean and standard deviation; normal by the central limit theorem. */
export const normalPosterior = (mean: number, deviation: number): Posterior => ({
  density: (at) => normalDensity((at - mean) / deviation) / deviation,
  cdf: (at) => normalCdf((at - mean) / deviation),
  tail: (at) => normalCdf((mean - at) / deviation),
  knots: SIGMAS.map((sigmas) => mean + sigmas * deviation),
  widest: Number.POSITIVE_INFINITY,
  slope: () => 1,
});

/** Share ~ Beta(a, b), a and b above 0 and up to 1e9: no factorials, no sums over counts. */
export const betaPosterior = (a: number, b: number): Posterior => {
  const mode = Math.log(a / b);
  const deviation = Math.sqrt(1 / a + 1 / b);
  const share = a / (a + b);
  // Relative to the mode: the terms would be billions that cancel.
  const height = (at: number): number =>
    Math.exp(a * (at - mode) - (a + b) * Math.log1p(share * Math.expm1(at - mode)));
  const knots = [
    ...SIGMAS.map((sigmas) => mode + sigmas * deviation),
    ...tailKnots(mode, 9 * deviation, height),
    ...tailKnots(mode, -9 * deviation, height),
  ];
  const area = integrate(nodesBetween(knots, 1), height);
  return {
    density: (at) => height(at) / area,
    cdf: (at) => betaCdf(logistic(at), a, b),
    tail: (at) => betaCdf(logistic(-at), b, a),
    knots,
    widest: 1,
    slope: (at) => logistic(at) * logistic(-at),
  };
};

export const logistic = (at: number): number => 1 / (1 + Math.exp(-at));

/** Half a standard deviation apart up to 9: beyond is less than 1e-18 of a normal. */
const SIGMAS = Array.from({ length: 37 }, (_, index) => (index - 18) / 2);

/** A share of few units has long tails: on until nothing is left. */
const tailKnots = (
  mode: number,
  start: number,
  height: (at: number) => number,
): readonly number[] => {
  const knots: number[] = [];
  for (let reach = start; height(mode + reach) > 1e-18; reach *= 1.5)
    knots.push(mode + reach * 1.5);
  return knots;
};
