import { z } from 'zod';
import { listMap } from './fields.ts';
import { httpAddress, probeTimeout } from './metric-fields.ts';
import { shaped } from './rules.ts';

const header = z.strictObject({
  key: shaped(
    z.string().min(1).max(128).describe('Name of the header.'),
    /^[A-Za-z0-9!#$%&*+.^_`|~-]+$/,
    'must be the name of a header, such as accept',
  ),
  value: shaped(
    z
      .string()
      .max(1024)
      .describe('Its value; whoever may read this object sees it, so put no password here.'),
    /^[ -~]*$/,
    'must hold printable ASCII characters only',
  ),
});

/** A metric that some HTTP server tells as JSON. */
export const webMetric = z
  .strictObject({
    url: httpAddress(
      'What is asked; the placeholders of prometheus.query are filled in. A Service of the same namespace, a public host, or one the administrator allows (operator.metricHosts). Redirects are not followed.',
    ),
    method: z.enum(['GET', 'POST']).describe('GET or POST; left out, GET.').optional(),
    headers: listMap(header, 'Headers of the request.', { max: 16, key: 'key' }).optional(),
    body: z
      .string()
      .max(16384)
      .describe('Body of a POST; the placeholders of prometheus.query are filled in.')
      .optional(),
    timeout: probeTimeout.optional(),
    jsonPath: shaped(
      z
        .string()
        .min(1)
        .max(512)
        .describe(
          "Where in the JSON answer the value is, such as {$.data.ok} or {$.rates[0]['p99']}; left out, the answer is the value. A number is held against thresholdRange, true is good and false is bad, null is no data.",
        ),
      // CEL holds the expression in quotes, which it must not contain itself: \x27.
      /^(\{\$?|\$)((\.[A-Za-z_][A-Za-z0-9_-]*)|(\[[0-9]{1,6}\])|(\[\x27[^\x27]+\x27\]))*\}?$/,
      "must be a path of names and places, such as {$.data.ok} or {$.rates[0]['p99']}; filters and wildcards are not supported",
    ).optional(),
  })
  .describe('Asked of an HTTP server once an interval, without credentials.');
