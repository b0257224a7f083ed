import { describe, expect, test } from '@jest/globals';

import { evaluateGate } from './gate.ts';

const METRICS = [
  { key: 'accuracy', value: 0.97 },
  { key: 'loss', value: 1 },
  { key: 'val/f1', value: 0.5 },
];

describe('register.when', () => {
  test.each([
    ['metrics.accuracy >= 0.9'],
    ['metrics.loss < 2'],
    ['metrics["val/f1"] > 0.1 && metrics.accuracy > 0.5'],
    ['has(metrics.f1) ? metrics.f1 > 0.5 : true'],
    ['metrics.all(name, metrics[name] > 0.0)'],
  ])('passes with %s', (expression) => {
    expect(evaluateGate(expression, METRICS)).toEqual({ passed: true });
  });

  test('passes when it is left out', () => {
    expect(evaluateGate(undefined, [])).toEqual({ passed: true });
  });

  test('rejects with the values that were logged', () => {
    expect(evaluateGate('metrics.accuracy > 0.99', METRICS)).toEqual({
      passed: false,
      reason: 'GateRejected',
      message:
        'spec.register.when (metrics.accuracy > 0.99) is false, so nothing was registered. The run logged accuracy = 0.97, loss = 1, val/f1 = 0.5.',
    });
  });

  test.each([
    ['metrics.f1 > 0.5', /No such key: f1/],
    ['metrics.accuracy', /does not yield true or false/],
    ['metrics.accuracy >=', /Unexpected token/],
    ['process.exit(1)', /Unknown variable: process/],
    ['"aaaa".matches("(a+)+$")', /not allowed/],
    ['[1,2].all(a, [1,2].all(b, a > b))', /more than one loop/],
    [`metrics.loss < ${'1'.repeat(2100)}`, /longer than 2048/],
  ])('says what is wrong with %s', (expression, want) => {
    const result = evaluateGate(expression, METRICS);
    expect(result).toMatchObject({ passed: false, reason: 'InvalidExpression' });
    expect('message' in result && result.message).toMatch(want);
  });

  test('says that nothing was logged', () => {
    const result = evaluateGate('metrics.f1 > 0.5', []);
    expect('message' in result && result.message).toContain('The run logged no metrics');
  });
});
