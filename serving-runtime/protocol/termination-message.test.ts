import { describe, expect, test } from '@jest/globals';
import { parseTerminationMessage, renderTerminationMessage } from './termination-message.ts';

const mismatch = {
  reason: 'DigestMismatch',
  message: 'the bytes changed',
  expected: 'sha256:aa',
  actual: 'sha256:bb',
} as const;

const column = (name: string) => ({ name, datatype: 'FP32', shape: [-1, 1] }) as const;
const inspection = {
  digest: 'sha256:aa',
  sizeBytes: 7,
  inputs: [column('x')],
  outputs: [column('y')],
};

describe('a termination message', () => {
  test('comes back as it was written', () => {
    expect(parseTerminationMessage(renderTerminationMessage(mismatch))).toEqual(mismatch);
    expect(parseTerminationMessage(renderTerminationMessage(inspection))).toEqual(inspection);
  });

  test('of a failure stays below 4096 bytes, in any language', () => {
    const text = renderTerminationMessage({ ...mismatch, message: 'ü"'.repeat(4000) });
    expect(Buffer.byteLength(text)).toBeLessThan(4096);
    expect(parseTerminationMessage(text)).toMatchObject({ expected: 'sha256:aa' });
  });

  test('of a model with hundreds of inputs says that it was shortened', () => {
    const inputs = Array.from({ length: 300 }, (_, i) => column(`column_${String(i)}`));
    const text = renderTerminationMessage({ ...inspection, inputs });
    expect(Buffer.byteLength(text)).toBeLessThan(4096);
    const parsed = parseTerminationMessage(text);
    expect(parsed).toMatchObject({ digest: 'sha256:aa', truncated: true, outputs: [column('y')] });
    expect(parsed).toHaveProperty('inputs.0', column('column_0'));
  });
});

test.each([
  '',
  'Killed',
  'null',
  '3',
  '{"reason":"Unheard","message":"x"}',
  '{"reason":"InvalidModel"}',
  '{"digest":"sha256:aa"}',
])('text that is no message of ours is not taken for one: %p', (text) => {
  expect(parseTerminationMessage(text)).toBeUndefined();
});
