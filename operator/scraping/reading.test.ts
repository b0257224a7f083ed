import { describe, expect, test } from '@jest/globals';
import { createMetrics } from '../../serving-runtime/telemetry/metrics.ts';
import { readingOf } from './reading.ts';
import { metricsText } from './testing/played-pods.ts';

describe('what the serving runtime answers', () => {
  test('is read to the last request', async () => {
    const metrics = createMetrics({ active: 0, waiting: 0 });
    const iris = metrics.models.of({ model: 'iris "2"\n', version: '2.0.0' });
    iris.inferenceEnded(200, 0.0001);
    iris.inferenceEnded(200, 0.07);
    iris.inferenceEnded(200, 31);
    iris.inferenceEnded(429, 0);
    iris.inferenceEnded(500, 0);
    iris.inferenceEnded(503, 0);
    const { traffic, startedAt } = readingOf((await metrics.render()).text);
    expect(traffic).toEqual({
      requests: 6,
      failures: 2,
      durations: {
        // serving-runtime/telemetry/model-metrics.ts
        bounds: [
          ...[0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1],
          ...[0.25, 0.5, 1, 2.5, 5, 10, 30],
        ],
        counts: [1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1],
      },
    });
    expect(startedAt).toBeInstanceOf(Date);
  });

  test('before a model is loaded is no traffic, and no fault', async () => {
    const { text } = await createMetrics({ active: 0, waiting: 0 }).render();
    expect(readingOf(text).traffic).toEqual({
      requests: 0,
      failures: 0,
      durations: { bounds: [], counts: [0] },
    });
  });

  test('of several versions is added up', async () => {
    const metrics = createMetrics({ active: 0, waiting: 0 });
    metrics.models.of({ model: 'iris', version: '1.0.0' }).inferenceEnded(200, 0.3);
    metrics.models.of({ model: 'iris', version: '2.0.0' }).inferenceEnded(200, 0.4);
    const { traffic } = readingOf((await metrics.render()).text);
    expect(traffic.requests).toBe(2);
    expect(traffic.durations.counts[11]).toBe(2);
  });
});

describe('the start of the process', () => {
  test('is read', () => {
    const text = metricsText({ answered: 1, startedAt: '2026-01-01T00:00:00Z' });
    expect(readingOf(text).startedAt).toEqual(new Date('2026-01-01T00:00:00Z'));
  });

  test('is unknown when it is not told', () => {
    expect(readingOf(metricsText({ answered: 1 })).startedAt).toBeUndefined();
  });
});

describe('what is refused, and why', () => {
  const good = metricsText({ answered: 3, startedAt: '2026-01-01T00:00:00Z' });
  const requests = (rest: string) => `${good}mlops_inference_requests_total${rest}\n`;
  const bucket = (rest: string) => `${good}mlops_inference_duration_seconds_bucket${rest}\n`;
  const whole = /^mlops_inference_requests_total: must be a whole number from 0 to 2\^53-1, not "/;
  const malformed = /^mlops_inference_requests_total: not a sample in Prometheus' text format/;

  test.each([
    ['another page', '<html>', /^no counter mlops_inference_requests_total in its answer/],
    ['an empty answer', '', /^no counter mlops_inference_requests_total in its answer/],
    [
      'no histogram',
      '# TYPE mlops_inference_requests_total counter\n',
      /^no histogram mlops_inference_duration_seconds in its answer/,
    ],
    ['NaN', requests('{code="200"} NaN'), whole],
    ['infinity', requests('{code="200"} +Inf'), whole],
    ['a negative count', requests('{code="200"} -1'), whole],
    ['half a request', requests('{code="200"} 0.5'), whole],
    ['more than can be counted', requests('{code="200"} 1e300'), whole],
    ['a hexadecimal count', requests('{code="200"} 0x10'), whole],
    ['a sum beyond counting', requests('{code="200"} 9007199254740991'), /sum to over 2\^53-1/],
    ['a status that is none', requests('{code="999"} 1'), /must be an HTTP status, not "999"/],
    ['no status', requests(' 1'), /must be an HTTP status, not left out/],
    ['labels without an end', requests('{code="200" 1'), malformed],
    ['labels that are none', requests('{=} 1'), malformed],
    ['no value', requests('{code="200"}'), malformed],
    ['a line that never ends', requests(`{code="${'9'.repeat(5000)}"} 1`), /a line of 50\d\d/],
    ['a bound that is none', bucket('{le="x"} 1'), /le must be a number over 0 or \+Inf, not "x"/],
    ['a bound below 0', bucket('{le="-1"} 1'), /le must be a number over 0 or \+Inf, not "-1"/],
    ['a bucket with less than the one before', bucket('{le="0.5"} 2'), /has less than the one/],
    [
      'no last bucket',
      good.replace(/^.*\+Inf.*\n/m, ''),
      /^mlops_inference_duration_seconds_bucket: must have from 2 to 200 buckets, the last of le/,
    ],
    [
      'too many buckets',
      bucket(
        Array.from({ length: 199 }, (_, i) => `{le="${i + 2}"} 3`).join(
          '\nmlops_inference_duration_seconds_bucket',
        ),
      ),
      /must have from 2 to 200 buckets/,
    ],
    [
      'a start at no time',
      good.replace(/^process_start_time_seconds .*$/m, 'process_start_time_seconds NaN'),
      /^process_start_time_seconds: must be seconds since 1970, not "NaN"/,
    ],
  ])('%s', (_, text, message) => {
    expect(() => readingOf(text)).toThrow(message);
  });
});
