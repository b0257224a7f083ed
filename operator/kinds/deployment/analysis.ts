/** Judges the candidate by the metrics of canary.analysis. Pure. */
import type { Window } from '../../traffic/traffic.ts';
import { judgeDrift } from './metrics/judge-drift.ts';
import { judgeMeasured, type Measured } from './metrics/judge-measured.ts';
import { judgePredictionError } from './metrics/judge-prediction-error.ts';
import { judgeDuration, judgeSuccessRate } from './metrics/judge-traffic.ts';
import type { OwnEvidence } from './metrics/own-evidence.ts';
import type { AnalysisSpec, BuiltIn, Metric, Verdict } from './metrics/verdict.ts';

/** What is known of the candidate since its share of the requests was changed last. */
export type Evidence = {
  /** What its pods count. */
  readonly window: Window;
  /** What labels and sketches say; undefined: no metric asks, or the versions are not known. */
  readonly own?: OwnEvidence | undefined;
  /** What other systems and Jobs found out, by the metric's name. */
  readonly measured: ReadonlyMap<string, Measured>;
};

/** Undefined: it says nothing yet. */
type Judge = (metric: Metric, evidence: Evidence, minimum: number) => Verdict | undefined;

/** Counters: with too few requests they say nothing. */
const byTraffic =
  (judgeIt: typeof judgeDuration): Judge =>
  (metric, { window: { traffic } }, minimum) =>
    traffic.requests < Math.max(1, minimum)
      ? undefined
      : judgeIt(metric as BuiltIn, traffic, minimum);

/** What we log: it counts its own labels and values, and may fail before requests are enough. */
const byOwnData =
  (judgeIt: typeof judgeDrift): Judge =>
  (metric, { own }, minimum) =>
    own === undefined
      ? { is: 'inconclusive', words: `${metric.name}: the versions to compare are not known` }
      : judgeIt(metric as BuiltIn, own, minimum);

/** Measurements of others: they fail on however few requests, as those may be of anything. */
const byMeasurements: Judge = (metric, { measured }) =>
  judgeMeasured(metric, measured.get(metric.name));

/** The metrics that need no source; any other is measured by one. A Map, as names are users'. */
const BUILT_IN: ReadonlyMap<string, Judge> = new Map([
  ['request-success-rate', byTraffic(judgeSuccessRate)],
  ['request-duration', byTraffic(judgeDuration)],
  ['prediction-error', byOwnData(judgePredictionError)],
  ['drift', byOwnData(judgeDrift)],
]);

/**
 * A built-in metric fails when its true value is surely out of its range, however often it is looked at;
 * it passes when its estimate is in range on enough data; in between it is inconclusive. Metrics from
 * elsewhere are judged by their own measurements. One that fails decides; too few requests, or one
 * that is inconclusive, keep all from passing.
 */
export const judge = (analysis: AnalysisSpec, evidence: Evidence): Verdict => {
  const verdicts = analysis.metrics
    .map((metric) => {
      const judgeIt = BUILT_IN.get(metric.name) ?? byMeasurements;
      return judgeIt(metric, evidence, analysis.minimumRequests);
    })
    .filter((verdict) => verdict !== undefined);
  const worst =
    verdicts.find(({ is }) => is === 'fail') ??
    tooFewRequests(analysis, evidence.window) ??
    verdicts.find(({ is }) => is === 'inconclusive');
  return worst ?? { is: 'pass', words: verdicts.map(({ words }) => words).join('; ') };
};

/** Jobs bring their own requests; whatever else is judged is about those the candidate answered. */
const tooFewRequests = (
  { minimumRequests, metrics }: AnalysisSpec,
  { traffic: { requests }, silent }: Window,
): Verdict | undefined => {
  const isBuiltIn = metrics.some(({ name }) => BUILT_IN.has(name));
  const least = isBuiltIn ? Math.max(1, minimumRequests) : minimumRequests;
  if (requests >= least || metrics.every(({ job }) => job !== undefined)) return undefined;
  const unheard = silent.length === 0 ? '' : `; not measured: ${silent.join(', ')}`;
  return {
    is: 'inconclusive',
    words: `${requests} of ${least} requests that are needed to judge${unheard}`,
  };
};
