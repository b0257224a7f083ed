/** @jest-environment ./serving-runtime/testing/onnx-environment.ts */
import { describe, expect, test } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openSession } from './session.ts';
import { modelBytes, modelPath } from './testing/models-folder.ts';
import { temporaryFolder } from './testing/temporary-folder.ts';
import type { Tensor } from './tensors.ts';

describe('a scikit-learn classifier', () => {
  test('shows its signature, named dimensions as -1', async () => {
    const session = await openSession(modelPath('iris.onnx'));
    expect(session.signature).toEqual({
      inputs: [{ name: 'X', datatype: 'FP32', shape: [-1, 4] }],
      outputs: [
        { name: 'label', datatype: 'INT64', shape: [-1] },
        { name: 'probabilities', datatype: 'FP32', shape: [-1, 3] },
      ],
    });
    await session.close();
  });

  test("answers as scikit-learn's predict and predict_proba do", async () => {
    const session = await openSession(modelPath('iris.onnx'));
    const data = Float32Array.of(5.1, 3.5, 1.4, 0.2, 5, 2, 3.5, 1, 6.9, 3.2, 5.7, 2.3);
    const [label, probabilities] = await session.run(
      new Map([['X', { datatype: 'FP32', shape: [3, 4], data }]]),
      ['label', 'probabilities'],
    );
    expect(label).toEqual({ datatype: 'INT64', shape: [3], data: BigInt64Array.of(0n, 1n, 2n) });
    const wanted = [
      0.9816568320652066, 0.018343153539750134, 1.4395043299306138e-8, 0.05574132348759305,
      0.9377206915108175, 0.006537985001589561, 5.542339245588645e-6, 0.02392171268278639,
      0.9760727449779681,
    ];
    const got = Array.from(probabilities?.data as Float32Array);
    expect(got).toHaveLength(9);
    got.forEach((value, i) => expect(value).toBeCloseTo(wanted[i] ?? NaN, 6));
    await session.close();
  });
});

test('every datatype passes through unharmed', async () => {
  const session = await openSession(modelPath('identity.onnx'));
  const tensors: readonly Tensor[] = [
    { datatype: 'BOOL', shape: [2], data: Uint8Array.of(1, 0) },
    { datatype: 'UINT8', shape: [2], data: Uint8Array.of(0, 255) },
    { datatype: 'UINT16', shape: [2], data: Uint16Array.of(0, 65_535) },
    { datatype: 'UINT32', shape: [2], data: Uint32Array.of(0, 4_294_967_295) },
    { datatype: 'UINT64', shape: [2], data: BigUint64Array.of(0n, 2n ** 64n - 1n) },
    { datatype: 'INT8', shape: [2], data: Int8Array.of(-128, 127) },
    { datatype: 'INT16', shape: [2], data: Int16Array.of(-32_768, 32_767) },
    { datatype: 'INT32', shape: [2], data: Int32Array.of(-2_147_483_648, 2_147_483_647) },
    { datatype: 'INT64', shape: [2], data: BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n) },
    { datatype: 'FP16', shape: [2], data: Float16Array.of(0.5, -65_504) },
    { datatype: 'FP32', shape: [2], data: Float32Array.of(0.1, -Infinity) },
    { datatype: 'FP64', shape: [2], data: Float64Array.of(0.1, 1e300) },
    { datatype: 'BYTES', shape: [2], data: ['', 'grün'] },
  ];
  const inputs = new Map(tensors.map((t) => [`in_${t.datatype.toLowerCase()}`, t]));
  const names = tensors.map((t) => `out_${t.datatype.toLowerCase()}`);
  expect(await session.run(inputs, names)).toEqual(tensors);
  await session.close();
});

