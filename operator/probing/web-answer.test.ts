import { describe, expect, test } from '@jest/globals';
import { readWeb } from './web-answer.ts';

const read = (path: string | undefined, value: unknown) =>
  readWeb(path)({ status: 200, body: JSON.stringify(value) });

describe('a JSON answer', () => {
  test('is itself the value where no path is stated', () => {
    expect(read(undefined, 0.5)).toEqual({ is: 'value', value: 0.5 });
    expect(read(undefined, false)).toEqual({ is: 'value', value: false });
  });

  test.each([
    ['{$.data.ok}', true],
    ['$.data.ok', true],
    ['{.data.ok}', true],
    ["{$.rates[1]['p 99']}", 0.3],
  ])('has its value at %s', (path, value) => {
    const answer = { data: { ok: true }, rates: [{}, { 'p 99': 0.3 }] };
    expect(read(path, answer)).toEqual({ is: 'value', value });
  });

  test('is no data where the value is null', () => {
    expect(read('{$.rate}', { rate: null })).toEqual({
      ...{ is: 'no-data', words: 'its answer at {$.rate} is null' },
    });
  });

  test.each([
    ['{$.rate}', {}, 'there is nothing in its answer at {$.rate}'],
    ['{$.constructor}', {}, 'there is nothing'],
    ['{$.rates[2]}', { rates: [1, 2] }, 'there is nothing'],
    ['{$.rates.length}', { rates: [1, 2] }, 'there is nothing'],
    ['{$.rate}', { rate: '0.5' }, 'is a text, not a number, true or false'],
    ['{$.rate}', { rate: [0.5] }, 'is a list'],
    ['{$.rate}', { rate: {} }, 'is an object'],
  ])('is an error at %s of %j', (path, value, words) => {
    expect(read(path, value)).toEqual({ is: 'error', words: expect.stringContaining(words) });
  });

  test('must be JSON, with a status that says so', () => {
    expect(readWeb(undefined)({ status: 200, body: '<html>' })).toEqual({
      ...{ is: 'error', words: 'its answer is not JSON' },
    });
    expect(readWeb(undefined)({ status: 500, body: 'true' })).toEqual({
      ...{ is: 'error', words: 'it answered status 500' },
    });
  });
});
