import type { Interval } from './confidence-sequence.ts';
import type { Effect } from './effects.ts';
import type { Count, Prior } from './binomial-mixture.ts';
import { betaPosterior, logistic } from './posteriors.ts';
import type { Posterior } from './posteriors.ts';
import { integrate, nodesBetween } from './quadrature.ts';
import { rootOf } from './roots.ts';
import { normalCdf, normalDensity, normalTailQuantile } from './special-functions.ts';

/**
 * Bayesian comparison. It says what to believe given the prior, and bounds no rate of false discoveries
 * when one looks again and again: for that is sequential-comparison.ts.
 */
export type BayesianResult = {
  /** P(treatment > control). */
  readonly probabilityToBeat: number;
  /** What choosing treatment costs on average: E[max(control - treatment, 0)], in the metric's unit. */
  readonly expectedLoss: number;
  /** Of treatment minus control, with `level` in it and equal tails. */
  readonly interval: Interval;
};

const uniform: Prior = { successes: 1, failures: 1 };

/** Two shares, each with its Beta prior, exactly (by quadrature), for up to 1e9 units. */
export const compareBetas = (
  control: Count,
  treatment: Count,
  { level = 0.95, prior = uniform }: { readonly level?: number; readonly prior?: Prior } = {},
): BayesianResult => {
  const [of, than] = [treatment, control].map(({ successes, units }) => ({
    a: prior.successes + successes,
    b: prior.failures + units - successes,
  })) as [BetaShape, BetaShape];
  const [ofT, ofC] = [betaPosterior(of.a, of.b), betaPosterior(than.a, than.b)];
  const nodes = nodesBetween([...ofC.knots, ...ofT.knots], ofC.widest);
  return {
    probabilityToBeat: integrate(nodes, (at) => ofT.density(at) * ofC.cdf(at)),
    expectedLoss: integrate(nodes, (at) => ofC.tail(at) * ofT.cdf(at) * ofC.slope(at)),
    interval: intervalOfDifference(ofC, ofT, [than, of], level),
  };
};

/**
 * An effect with a normal likelihood, and, where given, a normal prior around 0 with the standard
 * deviation of effects seen before, which draws it towards 0.
 */
export const compareNormals = (
  effect: Effect,
  {
    level = 0.95,
    priorDeviation,
  }: { readonly level?: number; readonly priorDeviation?: number } = {},
): BayesianResult => {
  const kept =
    priorDeviation === undefined
      ? 1
      : priorDeviation ** 2 / (priorDeviation ** 2 + effect.variance);
  const mean = kept * effect.value;
  const deviation = Math.sqrt(kept * effect.variance);
  const z = mean / deviation;
  const width = deviation * normalTailQuantile((1 - level) / 2);
  return {
    probabilityToBeat: normalCdf(z),
    expectedLoss: deviation * normalDensity(z) - mean * normalCdf(-z),
    interval: { lower: mean - width, upper: mean + width },
  };
};

type BetaShape = { readonly a: number; readonly b: number };

const intervalOfDifference = (
  control: Posterior,
  treatment: Posterior,
  [than, of]: readonly [BetaShape, BetaShape],
  level: number,
): Interval => {
  /** P(treatment - control <= value), by integrating over control. */
  const below = (value: number): number => {
    const shifted = treatment.knots.map((at) => logit(logistic(at) - value));
    const knots = [...control.knots, ...shifted.filter((at) => Number.isFinite(at))];
    return integrate(nodesBetween(knots, control.widest), (at) => {
      const share = logistic(at) + value;
      if (share <= 0) return 0;
      return control.density(at) * (share >= 1 ? 1 : treatment.cdf(logit(share)));
    });
  };
  const middle = of.a / (of.a + of.b) - than.a / (than.a + than.b);
  const reach = 12 * Math.sqrt(betaVariance(of) + betaVariance(than));
  const at = (probability: number): number =>
    rootOf(
      (value) => below(value) - probability,
      Math.max(-1, middle - reach),
      Math.min(1, middle + reach),
    );
  return { lower: at((1 - level) / 2), upper: at((1 + level) / 2) };
};

const betaVariance = ({ a, b }: BetaShape): number => (a * b) / ((a + b) ** 2 * (a + b + 1));

const logit = (share: number): number => Math.log(share) - Math.log1p(-share);
