import { expect, test } from '@jest/globals';
import { parseJson } from './parse-json.ts';

test('whole numbers beyond 2^53 keep every digit when asked', () => {
  const body = Buffer.from('{"a":[9007199254740993,-9223372036854775808,12,0.1234567890123456]}');
  expect(parseJson(body, true)).toEqual({
    a: [9007199254740993n, -9223372036854775808n, 12, 0.1234567890123456],
  });
  expect(parseJson(body, false)).toMatchObject({
    a: [2 ** 53, -(2 ** 63), 12, 0.1234567890123456],
  });
});

test('numbers in exponent form stay doubles', () => {
  expect(parseJson(Buffer.from('[1234567890123456e30]'), true)).toEqual([1.234567890123456e45]);
});

test('text that is no JSON and bytes that are no UTF-8 are refused', () => {
  expect(() => parseJson(Buffer.from('{"a":NaN}'), false)).toThrow('the body is not valid JSON');
  expect(() => parseJson(Buffer.from(''), false)).toThrow('the body is not valid JSON');
  expect(() => parseJson(Buffer.from([0x22, 0xff, 0x22]), false)).toThrow('not valid UTF-8');
});
