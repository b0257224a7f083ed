import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { prepareInference } from './infer.ts';
import { ProtocolError } from './protocol/protocol-error.ts';
import { fuzzedSignature } from './testing/fuzzed-signature.ts';

/** What the parser does with a body: takes it, or refuses it as a client's fault. */
function isAnswered(body: Buffer, jsonLength?: string): boolean {
  try {
    prepareInference(body, jsonLength, fuzzedSignature);
  } catch (error) {
    return error instanceof ProtocolError && error.status === 400;
  }
  return true;
}

const input = fc.record(
  {
    name: fc.constantFrom('x', 's', 'i', 'z', '__proto__', 3),
    datatype: fc.constantFrom('FP32', 'BYTES', 'INT64', 'BF16', null),
    shape: fc.oneof(fc.array(fc.integer({ min: -1, max: 3 }), { maxLength: 3 }), fc.jsonValue()),
    data: fc.oneof(fc.array(fc.float({ noNaN: true }), { maxLength: 6 }), fc.jsonValue()),
    parameters: fc.oneof(fc.record({ binary_data_size: fc.nat(20) }), fc.jsonValue()),
  },
  { requiredKeys: [] },
);
const request = fc.record(
  {
    id: fc.jsonValue(),
    inputs: fc.oneof(fc.array(input, { maxLength: 4 }), fc.jsonValue()),
    outputs: fc.oneof(fc.array(fc.record({ name: fc.constantFrom('y', 'z') })), fc.jsonValue()),
    parameters: fc.jsonValue(),
  },
  { requiredKeys: [] },
);

test('whatever JSON comes is taken or refused with 400', () => {
  fc.assert(
    fc.property(request, fc.uint8Array({ maxLength: 40 }), (value, tail) => {
      const json = Buffer.from(JSON.stringify(value));
      const body = Buffer.concat([json, tail]);
      expect(isAnswered(json)).toBe(true);
      expect(isAnswered(body, String(json.length))).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test('whatever bytes come are taken or refused with 400', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.string(), (bytes, length) => {
      expect(isAnswered(Buffer.from(bytes))).toBe(true);
      expect(isAnswered(Buffer.from(bytes), length)).toBe(true);
    }),
    { numRuns: 200 },
  );
});

test('arrays nested a hundred thousand deep are refused anywhere, not followed', () => {
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  const body = (shape: string, data: string) =>
    Buffer.from(`{"inputs":[{"name":"x","datatype":"FP32","shape":${shape},"data":${data}}]}`);
  expect(isAnswered(body('[1,2]', deep))).toBe(true);
  expect(isAnswered(body('[1,2]', `[${deep},1]`))).toBe(true);
  expect(isAnswered(body('[1,2]', `[${deep},1234567890123456]`))).toBe(true);
  expect(isAnswered(body(`[${deep}]`, '[1,2]'))).toBe(true);
});
