import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FrameDecoder } from './grpc/frames.ts';
import { ModelInferRequestSchema } from './grpc/generated/inference_pb.js';
import { prepareMessage } from './grpc/infer-messages.ts';
import { decodeMessage } from './grpc/method.ts';
import { prepareInference } from './infer.ts';
import { ProtocolError } from './protocol/protocol-error.ts';
import { fuzzedSignature } from './testing/fuzzed-signature.ts';

const folder = join(import.meta.dirname, 'testing/corpus');
const recorded = readdirSync(folder)
  .filter((name) => name.endsWith('.bin'))
  .map((name) => ({ name, bytes: readFileSync(join(folder, name)) }));

function prepare(name: string, bytes: Uint8Array) {
  const body = Buffer.from(bytes);
  if (name.startsWith('grpc')) {
    const [message = new Uint8Array()] = new FrameDecoder(1e6).push(body);
    return prepareMessage(decodeMessage(ModelInferRequestSchema, message), fuzzedSignature);
  }
  const length = name.startsWith('binary')
    ? readFileSync(join(folder, name.replace('.bin', '.length')), 'utf8')
    : undefined;
  return prepareInference(body, length, fuzzedSignature);
}

/** A few bytes changed, put in or left out. */
const damage = fc.array(
  fc.record({ at: fc.nat(500), take: fc.nat(8), put: fc.uint8Array({ maxLength: 8 }) }),
  { minLength: 1, maxLength: 4 },
);

test('there are requests of each kind', () => {
  const kinds = new Set(recorded.map(({ name }) => name.replace(/-.*$/, '')));
  expect([...kinds].toSorted()).toEqual(['binary', 'grpc', 'json']);
});

test.each(recorded)('$name is taken as it came', ({ name, bytes }) => {
  const { id, inputs } = prepare(name, bytes);
  expect(id).toBe('r-1');
  expect([...inputs.keys()]).toEqual(['x', 's', 'i']);
});

test.each(recorded)(
  '$name, broken in any way, is taken or refused as its own fault',
  ({ name, bytes }) => {
    fc.assert(
      fc.property(damage, (changes) => {
        let broken = bytes;
        for (const { at, take, put } of changes) {
          const from = at % bytes.length;
          broken = Buffer.concat([broken.subarray(0, from), put, broken.subarray(from + take)]);
        }
        try {
          prepare(name, broken);
        } catch (error) {
          if (!(error instanceof ProtocolError)) throw error;
          expect(error.status).toBeGreaterThanOrEqual(400);
          expect(error.status).toBeLessThan(500);
        }
      }),
      { numRuns: 500 },
    );
  },
);
