/** Judges what the candidate answered by the metrics of canary.analysis. Pure. */
import { judgeRate, type Verdict as Sureness } from '../../statistics/binomial-bounds.ts';
import { countAbove, observations, quantile } from '../../traffic/histogram.ts';
import type { Traffic, Window } from '../../traffic/traffic.ts';
import { judgeDrift } from './judge-drift.ts';
import { judgePredictionError } from './judge-prediction-error.ts';
import type { OwnEvidence } from './own-evidence.ts';
import {
  ALPHA,
  percent,
  worstOf,
  type AnalysisSpec,
  type Metric,
  type Verdict,
} from './verdict.ts';

type Range = Metric['thresholdRange'];

const DEFAULT_QUANTILE = 0.99;

/**
 * A metric fails when its true value is surely out of its range, however often it is looked at; it passes
 * when its estimate is in range on at least `minimumRequests`; in between it is inconclusive. One that
 * fails decides; one that is inconclusive keeps all from passing.
 */
export const judge = (analysis: AnalysisSpec, window: Window, own?: OwnEvidence): Verdict => {
  const { traffic } = window;
  const isEnough = traffic.requests >= Math.max(1, analysis.minimumRequests);
  const fromData = own === undefined ? [] : judgeOwn(analysis, own);
  const early = fromData.find(({ is }) => is === 'fail');
  if (early !== undefined) return early;
  if (!isEnough) return tooFew(analysis, window);
  const verdicts = [
    ...analysis.metrics.filter(isOfTraffic).map((metric) => judgeMetric(metric, traffic, analysis)),
    ...fromData,
  ];
  const worst =
    verdicts.find(({ is }) => is === 'fail') ?? verdicts.find(({ is }) => is === 'inconclusive');
  return worst ?? { is: 'pass', words: verdicts.map(({ words }) => words).join('; ') };
};

const tooFew = (
  { minimumRequests }: AnalysisSpec,
  { traffic: { requests }, silent }: Window,
): Verdict => {
  const unheard = silent.length === 0 ? '' : `; not measured: ${silent.join(', ')}`;
  const words = `${requests} of ${Math.max(1, minimumRequests)} requests that are needed to judge${unheard}`;
  return { is: 'inconclusive', words };
};

/** How a metric that does not come from the pods' own counters is judged; one line for each. */
const OWN: Readonly<Record<string, typeof judgeDrift>> = {
  'prediction-error': judgePredictionError,
  drift: judgeDrift,
};

const isOfTraffic = ({ name }: Metric): boolean => OWN[name] === undefined;

const judgeOwn = (
  { metrics, minimumRequests }: AnalysisSpec,
  own: OwnEvidence,
): readonly Verdict[] =>
  metrics.flatMap((metric) => {
    const judgeIt = OWN[metric.name];
    return judgeIt === undefined ? [] : [judgeIt(metric, own, minimumRequests)];
  });

const judgeMetric = (metric: Metric, traffic: Traffic, analysis: AnalysisSpec): Verdict =>
  metric.name === 'request-success-rate'
    ? successRate(metric, traffic, analysis)
    : duration(metric, traffic, analysis);

const successRate = (
  { thresholdRange }: Metric,
  { requests, failures }: Traffic,
  { minimumRequests }: AnalysisSpec,
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
const duration = (
  { thresholdRange, quantile: q = DEFAULT_QUANTILE }: Metric,
  { durations }: Traffic,
  { minimumRequests }: AnalysisSpec,
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

const isWithin = (value: number, { min = -Infinity, max = Infinity }: Range): boolean =>
  value >= min && value <= max;

const wanted = ({ min, max }: Range, format: (value: number) => string): string => {
  const parts = [
    ...(min === undefined ? [] : [`at least ${format(min)}`]),
    ...(max === undefined ? [] : [`at most ${format(max)}`]),
  ];
  return `wanted ${parts.join(' and ')}`;
};

const seconds = (value: number): string => `${Number(value.toPrecision(3))} s`;
