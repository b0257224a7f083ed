import { parseDuration } from '../../../../serving-runtime/protocol/duration.ts';
import type { Probe } from '../../../probing/metric-probe.ts';
import { readWeb } from '../../../probing/web-answer.ts';
import type { Metric } from './verdict.ts';
import { fill, filledUrl, type Placeholders } from './placeholders.ts';

type WebMetric = NonNullable<Metric['web']>;

/** Decided by the request itself. */
const NOT_THEIRS = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'connection',
  'upgrade',
]);

/** Throws Unfillable. */
export const webQuestion = (
  { url, method = 'GET', headers = [], body, timeout = '5s', jsonPath }: WebMetric,
  placeholders: Placeholders,
): Omit<Probe, 'id'> => {
  const theirs = headers
    .map(({ key, value }) => [key.toLowerCase(), value] as const)
    .filter(([key]) => !NOT_THEIRS.has(key));
  const type = body === undefined ? {} : { 'content-type': 'application/json' };
  return {
    request: {
      url: filledUrl(url, placeholders).href,
      method,
      headers: { accept: 'application/json', ...type, ...Object.fromEntries(theirs) },
      ...(body === undefined || method === 'GET' ? {} : { body: fill(body, placeholders) }),
      timeoutMs: parseDuration(timeout) ?? 5000,
    },
    read: readWeb(jsonPath),
  };
};
