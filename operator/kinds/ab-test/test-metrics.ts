import type { ABTestSpec } from '../../../crds/schema/ab-test.ts';
import type { MetricDefinition } from './measurement.ts';

/**
 * Metrics of the request log, which nobody has to send. One unit's value is its share of requests with a
 * status from 500 (error) or below (success), or the mean milliseconds of its requests; as a proportion,
 * both rates are shares of all requests, judged as the ratio of two sums a unit.
 */
export const REQUEST_METRICS = [
  'request-error-rate',
  'request-success-rate',
  'request-duration',
] as const;

export type RequestMetric = (typeof REQUEST_METRICS)[number];

/** Undefined for a metric that is sent; a ratio is always made of metrics that are. */
export const requestMetricOf = ({ name, type }: MetricDefinition): RequestMetric | undefined =>
  type === 'ratio' ? undefined : REQUEST_METRICS.find((known) => known === name);

export const definitionsOf = ({
  metrics,
}: Pick<ABTestSpec, 'metrics'>): readonly MetricDefinition[] =>
  [...metrics.goal, ...(metrics.guardrails ?? []), ...(metrics.secondary ?? [])].map(
    ({ name, type, numerator, denominator }) => ({ name, type, numerator, denominator }),
  );

/** Names under which outcomes are taken: those of metrics, and for ratios those of both parts. */
export const sentMetrics = (spec: Pick<ABTestSpec, 'metrics'>): ReadonlySet<string> =>
  new Set(
    definitionsOf(spec)
      .flatMap(({ name, type, numerator, denominator }) =>
        type === 'ratio' ? [numerator, denominator] : [name],
      )
      .filter((name) => name !== undefined)
      .filter((name) => !REQUEST_METRICS.some((known) => known === name)),
  );

/** What keeps a metric from having a value, or undefined. */
export const metricFault = (metric: MetricDefinition): string | undefined => {
  if (requestMetricOf(metric) === 'request-duration' && metric.type === 'proportion') {
    return 'request-duration is a time, and no share of anything; use type mean or quantile';
  }
  const part = [metric.numerator, metric.denominator].find((name) =>
    REQUEST_METRICS.some((known) => known === name),
  );
  if (part === undefined) return undefined;
  return `${part} is a share or a time of its own, not a sum; name a metric that is sent as outcomes`;
};
