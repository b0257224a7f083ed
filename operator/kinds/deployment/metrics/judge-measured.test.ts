import { describe, expect, test } from '@jest/globals';
import type { Reading } from '../../../probing/measurement.ts';
import type { Metric } from './verdict.ts';
import { judgeMeasured } from './judge-measured.ts';

const value = (number: number | boolean, words?: string): Reading => ({
  ...{ is: 'value', value: number },
  ...(words === undefined ? {} : { words }),
});
const ERROR: Reading = { is: 'error', words: 'it answered status 500' };
const NOTHING: Reading = { is: 'no-data', words: 'no series fits the query' };

const judged = (
  metric: { readonly [Field in keyof Metric]?: Metric[Field] | undefined },
  readings: readonly Reading[],
  pending?: string,
) => {
  const whole = { name: 'errors', thresholdRange: { max: 0.1 }, ...metric } as Metric;
  const measurements = readings.map((reading, at) => ({ at, reading }));
  const { is, words } = judgeMeasured(whole, { measurements, pending });
  return `${is}: ${words}`;
};

describe('a metric from elsewhere', () => {
  test('waits while it is not measured', () => {
    expect(judged({}, [])).toBe('inconclusive: errors: not measured yet');
    expect(judged({}, [], 'Job a is under way')).toBe(
      'inconclusive: errors: not measured yet (Job a is under way)',
    );
  });

  test('is good in its range and bad out of it, with the numbers', () => {
    expect(judged({}, [value(0.1)])).toBe('pass: errors is 0.1, wanted at most 0.1');
    expect(judged({}, [value(0.25)])).toBe(
      'fail: errors is 0.25, wanted at most 0.1; 1 of 1 measurement(s) bad, none is forgiven',
    );
    expect(judged({ thresholdRange: { min: 1, max: 2 } }, [value(Infinity)])).toBe(
      'fail: errors is Infinity, wanted at least 1 and at most 2; 1 of 1 measurement(s) bad, none is forgiven',
    );
  });

  test('is bad once more measurements are than failureLimit forgives, in a row or not', () => {
    const metric = { failureLimit: 1 };
    expect(judged(metric, [value(0.2)])).toBe('inconclusive: errors is 0.2, wanted at most 0.1');
    expect(judged(metric, [value(0.2), value(0.1), value(0.3)])).toBe(
      'fail: errors is 0.3, wanted at most 0.1; 2 of 3 measurement(s) bad, 1 are forgiven',
    );
    expect(judged(metric, [value(0.2), value(0.1)])).toMatch(/^pass: /);
  });

  test('is good only after so many good measurements in a row', () => {
    const metric = { consecutiveSuccessLimit: 2 };
    expect(judged(metric, [value(0)])).toBe(
      'inconclusive: errors is 0, wanted at most 0.1, 1 of 2 good measurements in a row',
    );
    expect(judged(metric, [value(0), NOTHING, value(0)])).toMatch(/^inconclusive: .*, 1 of 2 /);
    expect(judged(metric, [value(0), value(0)])).toMatch(/^pass: /);
  });

  test.each([
    ['no data', NOTHING, 'errors: no series fits the query'],
    ['an error', ERROR, 'errors: it answered status 500'],
  ])('waits on %s, however often', (_what, reading, words) => {
    expect(
      judged(
        {},
        Array.from({ length: 500 }, () => reading),
      ),
    ).toBe(`inconclusive: ${words}`);
    expect(judged({}, [value(0), reading])).toBe(`inconclusive: ${words}`);
  });

  test('is bad after more errors in a row than consecutiveErrorLimit, where that is stated', () => {
    const metric = { consecutiveErrorLimit: 1 };
    expect(judged(metric, [ERROR, value(0), ERROR])).toMatch(/^inconclusive: /);
    expect(judged(metric, [ERROR, NOTHING, ERROR])).toMatch(/^inconclusive: /);
    expect(judged(metric, [value(0), ERROR, ERROR])).toBe(
      'fail: errors: it answered status 500; 2 time(s) in a row, consecutiveErrorLimit is 1',
    );
  });

  test('is true or false where it has no range', () => {
    const metric = { thresholdRange: undefined };
    expect(judged(metric, [value(true)])).toBe('pass: errors is true');
    expect(judged(metric, [value(false, 'Job a failed: exit code 3')])).toBe(
      'fail: errors is false: Job a failed: exit code 3; 1 of 1 measurement(s) bad, none is forgiven',
    );
  });

  test('says which range is missing or too much, and waits', () => {
    expect(judged({}, [value(false)])).toBe(
      'inconclusive: errors is false, which no thresholdRange fits; remove it',
    );
    expect(judged({ thresholdRange: undefined }, [value(0.5)])).toBe(
      'inconclusive: errors is 0.5; state thresholdRange to judge it',
    );
  });
});
