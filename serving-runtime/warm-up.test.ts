import { expect, test } from '@jest/globals';
import type { TensorSignature } from './protocol/signature.ts';
import type { Tensor } from './tensors.ts';
import { warmUp } from './warm-up.ts';

function session(inputs: readonly TensorSignature[], error?: Error) {
  const runs: ReadonlyMap<string, Tensor>[] = [];
  return {
    runs,
    signature: { inputs, outputs: [] },
    run: async (tensors: ReadonlyMap<string, Tensor>) => {
      runs.push(tensors);
      if (error) throw error;
      return [];
    },
    close: async () => undefined,
  };
}

const batched = { name: 'x', datatype: 'FP32', shape: [-1, 2] } as const;
const text = { name: 't', datatype: 'BYTES', shape: [-1, -1] } as const;

test('runs once on zeros, sizes that may vary being 1', async () => {
  const model = session([batched, text]);
  await warmUp(model, () => undefined);
  expect(model.runs).toEqual([
    new Map<string, unknown>([
      ['x', { datatype: 'FP32', shape: [1, 2], data: Float32Array.of(0, 0) }],
      ['t', { datatype: 'BYTES', shape: [1, 1], data: [''] }],
    ]),
  ]);
});

test('a model that cannot even answer zeros is invalid', async () => {
  const broken = session([batched], new Error('no kernel'));
  await expect(warmUp(broken, () => undefined)).rejects.toMatchObject({
    code: 'InvalidModel',
    message: 'the warm-up inference failed: no kernel',
  });
});

test('a failure says nothing where sizes of 1 may not fit', async () => {
  const errors: unknown[] = [];
  await warmUp(session([text], new Error('too short')), (error) => errors.push(error));
  expect(errors).toEqual([new Error('too short')]);
});

test('an input too large to make up is left alone', async () => {
  const model = session([{ ...batched, shape: [1_000_000_000] }]);
  await warmUp(model, () => undefined);
  expect(model.runs).toEqual([]);
});
