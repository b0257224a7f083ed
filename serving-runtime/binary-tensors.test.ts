import { describe, expect, test } from '@jest/globals';
import { binarySize, decodeBinaryTensor, encodeBinaryData } from './binary-tensors.ts';
import type { Datatype } from './protocol/datatypes.ts';

function input(datatype: Datatype, shape: readonly number[], size: unknown = 0) {
  return { name: 'x', datatype, shape, data: undefined, parameters: { binary_data_size: size } };
}

test('little-endian bytes become numbers and back, from any offset', () => {
  const body = Buffer.from([99, 0, 0, 128, 63, 0, 0, 0, 192]);
  const tensor = decodeBinaryTensor(input('FP32', [2]), body.subarray(1));
  expect(tensor.data).toEqual(Float32Array.of(1, -2));
  expect(Buffer.from(encodeBinaryData(tensor))).toEqual(body.subarray(1));
});

test('words of BF16 become numbers and back, from any offset', () => {
  const body = Buffer.from([99, 0xcd, 0x3d, 0x80, 0xff]);
  const tensor = decodeBinaryTensor(input('BF16', [2]), body.subarray(1));
  expect(tensor.data).toEqual(Float32Array.of(0.10009765625, -Infinity));
  expect(Buffer.from(encodeBinaryData(tensor))).toEqual(body.subarray(1));
});

test('64-bit integers keep every bit', () => {
  const body = Buffer.alloc(8);
  body.writeBigInt64LE(9_007_199_254_740_993n);
  expect(decodeBinaryTensor(input('INT64', [1]), body).data).toEqual(
    BigInt64Array.of(9_007_199_254_740_993n),
  );
});

test('strings are prefixed with their length in bytes', () => {
  const body = Buffer.from([3, 0, 0, 0, 0x67, 0xc3, 0xbc, 0, 0, 0, 0]);
  const tensor = decodeBinaryTensor(input('BYTES', [2]), body);
  expect(tensor.data).toEqual(['gü', '']);
  expect(Buffer.from(encodeBinaryData(tensor))).toEqual(body);
});

describe('bytes that do not fit are refused', () => {
  test.each<[Datatype, number[], number[], string]>([
    ['FP32', [2], [0, 0, 0, 0], 'wants 8 bytes, binary_data_size is 4'],
    ['BOOL', [1], [2], 'a BOOL byte is neither 0 nor 1'],
    ['BYTES', [1], [9, 0, 0, 0, 1], "ends after the tensor's bytes"],
    ['BYTES', [1], [9, 0], "ends after the tensor's bytes"],
    ['BYTES', [1], [1, 0, 0, 0, 0xff], 'is not UTF-8'],
    ['BYTES', [2], [0, 0, 0, 0], 'hold 1 elements, its shape wants 2'],
  ])('%s %p of %p: %s', (datatype, shape, bytes, message) => {
    expect(() => decodeBinaryTensor(input(datatype, shape), Uint8Array.from(bytes))).toThrow(
      message,
    );
  });

  test.each(['8', -1, 1.5])('a size of %p', (size) => {
    expect(() => binarySize(input('FP32', [1], size))).toThrow('binary_data_size is no whole');
  });
});
