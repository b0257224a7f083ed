import { expect, test } from '@jest/globals';
import { definitionsOf, metricFault, sentMetrics } from './test-metrics.ts';

const spec = {
  metrics: {
    goal: [
      { name: 'conversion', type: 'proportion', direction: 'increase' },
      {
        name: 'ctr',
        type: 'ratio',
        direction: 'increase',
        numerator: 'clicks',
        denominator: 'views',
      },
    ],
    guardrails: [
      {
        name: 'request-error-rate',
        type: 'proportion',
        direction: 'decrease',
        margin: { absolute: 0.1 },
      },
    ],
  },
} as const;

test('outcomes are taken under the names of metrics and of the parts of ratios', () => {
  const mutable = structuredClone(spec) as Parameters<typeof sentMetrics>[0];
  expect([...sentMetrics(mutable)]).toEqual(['conversion', 'clicks', 'views']);
  expect(definitionsOf(mutable).map(({ name }) => name)).toEqual([
    'conversion',
    'ctr',
    'request-error-rate',
  ]);
});

test.each([
  [{ name: 'conversion', type: 'proportion' }, undefined],
  [{ name: 'request-duration', type: 'quantile' }, undefined],
  [{ name: 'request-error-rate', type: 'proportion' }, undefined],
  [{ name: 'request-duration', type: 'proportion' }, 'request-duration is a time, and no share'],
  [
    { name: 'x', type: 'ratio', numerator: 'clicks', denominator: 'request-duration' },
    'request-duration is a share or a time of its own, not a sum',
  ],
] as const)('%j has no value because: %s', (metric, fault) => {
  expect(metricFault(metric)?.slice(0, fault?.length)).toBe(fault);
});
