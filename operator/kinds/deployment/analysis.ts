/** Judges what the candidate answered by the metrics of canary.analysis. Pure. */
import type { Deployment } from '../../../crds/schema/deployment.ts';
import { judgeRate, type Verdict as Sureness } from '../../statistics/binomial-bounds.ts';
import { countAbove, observations, quantile } from '../../traffic/histogram.ts';
import type { Traffic, Window } from '../../traffic/traffic.ts';
import { judgeMeasured, type Measured } from './metrics/judge-measured.ts';
import { isWithin, wanted, type Range } from './metrics/threshold.ts';

type CanarySpec = NonNullable<NonNullable<Deployment['spec']['strategy']>['canary']>;
export type AnalysisSpec = NonNullable<CanarySpec['analysis']>;
type Metric = AnalysisSpec['metrics'][number];
/** One of those that the pods tell themselves. */
type OwnMetric = Metric & { readonly thresholdRange: Range };

export type Verdict = {
  /** Inconclusive: too little data, or what was measured is neither good nor surely bad. */
  readonly is: Sureness;
  /** The numbers, for people. */
  readonly words: string;
};

/** Chance that a metric whose true value is good ever brings the old version back. */
const ALPHA = 0.01;
const DEFAULT_QUANTILE = 0.99;

/**
 * A metric fails when its true value is surely out of its range, however often it is looked at; it passes
 * when its estimate is in range on at least `minimumRequests`; in between it is inconclusive. One that
 * fails decides; one that is inconclusive keeps all from passing. Metrics from elsewhere are judged
 * by their own measurements, and fail on however few requests.
 *
 * @param measured what other systems found out, by the metric's name
 */
export const judge = (
  analysis: AnalysisSpec,
  window: Window,
  measured: ReadonlyMap<string, Measured> = new Map(),
): Verdict => {
  const few = tooFewRequests(analysis, window);
  const verdicts = analysis.metrics.flatMap((metric) => {
    if (isElsewhere(metric)) return [judgeMeasured(metric, measured.get(metric.name))];
    return few === undefined ? [judgeMetric(metric as OwnMetric, window.traffic, analysis)] : [];
  });
  const worst =
    verdicts.find(({ is }) => is === 'fail') ??
    few ??
    verdicts.find(({ is }) => is === 'inconclusive');
  return worst ?? { is: 'pass', words: verdicts.map(({ words }) => words).join('; ') };
};

const isElsewhere = ({ prometheus, web, job }: Metric): boolean =>
  (prometheus ?? web ?? job) !== undefined;

/** Jobs bring their own requests; whatever else is judged is about those the candidate answered. */
const tooFewRequests = (
  { minimumRequests, metrics }: AnalysisSpec,
  { traffic: { requests }, silent }: Window,
): Verdict | undefined => {
  const least = metrics.every(isElsewhere) ? minimumRequests : Math.max(1, minimumRequests);
  if (requests >= least || metrics.every(({ job }) => job !== undefined)) return undefined;
  const unheard = silent.length === 0 ? '' : `; not measured: ${silent.join(', ')}`;
  return {
    is: 'inconclusive',
    words: `${requests} of ${least} requests that are needed to judge${unheard}`,
  };
};

const judgeMetric = (metric: OwnMetric, traffic: Traffic, analysis: AnalysisSpec): Verdict =>
  metric.name === 'request-success-rate'
    ? successRate(metric, traffic, analysis)
    : duration(metric, traffic, analysis);

const successRate = (
  { thresholdRange }: OwnMetric,
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
  { thresholdRange, quantile: q = DEFAULT_QUANTILE }: OwnMetric,
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

const worstOf = (one: Sureness, other: Sureness): Sureness => {
  const both = [one, other];
  if (both.includes('fail')) return 'fail';
  return both.includes('inconclusive') ? 'inconclusive' : 'pass';
};

const verdictOf = (sure: Sureness, estimateIsGood: boolean): Sureness => {
  if (sure === 'fail') return 'fail';
  return estimateIsGood ? 'pass' : 'inconclusive';
};

const percent = (share: number): string => `${Number((100 * share).toPrecision(4))} %`;
const seconds = (value: number): string => `${Number(value.toPrecision(3))} s`;
