import { z } from 'zod';
import { text } from './fields.ts';
import { httpAddress, probeTimeout } from './metric-fields.ts';

/** A metric that a Prometheus knows, or anything that speaks its HTTP API. */
export const prometheusMetric = z
  .strictObject({
    address: httpAddress(
      'Where its HTTP API is, such as http://prometheus:9090; /api/v1/query is appended. A Service of the same namespace, a public host, or one the administrator allows (operator.metricHosts).',
    ),
    query: text(
      'PromQL that yields one number: a scalar or one series. ${deployment.name}, ${deployment.namespace}, ${candidate.service}, ${candidate.version}, ${candidate.modelVersion}, ${candidate.url}, and the same of stable, are filled in. An empty answer and NaN are no data.',
      8192,
    ),
    timeout: probeTimeout.optional(),
  })
  .describe('Asked of Prometheus once an interval, without credentials.');
