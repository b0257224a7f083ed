import type { Histogram } from '../traffic/histogram.ts';
import { emptyHistogram } from '../traffic/histogram.ts';
import type { Traffic } from '../traffic/traffic.ts';
import { announces, samplesOf, type Sample } from './prometheus-text.ts';

/** The counters of a pod at one moment, since its process began. */
export type Reading = {
  readonly traffic: Traffic;
  /** By the pod's clock, to the second; undefined when it does not say. */
  readonly startedAt: Date | undefined;
};

// The serving runtime's; their names and labels are an interface (serving-runtime/README.md).
const REQUESTS = 'mlops_inference_requests_total';
const DURATIONS = 'mlops_inference_duration_seconds';
const BUCKETS = `${DURATIONS}_bucket`;
const START = 'process_start_time_seconds';
const wanted = new Set([REQUESTS, BUCKETS, START]);

/** The runtime has 18; more than this keeps a hostile pod from filling the memory. */
const MAX_BUCKETS = 200;

/**
 * Reads what a pod answered at /metrics, over all models and versions it serves: a Deployment's pod
 * serves one. The pod is a tenant's, so that nothing in it is believed unseen: throws an Error that
 * names the metric for counts that are not whole numbers from 0, buckets that do not add up, and
 * for text that does not speak of these metrics at all.
 */
export const readingOf = (text: string): Reading => {
  expectMetric(text, REQUESTS, 'counter');
  expectMetric(text, DURATIONS, 'histogram');
  const samples = samplesOf(text, wanted);
  const named = (name: string): readonly Sample[] => samples.filter((each) => each.name === name);
  const requests = named(REQUESTS).map(({ labels, value }) => ({
    failed: statusOf(labels.get('code')) >= 500,
    count: countOf(REQUESTS, value),
  }));
  return {
    traffic: {
      requests: added(REQUESTS, requests),
      failures: added(
        REQUESTS,
        requests.filter(({ failed }) => failed),
      ),
      durations: histogramOf(named(BUCKETS)),
    },
    startedAt: startOf(named(START)[0]),
  };
};

const expectMetric = (text: string, name: string, type: string): void => {
  if (announces(text, name, type)) return;
  throw new Error(`no ${type} ${name} in its answer: is another program than the runtime there?`);
};

const statusOf = (code: string | undefined): number => {
  if (code !== undefined && /^[1-5][0-9][0-9]$/.test(code)) return Number(code);
  throw new Error(`${REQUESTS}: code must be an HTTP status, not ${shown(code)}`);
};

const countOf = (name: string, value: string): number => {
  const count = /^[0-9]+(\.[0-9]+)?([eE]\+?[0-9]+)?$/.test(value) ? Number(value) : NaN;
  if (Number.isSafeInteger(count)) return count;
  throw new Error(`${name}: must be a whole number from 0 to 2^53-1, not ${shown(value)}`);
};

const added = (name: string, counts: readonly { readonly count: number }[]): number => {
  const sum = counts.reduce((total, { count }) => total + count, 0);
  if (Number.isSafeInteger(sum)) return sum;
  throw new Error(`${name}: the samples sum to over 2^53-1`);
};

/** Buckets of several versions are added first: they are of one runtime and have the same bounds. */
const histogramOf = (samples: readonly Sample[]): Histogram => {
  const below = new Map<number, number>();
  for (const { labels, value } of samples) {
    const bound = boundOf(labels.get('le'));
    const sum = (below.get(bound) ?? 0) + countOf(BUCKETS, value);
    below.set(bound, sum);
  }
  if (below.size === 0) return emptyHistogram;
  const ascending = [...below].toSorted(([one], [other]) => one - other);
  const bounds = ascending.map(([bound]) => bound);
  if (bounds.pop() !== Infinity || bounds.length === 0 || bounds.length >= MAX_BUCKETS) {
    throw new Error(
      `${BUCKETS}: must have from 2 to ${MAX_BUCKETS} buckets, the last of le="+Inf"`,
    );
  }
  const counts = ascending.map(([, sum], i) => sum - (ascending[i - 1]?.[1] ?? 0));
  if (counts.some((count) => count < 0) || !Number.isSafeInteger(ascending.at(-1)?.[1])) {
    throw new Error(`${BUCKETS}: a bucket has less than the one below it, or over 2^53-1`);
  }
  return { bounds, counts };
};

const boundOf = (le: string | undefined): number => {
  if (le === '+Inf') return Infinity;
  const bound = le === undefined || le.trim() === '' ? NaN : Number(le);
  if (bound > 0 && bound < Infinity) return bound;
  throw new Error(`${BUCKETS}: le must be a number over 0 or +Inf, not ${shown(le)}`);
};

const startOf = (sample: Sample | undefined): Date | undefined => {
  if (sample === undefined) return undefined;
  const start = new Date(Number(sample.value) * 1000);
  if (!Number.isNaN(start.getTime())) return start;
  throw new Error(`${START}: must be seconds since 1970, not ${shown(sample.value)}`);
};

const shown = (value: string | undefined): string =>
  value === undefined ? 'left out' : JSON.stringify(value.slice(0, 40));
