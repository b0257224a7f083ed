/**
 * The one number in an answer of Prometheus to an instant query. Pure.
 * @see https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries
 */
import type { HttpAnswer } from './guarded-request.ts';
import { errorOf, type Reading } from './measurement.ts';

type Answer = {
  readonly status?: unknown;
  readonly error?: unknown;
  readonly data?: { readonly resultType?: unknown; readonly result?: unknown };
};

/** NaN, as of a share of no requests, and an empty vector are no data; several series are an error. */
export const readPrometheus = ({ status, body }: HttpAnswer): Reading => {
  const answer = parsed(body);
  if (answer === undefined) return errorOf(`it answered status ${status}, and not JSON`);
  if (status !== 200 || answer.status !== 'success') {
    const words = typeof answer.error === 'string' ? `: ${answer.error.slice(0, 300)}` : '';
    return errorOf(`it answered status ${status}${words}`);
  }
  const { resultType, result } = answer.data ?? {};
  if (!Array.isArray(result)) return errorOf('its answer holds no data.result');
  switch (resultType) {
    case 'scalar':
      return sampleOf(result);
    case 'vector':
      return seriesOf(result);
    default:
      return errorOf(
        `the query yields ${resultType === 'matrix' ? 'a range (matrix)' : `the type ${String(resultType).slice(0, 40)}`}, not one number; aggregate it, as with rate() or avg_over_time()`,
      );
  }
};

const parsed = (body: string): Answer | undefined => {
  try {
    const found: unknown = JSON.parse(body);
    return typeof found === 'object' && found !== null ? found : undefined;
  } catch {
    return undefined;
  }
};

const seriesOf = (series: readonly unknown[]): Reading => {
  if (series.length === 0) return { is: 'no-data', words: 'no series fits the query' };
  if (series.length > 1) {
    return errorOf(
      `the query yields ${series.length} series, not one; aggregate them, as with sum(), or name more labels`,
    );
  }
  const [first] = series as readonly { readonly value?: unknown }[];
  return Array.isArray(first?.value)
    ? sampleOf(first.value)
    : errorOf('its series holds no plain value; a native histogram needs histogram_quantile()');
};

/** `[time, "value"]`; values are texts because JSON knows neither NaN nor infinity. */
const sampleOf = ([, text]: readonly unknown[]): Reading => {
  if (typeof text !== 'string' || text.trim() === '') return errorOf('its sample holds no value');
  if (text === 'NaN') return { is: 'no-data', words: 'the value is NaN, as of a share of nothing' };
  const value = INFINITIES[text] ?? Number(text);
  return Number.isNaN(value)
    ? errorOf(`its value ${JSON.stringify(text.slice(0, 40))} is no number`)
    : { is: 'value', value };
};

const INFINITIES: Readonly<Record<string, number>> = { '+Inf': Infinity, '-Inf': -Infinity };
