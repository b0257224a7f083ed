/** Judges what the candidate's pods count: failures and durations. Pure. */
import { judgeRate, type Verdict as Sureness } from '../../../statistics/binomial-bounds.ts';
import { countAbove, observations, quantile } from '../../../traffic/histogram.ts';
import type { Traffic } from '../../../traffic/traffic.ts';
import { isWithin, percent, wanted } from './threshold.ts';
import { ALPHA, worstOf, type BuiltIn, type Verdict } from './verdict.ts';

const DEFAULT_QUANTILE = 0.99;

export const judgeSuccessRate = (
  { thresholdRange }: BuiltIn,
  { requests, failures }: Traffic,
  minimumRequests: number,
): Verdict => {
  const successes = requests - failures;
  const rate = successes / requests;
  const count = { successes, units: requests };
  const rule = (threshold: number, side: 'at-least' | 'at-most') =>
    judgeRate(count, { threshold, side, minimumRequests, alpha: ALPHA });
  const sure = worstOf(
    thresholdRange.min === undefined ? 'pass' : rule(thresholdRange.min, 'at-least'),
    thresholdRange.max === undefined ? 'pass' : rule(thresholdRange.max, 'at-most'),
  );
  const words = `request-success-rate is ${percent(rate)} on ${requests} requests, ${wanted(thresholdRange, percent)}`;
  return { is: verdictOf(sure, isWithin(rate, thresholdRange)), words };
};

/** The q-quantile is at most `max` where a share of 1 - q or less takes longer. */
export const judgeDuration = (
  { thresholdRange, quantile: q = DEFAULT_QUANTILE }: BuiltIn,
  { durations }: Traffic,
  minimumRequests: number,
): Verdict => {
  const units = observations(durations);
  const estimate = quantile(durations, q);
  if (estimate === undefined) {
    return { is: 'inconclusive', words: 'request-duration: no request was answered well' };
  }
  const rule = (bound: number, side: 'at-least' | 'at-most') =>
    judgeRate(
      { successes: units - countAbove(durations, bound), units },
      { threshold: q, side, minimumRequests, alpha: ALPHA },
    );
  // What falls into the bucket of the bound itself is never held against the candidate.
  const bucketEnd = (bound: number) => durations.bounds.find((each) => each >= bound) ?? Infinity;
  const sure = worstOf(
    thresholdRange.max === undefined ? 'pass' : rule(bucketEnd(thresholdRange.max), 'at-least'),
    thresholdRange.min === undefined ? 'pass' : rule(thresholdRange.min, 'at-most'),
  );
  const words = `request-duration (quantile ${q}) is ${seconds(estimate)} on ${units} requests, ${wanted(thresholdRange, seconds)}`;
  return { is: verdictOf(sure, isWithin(estimate, thresholdRange)), words };
};

const verdictOf = (sure: Sureness, estimateIsGood: boolean): Sureness => {
  if (sure === 'fail') return 'fail';
  return estimateIsGood ? 'pass' : 'inconclusive';
};

const seconds = (value: number): string => `${Number(value.toPrecision(3))} s`;
