import { expect, test } from '@jest/globals';
import { announces, samplesOf } from './prometheus-text.ts';

// From the format's description:
// https://prometheus.io/docs/instrumenting/exposition_formats/#text-format-example
const example = `# HELP http_requests_total The total number of HTTP requests.
# TYPE http_requests_total counter
http_requests_total{method="post",code="200"} 1027 1395066363000
http_requests_total{method="post",code="400"}    3 1395066363000

# Escaping in label values:
msdos_file_access_time_seconds{path="C:\\\\DIR\\\\FILE.TXT",error="Cannot find file:\\n\\"FILE.TXT\\""} 1.458255915e9

# Minimalistic line:
metric_without_timestamp_and_labels 12.47
`;

const read = (text: string, name: string) =>
  samplesOf(text, new Set([name])).map(({ labels, value }) => ({
    labels: Object.fromEntries(labels),
    value,
  }));

test('samples have labels and a value, and may have a time', () => {
  expect(read(example, 'http_requests_total')).toEqual([
    { labels: { method: 'post', code: '200' }, value: '1027' },
    { labels: { method: 'post', code: '400' }, value: '3' },
  ]);
});

test('label values are unescaped', () => {
  expect(read(example, 'msdos_file_access_time_seconds')).toEqual([
    {
      labels: { path: 'C:\\DIR\\FILE.TXT', error: 'Cannot find file:\n"FILE.TXT"' },
      value: '1.458255915e9',
    },
  ]);
});

test('labels may be missing, or end with a comma', () => {
  expect(read(example, 'metric_without_timestamp_and_labels')).toEqual([
    { labels: {}, value: '12.47' },
  ]);
  expect(read('a{b="c",} 1', 'a')).toEqual([{ labels: { b: 'c' }, value: '1' }]);
});

test('other metrics are not looked at, whatever stands there', () => {
  expect(read('ab{ nonsense\na 1\n', 'a')).toEqual([{ labels: {}, value: '1' }]);
});

test('a metric is announced by its type, on a line of its own', () => {
  expect(announces(example, 'http_requests_total', 'counter')).toBe(true);
  expect(announces(example, 'http_requests', 'counter')).toBe(false);
  expect(announces('x # TYPE a counter\n', 'a', 'counter')).toBe(false);
});
