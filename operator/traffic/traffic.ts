import { comparable, difference, emptyHistogram, sum, type Histogram } from './histogram.ts';

/** What was asked and answered, of one pod or of several. */
export type Traffic = {
  readonly requests: number;
  /** Of these, answered with a status of 500 or over. */
  readonly failures: number;
  /** Of the requests answered 200. */
  readonly durations: Histogram;
};

export const noTraffic: Traffic = { requests: 0, failures: 0, durations: emptyHistogram };

/** What a measurement knows of a stretch of time. */
export type Window = {
  readonly traffic: Traffic;
  /** Where it begins: the earliest reading that was counted from; undefined: nothing measured. */
  readonly from: Date | undefined;
  /** The latest reading; undefined: nothing measured. */
  readonly to: Date | undefined;
  /** The pods that did not answer the latest measurement, each with the reason. */
  readonly silent: readonly string[];
};

/**
 * What a pod answered between two readings of its counters. Where one went down the process began
 * anew and counts from 0; what it had answered after `before` and before its end is not known. One
 * process has all the counters, so one that went down resets all; otherwise as Prometheus' `rate`:
 * https://prometheus.io/docs/prometheus/latest/querying/functions/#rate
 * Throws a RangeError when the bounds of the histograms differ.
 */
export const between = (before: Traffic, after: Traffic): Traffic => {
  if (wentDown(before, after)) return after;
  return {
    requests: after.requests - before.requests,
    failures: after.failures - before.failures,
    durations: difference(after.durations, before.durations),
  };
};

/** All of it; throws a RangeError when the bounds of the histograms differ. */
export const total = (many: readonly Traffic[]): Traffic => ({
  requests: many.reduce((requests, each) => requests + each.requests, 0),
  failures: many.reduce((failures, each) => failures + each.failures, 0),
  durations: sum(many.map(({ durations }) => durations)),
});

const wentDown = (before: Traffic, after: Traffic): boolean =>
  after.requests < before.requests ||
  after.failures < before.failures ||
  (comparable(before.durations, after.durations) &&
    before.durations.counts.some((count, i) => (after.durations.counts[i] ?? 0) < count));
