import type { MessageInitShape } from '@bufbuild/protobuf';
import { create, fromBinary } from '@bufbuild/protobuf';
import { describe, expect, test } from '@jest/globals';
import type { LoadedModel } from '../repository/loaded-model.ts';
import type { InferTensorContentsSchema } from './generated/inference_pb.js';
import { ModelInferRequestSchema, ModelInferResponseSchema } from './generated/inference_pb.js';
import { encodeStatusMessage, parseGrpcTimeout } from './grpc-status.ts';
import { encodeMessage, prepareMessage } from './infer-messages.ts';

const lists: readonly (readonly [string, MessageInitShape<typeof InferTensorContentsSchema>])[] = [
  ['BOOL', { boolContents: [true, false] }],
  ['INT8', { intContents: [-128, 127] }],
  ['INT16', { intContents: [-32768, 32767] }],
  ['INT32', { intContents: [-2147483648, 2147483647] }],
  ['INT64', { int64Contents: [-9223372036854775808n, 9007199254740993n] }],
  ['UINT8', { uintContents: [0, 255] }],
  ['UINT16', { uintContents: [0, 65535] }],
  ['UINT32', { uintContents: [0, 4294967295] }],
  ['UINT64', { uint64Contents: [0n, 18446744073709551615n] }],
  ['FP32', { fp32Contents: [NaN, 0.5] }],
  ['FP64', { fp64Contents: [Infinity, 0.1] }],
  ['BYTES', { bytesContents: [Buffer.from('ä'), Buffer.from('')] }],
];

const model = { entry: { model: 'm', version: '1' } } as LoadedModel;

const requestOf = (datatype: string, contents: object) =>
  create(ModelInferRequestSchema, {
    modelName: 'm',
    inputs: [{ name: 'x', datatype, shape: [2n], contents }],
  });

const signatureOf = (datatype: string) => {
  const tensors = [{ name: 'x', datatype: datatype as 'FP32', shape: [-1] }];
  return { inputs: tensors, outputs: tensors };
};

test.each(lists)('a list of %s comes back as it was, to the last digit', (datatype, contents) => {
  const request = requestOf(datatype, contents);
  const prepared = prepareMessage(request, signatureOf(datatype));
  const tensor = prepared.inputs.get('x');
  if (tensor === undefined) throw new Error('no tensor');
  const { body } = encodeMessage(request, prepared, [tensor], model);
  const answer = fromBinary(ModelInferResponseSchema, body as Buffer);
  expect(answer.outputs[0]?.contents).toMatchObject(
    create(ModelInferRequestSchema, { inputs: [{ contents }] }).inputs[0]?.contents ?? {},
  );
});

describe('a list is refused', () => {
  test.each([
    ['with too few values', 'FP32', { fp32Contents: [1] }, /fp32_contents has 1; make them agree/],
    ['in the field of another', 'INT64', { intContents: [1, 2] }, /int64_contents has 0/],
    ['out of its range', 'INT8', { intContents: [1, 200] }, /value 1 is 200, not a whole number/],
    ['for FP16, which has none', 'FP16', {}, /FP16 has no contents; send raw_input_contents/],
    ['for BF16, which has none', 'BF16', {}, /BF16 has no contents; send raw_input_contents/],
    [
      'of bytes that are no text',
      'BYTES',
      { bytesContents: [Buffer.of(255), Buffer.of(65)] },
      /element 0 is not UTF-8/,
    ],
  ])('%s', (_why, datatype, contents, message) => {
    expect(() => prepareMessage(requestOf(datatype, contents), signatureOf(datatype))).toThrow(
      message,
    );
  });
});

test('a status message is ASCII, percent-encoded', () => {
  expect(encodeStatusMessage('50 % of ä\n')).toBe('50 %25 of %C3%A4%0A');
});

test.each([
  ['1H', 3_600_000],
  ['2M', 120_000],
  ['3S', 3000],
  ['4m', 4],
  ['5u', 0.005],
  ['123456789m', undefined],
  ['-1S', undefined],
])('a timeout of %s', (text, ms) => {
  expect(parseGrpcTimeout(text)).toBe(ms);
});