test('BF16 at the ends of a model goes in and comes out as the numbers it holds', async () => {
  const session = await openSession(modelPath('bfloat16.onnx'));
  expect(session.signature).toEqual({
    inputs: [{ name: 'X', datatype: 'BF16', shape: [-1, 4] }],
    outputs: [
      { name: 'same', datatype: 'BF16', shape: [-1, 4] },
      { name: 'single', datatype: 'FP32', shape: [-1, 4] },
      { name: 'scores', datatype: 'BF16', shape: [-1, 2] },
    ],
  });
  const data = Float32Array.of(1.5, 0.25, -2, 0.10009765625, 3, 100, 0.007_019_042_968_75, -0.5);
  const X = { datatype: 'BF16', shape: [2, 4], data } as const;
  // The scores are those of ml_dtypes and numpy (make-models.py).
  expect(await session.run(new Map([['X', X]]), ['scores', 'same', 'single'])).toEqual([
    {
      ...{ datatype: 'BF16', shape: [2, 2] },
      data: Float32Array.of(0.30078125, -0.361328125, -198, 20.125),
    },
    X,
    { ...X, datatype: 'FP32' },
  ]);
  await session.close();
});

test('a scalar and an empty batch keep their shape', async () => {
  const slow = await openSession(modelPath('slow.onnx'));
  const steps = { datatype: 'INT64', shape: [], data: BigInt64Array.of(1n) } as const;
  expect(await slow.run(new Map([['steps', steps]]), ['result'])).toEqual([
    { datatype: 'FP32', shape: [], data: Float32Array.of(1) },
  ]);
  const two = await openSession(modelPath('two-inputs.onnx'));
  const none = { datatype: 'FP32', shape: [0, 2], data: new Float32Array(0) } as const;
  expect(await two.run(new Map(Object.entries({ a: none, b: none })), ['sum'])).toEqual([none]);
  await slow.close();
  await two.close();
});

test('sizes that only the graph can refuse are told as its failure', async () => {
  const session = await openSession(modelPath('two-inputs.onnx'));
  const a = { datatype: 'FP32', shape: [2, 2], data: new Float32Array(4) } as const;
  const b = { datatype: 'FP32', shape: [3, 2], data: new Float32Array(6) } as const;
  await expect(session.run(new Map(Object.entries({ a, b })), ['sum'])).rejects.toMatchObject({
    code: 'InferenceFailed',
    message: expect.stringContaining('the model failed on these inputs') as unknown,
  });
  await session.close();
});

describe('a file that cannot be served is InvalidModel', () => {
  test.each([
    ['iris-zipmap.onnx', 'output "output_probability" is a sequence or map'],
    ['iris-zipmap.onnx', 'export with zipmap=False'],
    ['unknown-operator.onnx', 'No Op registered for Frobnicate'],
    ['complex-output.onnx', 'complex64'],
    ['external.onnx', 'External data path does not exist'],
    ['external-escape.onnx', 'External data path escapes model directory'],
    ['external-bfloat16.onnx', 'External data path does not exist'],
    ['external-bfloat16-escape.onnx', 'External data path escapes model directory'],
    ['external-absolute.onnx', 'Absolute path not allowed'],
  ])('%s: %s', async (name, message) => {
    await expect(openSession(modelPath(name))).rejects.toMatchObject({
      code: 'InvalidModel',
      message: expect.stringContaining(message) as unknown,
    });
  });

  test.each([
    ['empty', Buffer.alloc(0)],
    ['text', Buffer.from('hello')],
    ['zeros', Buffer.alloc(1000)],
    ['a truncated model', modelBytes('iris.onnx').subarray(0, 300)],
  ])('%s', async (_what, bytes) => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'model.onnx');
    await writeFile(path, bytes);
    await expect(openSession(path)).rejects.toMatchObject({ code: 'InvalidModel' });
  });
});

test.each([
  ['external.onnx', 'x', 'FP32'],
  ['external-bfloat16.onnx', 'half', 'BF16'],
] as const)('weights beside the model are read: %s', async (file, name, datatype) => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'model.onnx');
  await writeFile(path, modelBytes(file));
  await writeFile(join(folder.path, 'weight.bin'), Buffer.from(Float32Array.of(1, 2, 3, 4).buffer));
  const session = await openSession(path);
  const x = { datatype, shape: [4], data: new Float32Array(4) };
  const [y] = await session.run(new Map([[name, x]]), ['y']);
  expect(y?.data).toEqual(Float32Array.of(1, 2, 3, 4));
  await session.close();
});
