import { describe, expect, test } from '@jest/globals';
import { checkAggregate } from '../../operator/statistics/check-aggregate.ts';
import { estimateOf } from '../../operator/statistics/estimates.ts';
import { compareSequentially } from '../../operator/statistics/sequential-comparison.ts';
import { quantileOf } from '../../operator/statistics/quantile-sequence.ts';
import { metricModels, modelFault, unitVariance, type MetricModel } from './metric-model.ts';
import { drawUnits, noUnits } from './metric-stream.ts';
import { randomStream } from './random-stream.ts';
import { aSpec } from './testing/a-test.ts';
import { binValues } from './value-bins.ts';

const model = (changes: Partial<MetricModel>): MetricModel => ({
  ...{ name: 'm', shape: 'share', aggregate: 'proportion', control: 0.1, effects: [] },
  ...{ spread: 1, quantile: undefined, ...changes },
});

const UNITS = 50_000;

describe('units of a stream', () => {
  test.each([
    ['a share', model({ control: 0.2 })],
    ['a share of requests', model({ aggregate: 'ratio', control: 0.2 })],
    ['a share as a mean', model({ aggregate: 'mean', control: 0.2 })],
    ['normal values', model({ shape: 'normal', aggregate: 'mean', control: 3, spread: 0.5 })],
    [
      'log-normal values',
      model({ shape: 'log-normal', aggregate: 'mean', control: 3, spread: 0.5 }),
    ],
    ['a ratio', model({ shape: 'ratio', aggregate: 'ratio', control: 2, spread: 0.5 })],
  ])('have the value and the variance they are to have: %s', (_name, of) => {
    const drawn = drawUnits(of, UNITS, of.control, randomStream(3, 0, 0));
    if (drawn.type === 'quantile') throw new Error('no mean');
    const { value, variance } = estimateOf(drawn, 'here');
    const expected = unitVariance(of, of.control) / UNITS;
    expect(Math.abs(value - of.control)).toBeLessThan(4 * Math.sqrt(expected));
    expect(variance / expected).toBeCloseTo(1, 1);
  });

  test('have the quantile they are to have', () => {
    const of = model({ shape: 'log-normal', aggregate: 'quantile', control: 300, quantile: 0.95 });
    const drawn = drawUnits(of, UNITS, 300, randomStream(4, 0, 0));
    if (drawn.type !== 'quantile') throw new Error('no quantile');
    expect((quantileOf(drawn.bins, 0.95) ?? 0) / 300).toBeCloseTo(1, 1);
  });

  test.each(['proportion', 'mean', 'ratio', 'quantile'] as const)(
    'are possible aggregates, of which none say nothing: %s',
    (aggregate) => {
      const none = noUnits(model({ aggregate }));
      checkAggregate(none, 'here');
      const options = { alpha: 0.05, plannedUnits: 100, quantile: 0.5 };
      expect(compareSequentially(none, none, options).pValue).toBe(1);
    },
  );
});

test('bins are at most 2 % wide, ascend, and hold all values', () => {
  const bins = binValues([5, 5.01, 0, -5, 1e-12, 700]);
  checkAggregate({ type: 'quantile', bins }, 'here');
  expect(bins.map(({ count }) => count)).toEqual([1, 2, 2, 1]);
  for (const { lower, upper } of bins)
    expect(upper - lower).toBeLessThanOrEqual(0.0203 * Math.abs(upper || 1));
  expect(bins[0]?.lower).toBeLessThanOrEqual(-5);
  expect(bins[3]?.upper).toBeGreaterThanOrEqual(700);
});

describe('models of metrics', () => {
  const modelsOf = (goal: object) =>
    metricModels(aSpec({ metrics: { goal: [{ direction: 'increase', ...goal } as never] } }), {
      ...{ values: new Map(), spread: 1, normal: false },
    })[0];

  test('of the request log are measured as the controller measures them', () => {
    expect(modelsOf({ name: 'request-error-rate', type: 'proportion' })).toMatchObject({
      ...{ shape: 'share', aggregate: 'ratio', control: 0.01 },
    });
    expect(modelsOf({ name: 'request-duration', type: 'quantile', quantile: 0.9 })).toMatchObject({
      ...{ shape: 'log-normal', aggregate: 'quantile', control: 1, quantile: 0.9 },
    });
  });

  test('that no unit could have are refused in words', () => {
    expect(modelFault(model({ effects: [0.95] }))).toBe(
      'metric m is a share, but control is 0.1 and the candidates 1.05: give values from 0 to 1',
    );
    expect(modelFault(model({ shape: 'log-normal', control: 1, effects: [0, -1] }))).toMatch(
      /^metric m is log-normal, but control is 1 and the candidates 1, 0: give values above 0/,
    );
    expect(modelFault(model({ effects: [0.02] }))).toBeUndefined();
  });
});
