import type { Aggregate, Bin } from './aggregates.ts';
import type { JointMoments, Moments } from './moments.ts';

/**
 * Refuses what no units can add up to; `where` names the aggregate in the message.
 * @throws Error that says what is impossible and where
 */
export const checkAggregate = (aggregate: Aggregate, where: string): void => {
  switch (aggregate.type) {
    case 'proportion':
      return checkProportion(aggregate.units, aggregate.successes, where);
    case 'mean':
      return checkMoments(aggregate.values, `${where}.values`);
    case 'ratio':
    case 'covariate-mean':
      return checkJointMoments(aggregate.pairs, `${where}.pairs`);
    case 'quantile':
      return checkBins(aggregate.bins, `${where}.bins`);
  }
};

const checkProportion = (units: number, successes: number, where: string): void => {
  checkCount(units, `${where}.units`);
  checkCount(successes, `${where}.successes`);
  if (successes > units) {
    refuse(`${where}.successes`, `${successes}, more than the ${units} units there are`);
  }
};

const checkMoments = ({ count, mean, m2 }: Moments, where: string): void => {
  checkCount(count, `${where}.count`);
  checkFinite(mean, `${where}.mean`);
  checkSquares(m2, count, `${where}.m2`);
};

const checkJointMoments = ({ count, first, second, cross }: JointMoments, where: string): void => {
  checkMoments({ count, ...first }, `${where}.first`);
  checkMoments({ count, ...second }, `${where}.second`);
  checkFinite(cross, `${where}.cross`);
  // Cauchy and Schwarz, with room for rounding.
  const bound = Math.sqrt(first.m2) * Math.sqrt(second.m2) * (1 + 1e-9);
  if (Math.abs(cross) > bound) {
    refuse(`${where}.cross`, `${cross}, but with these m2 it is at most ${bound} in size`);
  }
};

const checkBins = (bins: readonly Bin[], where: string): void => {
  bins.forEach(({ lower, upper, count }, index) => {
    const bin = `${where}[${index}]`;
    checkFinite(lower, `${bin}.lower`);
    checkFinite(upper, `${bin}.upper`);
    checkCount(count, `${bin}.count`);
    if (lower > upper) refuse(`${bin}.lower`, `${lower}, more than its upper end ${upper}`);
    const before = bins[index - 1];
    // Ends may touch, as those of a histogram do.
    if (before !== undefined && (lower < before.upper || lower === before.lower)) {
      refuse(`${bin}.lower`, `${lower}, inside or below the bin before it, up to ${before.upper}`);
    }
  });
};

const checkCount = (value: number, where: string): void => {
  if (!Number.isSafeInteger(value) || value < 0) {
    refuse(where, `${value}, but must be a whole number from 0`);
  }
};

const checkFinite = (value: number, where: string): void => {
  if (!Number.isFinite(value)) refuse(where, `${value}, but must be a finite number`);
};

const checkSquares = (m2: number, count: number, where: string): void => {
  checkFinite(m2, where);
  if (m2 < 0) refuse(where, `${m2}, but a sum of squares is never negative`);
  if (count < 2 && m2 !== 0) refuse(where, `${m2}, but ${count} values have no spread`);
};

const refuse = (where: string, what: string): never => {
  throw new Error(`impossible aggregate: ${where} is ${what}`);
};
