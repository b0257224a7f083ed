import { describe, expect, test } from '@jest/globals';
import type { Datatype } from './protocol/datatypes.ts';
import { decodeJsonTensor, encodeJsonData } from './tensors.ts';

function decode(datatype: Datatype, shape: readonly number[], data: readonly unknown[]) {
  return decodeJsonTensor({ name: 'x', datatype, shape, parameters: {}, data }, data).data;
}

describe('data of every datatype', () => {
  test.each<[Datatype, unknown[], unknown]>([
    ['BOOL', [true, false, 1, 0], Uint8Array.of(1, 0, 1, 0)],
    ['UINT8', [0, 255], Uint8Array.of(0, 255)],
    ['UINT16', [0, 65_535], Uint16Array.of(0, 65_535)],
    ['UINT32', [0, 4_294_967_295], Uint32Array.of(0, 4_294_967_295)],
    ['UINT64', [0, 2n ** 64n - 1n], BigUint64Array.of(0n, 2n ** 64n - 1n)],
    ['INT8', [-128, 127], Int8Array.of(-128, 127)],
    ['INT16', [-32_768, 32_767], Int16Array.of(-32_768, 32_767)],
    ['INT32', [-2_147_483_648, 2_147_483_647], Int32Array.of(-2_147_483_648, 2_147_483_647)],
    ['INT64', [-(2n ** 63n), 2n ** 63n - 1n], BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n)],
    ['INT64', [1, 10_000_000_000_000_000], BigInt64Array.of(1n, 10_000_000_000_000_000n)],
    ['FP16', [0.5, 65_504], Float16Array.of(0.5, 65_504)],
    ['BF16', [0.1, 1.00390625000001], Float32Array.of(0.10009765625, 1.0078125)],
    ['FP32', [0.5, 2n ** 60n], Float32Array.of(0.5, 2 ** 60)],
    ['FP64', [0.1, 1e300], Float64Array.of(0.1, 1e300)],
    ['BYTES', ['', 'grün'], ['', 'grün']],
  ])('%s', (datatype, data, wanted) => {
    expect(decode(datatype, [data.length], data)).toEqual(wanted);
  });
});

describe('nesting', () => {
  test('as the shape says gives the flat order', () => {
    const wanted = Float32Array.of(1, 2, 3, 4);
    expect(
      decode(
        'FP32',
        [2, 2],
        [
          [1, 2],
          [3, 4],
        ],
      ),
    ).toEqual(wanted);
    expect(decode('FP32', [2, 2], [1, 2, 3, 4])).toEqual(wanted);
    expect(
      decode(
        'FP32',
        [1, 2, 2],
        [
          [
            [1, 2],
            [3, 4],
          ],
        ],
      ),
    ).toEqual(wanted);
  });

  test('an empty tensor and a scalar have their own forms', () => {
    expect(decode('FP32', [0, 4], [])).toEqual(new Float32Array(0));
    expect(decode('FP32', [2, 0], [[], []])).toEqual(new Float32Array(0));
    expect(decode('FP32', [], [3])).toEqual(Float32Array.of(3));
  });

  test.each<[string, number[], unknown[], string]>([
    ['too few values', [2, 2], [1, 2, 3], 'shape [2, 2] wants 4 values, data has 3'],
    [
      'too many rows',
      [1, 2],
      [
        [1, 2],
        [3, 4],
      ],
      'is not nested as shape [1, 2] says',
    ],
    ['a short row', [2, 2], [[1, 2], [3]], 'an array has 1 entries'],
    ['rows and values mixed', [2, 1], [[1], 2], 'mixes arrays and values'],
    ['deeper than the shape', [1], [[1]], 'value 0 is an array, not a number'],
    ['nested for a scalar', [], [[1]], 'is not nested as shape [] says'],
  ])('%s is refused', (_what, shape, data, message) => {
    expect(() => decode('FP32', shape, data)).toThrow(message);
  });
});

describe('a value that does not fit is named with its place', () => {
  test.each<[Datatype, unknown, string]>([
    ['FP32', 'a', 'input "x": value 1 is "a", not a number'],
    ['FP32', {}, 'value 1 is an object, not a number'],
    ['FP32', null, 'value 1 is null, not a number'],
    ['FP32', 1e39, 'value 1 is 1e+39, not a finite number that FP32 can hold'],
    ['FP64', Infinity, 'value 1 is Infinity, not a finite number'],
    ['FP16', 70_000, 'not a finite number that FP16 can hold'],
    ['BF16', 3.4e38, 'not a finite number that BF16 can hold'],
    ['INT32', 1.5, 'value 1 is 1.5, not a whole number from -2147483648 to 2147483647'],
    ['UINT8', 256, 'value 1 is 256, not a whole number from 0 to 255'],
    ['INT8', '1', 'value 1 is "1", not a whole number'],
    ['INT64', 2n ** 63n, 'value 1 is 9223372036854775808, not a whole number in the range'],
    ['UINT64', -1, 'value 1 is -1, not a whole number in the range of UINT64'],
    ['INT64', 0.5, 'value 1 is 0.5, not a whole number'],
    ['BOOL', 'yes', 'value 1 is "yes", not true or false'],
    ['BYTES', 3, 'value 1 is 3, not a string'],
    ['FP32', 'a'.repeat(200), 'aaa…", not a number'],
  ])('%s %p', (datatype, value, message) => {
    const good = datatype === 'BYTES' ? '' : 0;
    expect(() => decode(datatype, [2], [good, value])).toThrow(message);
  });
});

describe('outputs as JSON', () => {
  test('keep every digit of 64-bit integers', () => {
    const data = BigInt64Array.of(-(2n ** 63n), 9_007_199_254_740_993n);
    expect(encodeJsonData({ datatype: 'INT64', shape: [2], data }, 'y')).toBe(
      '[-9223372036854775808,9007199254740993]',
    );
  });

  test('write booleans and strings as JSON does', () => {
    const bools = { datatype: 'BOOL', shape: [2], data: Uint8Array.of(1, 0) } as const;
    expect(encodeJsonData(bools, 'y')).toBe('[true,false]');
    const strings = { datatype: 'BYTES', shape: [2], data: ['a"b', 'ü'] } as const;
    expect(encodeJsonData(strings, 'y')).toBe('["a\\"b","ü"]');
  });

  test('write floats so that they read back bit-equal', () => {
    const data = Float32Array.of(0.1, -1.5, 3e-42);
    const text = encodeJsonData({ datatype: 'FP32', shape: [3], data }, 'y');
    expect(Float32Array.from(JSON.parse(text) as number[])).toEqual(data);
  });

  test('refuse what JSON has no word for', () => {
    const data = Float32Array.of(1, NaN);
    expect(() => encodeJsonData({ datatype: 'FP32', shape: [2], data }, 'y')).toThrow(
      'output "y": value 1 is NaN, which JSON cannot carry',
    );
  });
});
