import { describe, expect, test } from '@jest/globals';
import { readPrometheus } from './prometheus-answer.ts';

/** Bodies are of the form the HTTP API's documentation shows for instant queries. */
const answer = (resultType: string, result: unknown) =>
  readPrometheus({
    status: 200,
    body: JSON.stringify({ status: 'success', data: { resultType, result } }),
  });
const series = (value: string) => ({ metric: { pod: 'a' }, value: [1435781451.781, value] });

describe('an answer of Prometheus', () => {
  test('is the number of a scalar or of one series', () => {
    expect(answer('scalar', [1435781451.781, '0.25'])).toEqual({ is: 'value', value: 0.25 });
    expect(answer('vector', [series('1e3')])).toEqual({ is: 'value', value: 1000 });
    expect(answer('vector', [series('+Inf')])).toEqual({ is: 'value', value: Infinity });
    expect(answer('vector', [series('-Inf')])).toEqual({ is: 'value', value: -Infinity });
  });

  test('is no data where no series fits, or the value is NaN', () => {
    expect(answer('vector', [])).toEqual({ is: 'no-data', words: 'no series fits the query' });
    expect(answer('vector', [series('NaN')])).toMatchObject({ is: 'no-data' });
    expect(answer('scalar', [1, 'NaN'])).toMatchObject({
      words: 'the value is NaN, as of a share of nothing',
    });
  });

  test('is an error where there are several series, and says how many', () => {
    expect(answer('vector', [series('1'), series('2')])).toEqual({
      is: 'error',
      words:
        'the query yields 2 series, not one; aggregate them, as with sum(), or name more labels',
    });
  });

  test.each([
    ['a range', 'matrix', [{ metric: {}, values: [[1, '1']] }], 'a range (matrix)'],
    ['a text', 'string', [1, 'hello'], 'the type string'],
    ['a histogram', 'vector', [{ metric: {}, histogram: [1, {}] }], 'histogram_quantile()'],
    ['a number that is none', 'scalar', [1, '12abc'], 'is no number'],
    ['a value that is no text', 'scalar', [1, 12], 'holds no value'],
    ['an empty value', 'scalar', [1, ''], 'holds no value'],
    ['a result that is no list', 'vector', { a: 1 }, 'no data.result'],
    ['a series that is none', 'vector', [null], 'no plain value'],
  ])('is an error where it is %s', (_what, type, result, words) => {
    expect(answer(type, result)).toEqual({ is: 'error', words: expect.stringContaining(words) });
  });

  test("tells Prometheus' own words where the query is refused", () => {
    const body = JSON.stringify({
      ...{ status: 'error', errorType: 'bad_data' },
      error: 'invalid parameter "query": 1:5: parse error: unexpected end of input',
    });
    expect(readPrometheus({ status: 400, body })).toEqual({
      is: 'error',
      words:
        'it answered status 400: invalid parameter "query": 1:5: parse error: unexpected end of input',
    });
  });

  test.each([
    [500, 'oops', 'status 500, and not JSON'],
    [200, '<html>', 'status 200, and not JSON'],
    [200, '"success"', 'status 200, and not JSON'],
    [503, '{}', 'status 503'],
    [200, '{}', 'status 200'],
    [200, '{"status":"success"}', 'no data.result'],
  ])('of status %i and the body %s is an error', (status, body, words) => {
    expect(readPrometheus({ status, body })).toEqual({
      ...{ is: 'error', words: expect.stringContaining(words) },
    });
  });
});
