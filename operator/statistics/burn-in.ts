import type { MeanLike } from './estimates.ts';
import { unitsOf } from './aggregates.ts';

/**
 * From when on an estimate is near enough to normal for the asymptotic confidence sequence; the numbers
 * are measured (operator/decisions/0009). A variant that fails always has no successes: proportions
 * therefore have an exact test for the time before.
 */
const LEAST_SUCCESSES_AND_FAILURES = 10;
const LEAST_UNITS_OF_A_MEAN = 500;

export const pastBurnIn = (aggregate: MeanLike): boolean => {
  if (aggregate.type !== 'proportion') return unitsOf(aggregate) >= LEAST_UNITS_OF_A_MEAN;
  const { successes, units } = aggregate;
  return Math.min(successes, units - successes) >= LEAST_SUCCESSES_AND_FAILURES;
};
