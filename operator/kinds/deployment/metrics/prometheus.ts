import { parseDuration } from '../../../../serving-runtime/protocol/duration.ts';
import type { Probe } from '../../../probing/metric-probe.ts';
import { readPrometheus } from '../../../probing/prometheus-answer.ts';
import type { Metric } from './verdict.ts';
import { fill, filledUrl, type Placeholders } from './placeholders.ts';

type PrometheusMetric = NonNullable<Metric['prometheus']>;

/** Prometheus ends its own work a little before we end ours, and then says so. */
const ANSWERS_BEFORE = 0.9;

/** The query of a metric, asked by POST because it may be long. Throws Unfillable. */
export const prometheusQuestion = (
  { address, query, timeout = '5s' }: PrometheusMetric,
  placeholders: Placeholders,
): Omit<Probe, 'id'> => {
  const timeoutMs = parseDuration(timeout) ?? 5000;
  const url = filledUrl(address, placeholders);
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/api/v1/query`;
  const form = new URLSearchParams({
    query: fill(query, placeholders, withoutQuotes),
    timeout: `${Math.max(1, Math.floor(timeoutMs * ANSWERS_BEFORE))}ms`,
  });
  return {
    request: {
      url: url.href,
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      body: form.toString(),
      timeoutMs,
    },
    read: readPrometheus,
  };
};

/** Nothing a name of ours may hold; were it otherwise, it would not end the text it stands in. */
const withoutQuotes = (value: string): string => value.replaceAll(/["'`\\]/g, '');
