import type { Aggregate } from '../../operator/statistics/aggregates.ts';
import {
  noJointMoments,
  noMoments,
  type JointMoments,
  type Moments,
} from '../../operator/statistics/moments.ts';
import { normalTailQuantile } from '../../operator/statistics/special-functions.ts';
import { binomial, chiSquare, geometric } from './draws.ts';
import { MORE_REQUESTS, normalDeviation, type MetricModel } from './metric-model.ts';
import type { RandomStream } from './random-stream.ts';
import { binValues } from './value-bins.ts';

/**
 * What `count` new units of a variant add to a metric. A look sees sums only, and sums of independent
 * units between two looks are independent: successes are binomial, the mean and the squared deviations
 * of normal values are normal and chi-square and independent (Fisher 1925). Drawing these instead of
 * units changes no distribution. Log-normal values, ratios and quantiles have no such law: unit by unit.
 */
export const drawUnits = (
  model: MetricModel,
  count: number,
  mean: number,
  random: RandomStream,
): Aggregate => {
  switch (model.shape) {
    case 'share':
      return shareOf(model, count, binomial(count, mean, random));
    case 'normal':
      return { type: 'mean', values: normalMoments(model, count, mean, random) };
    case 'log-normal':
      return logNormal(model, count, mean, random);
    case 'ratio':
      return { type: 'ratio', pairs: ratioMoments(model, count, mean, random) };
  }
};

/** One request a unit where it is a rate of requests: the least that the delta method can be given. */
const shareOf = ({ aggregate }: MetricModel, units: number, successes: number): Aggregate => {
  if (aggregate === 'proportion') return { type: 'proportion', units, successes };
  const spread =
    units === 0
      ? { mean: 0, m2: 0 }
      : { mean: successes / units, m2: (successes * (units - successes)) / units };
  if (aggregate === 'mean') return { type: 'mean', values: { count: units, ...spread } };
  const ones = { mean: units === 0 ? 0 : 1, m2: 0 };
  return { type: 'ratio', pairs: { count: units, first: spread, second: ones, cross: 0 } };
};

const normalMoments = (
  { control, spread }: MetricModel,
  count: number,
  mean: number,
  random: RandomStream,
): Moments => {
  if (count === 0) return noMoments;
  const deviation = normalDeviation(control, spread);
  return {
    count,
    mean: mean + (deviation / Math.sqrt(count)) * random.normal(),
    m2: deviation ** 2 * chiSquare(count - 1, random),
  };
};

/** `mean` is the quantile where that is what is measured. */
const logNormal = (
  { spread, quantile, aggregate }: MetricModel,
  count: number,
  mean: number,
  random: RandomStream,
): Aggregate => {
  const sigma = Math.sqrt(Math.log1p(spread ** 2));
  const isQuantile = aggregate === 'quantile';
  const above = isQuantile ? sigma * normalTailQuantile(1 - (quantile ?? 0.5)) : sigma ** 2 / 2;
  const middle = Math.log(mean) - above;
  const draw = (): number => Math.exp(middle + sigma * random.normal());
  return isQuantile
    ? { type: 'quantile', bins: binValues(Array.from({ length: count }, draw)) }
    : { type: 'mean', values: welford(count, draw) };
};

/** momentsOf without an object for each of a hundred million values. */
const welford = (count: number, draw: () => number): Moments => {
  let [mean, m2] = [0, 0];
  for (let n = 1; n <= count; n += 1) {
    const value = draw();
    const shift = value - mean;
    mean += shift / n;
    m2 += shift * (value - mean);
  }
  return { count, mean, m2 };
};

/** A unit has some requests, and from each what varies with the unit by a log-normal factor. */
const ratioMoments = (
  { spread }: MetricModel,
  count: number,
  ratio: number,
  random: RandomStream,
): JointMoments => {
  const sigma = Math.sqrt(Math.log1p(spread ** 2));
  let [first, firstM2, second, secondM2, cross] = [0, 0, 0, 0, 0];
  for (let n = 1; n <= count; n += 1) {
    const below = 1 + geometric(MORE_REQUESTS, random);
    const above = ratio * below * Math.exp(sigma * random.normal() - sigma ** 2 / 2);
    const [shift, shiftBelow] = [above - first, below - second];
    first += shift / n;
    second += shiftBelow / n;
    firstM2 += shift * (above - first);
    secondM2 += shiftBelow * (below - second);
    cross += shift * (below - second);
  }
  return {
    ...{ count, cross },
    first: { mean: first, m2: firstM2 },
    second: { mean: second, m2: secondM2 },
  };
};

/** No units, to begin with. */
export const noUnits = (model: MetricModel): Aggregate => {
  if (model.aggregate === 'quantile') return { type: 'quantile', bins: [] };
  if (model.aggregate === 'mean') return { type: 'mean', values: noMoments };
  if (model.aggregate === 'proportion') return { type: 'proportion', units: 0, successes: 0 };
  return { type: 'ratio', pairs: noJointMoments };
};
