/** @jest-environment ./serving-runtime/testing/onnx-environment.ts */
import { afterEach, expect, test } from '@jest/globals';
import * as ort from 'onnxruntime-node';
import * as pb from './grpc/generated/inference_pb.js';
import { bytesPerElement, datatypes } from './protocol/datatypes.ts';
import { GrpcClient } from './testing/grpc-client.ts';
import { modelPath } from './testing/models-folder.ts';
import type { Serving } from './testing/start-serving.ts';
import { startServing } from './testing/start-serving.ts';

let serving: Serving;
afterEach(async () => {
  serving.stop();
  serving.endDrain();
  await serving.ended;
});

/** The same on every run: a linear congruential generator (Numerical Recipes, ch. 7.1). */
function randomNumbers(): () => number {
  let state = 42;
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
}

const rows = 257;
const irisRows = (count: number) => {
  const random = randomNumbers();
  return Float32Array.from({ length: 4 * count }, () => random() * 16 - 8);
};

async function direct(data: Float32Array): Promise<Float32Array> {
  const session = await ort.InferenceSession.create(modelPath('iris.onnx'), {
    ...{ intraOpNumThreads: 1, interOpNumThreads: 1 },
  });
  const results = await session.run({ X: new ort.Tensor('float32', data, [data.length / 4, 4]) });
  await session.release();
  return results['probabilities']?.data as Float32Array;
}

async function overRest(data: Float32Array): Promise<Float32Array> {
  const answer = await fetch(`${serving.url}/v2/models/test/infer`, {
    method: 'POST',
    body: JSON.stringify({
      inputs: [
        { name: 'X', datatype: 'FP32', shape: [data.length / 4, 4], data: Array.from(data) },
      ],
      outputs: [{ name: 'probabilities' }],
    }),
  });
  const { outputs } = (await answer.json()) as { outputs: { data: number[] }[] };
  return Float32Array.from(outputs[0]?.data ?? []);
}

const infer = '/inference.GRPCInferenceService/ModelInfer';
const messages = [pb.ModelInferRequestSchema, pb.ModelInferResponseSchema] as const;

async function overGrpc(client: GrpcClient, row: Float32Array): Promise<readonly number[]> {
  const { outputs } = await client.call(infer, messages, {
    modelName: 'test',
    inputs: [
      { name: 'X', datatype: 'FP32', shape: [1n, 4n], contents: { fp32Contents: [...row] } },
    ],
    outputs: [{ name: 'probabilities' }],
  });
  return outputs[0]?.contents?.fp32Contents ?? [];
}

test('every bit of every datatype comes back through a model that changes nothing', async () => {
  serving = await startServing('identity.onnx', { grpcPort: 0 });
  await serving.ready;
  const random = randomNumbers();
  // BF16 has a test of its own.
  const all = datatypes.filter((datatype) => datatype !== 'BF16');
  const raw = all.map((datatype) => {
    const size = bytesPerElement(datatype);
    if (size === undefined)
      return Buffer.concat(Array.from({ length: rows }, () => textBytes(random)));
    const largest = datatype === 'BOOL' ? 2 : 256;
    return Uint8Array.from({ length: rows * size }, () => Math.floor(random() * largest));
  });
  const client = new GrpcClient(serving.grpcUrl);
  const answer = await client.call(infer, messages, {
    modelName: 'test',
    inputs: all.map((datatype) => ({
      ...{ name: `in_${datatype.toLowerCase()}`, datatype, shape: [BigInt(rows)] },
    })),
    outputs: all.map((datatype) => ({ name: `out_${datatype.toLowerCase()}` })),
    rawInputContents: raw,
  });
  client.close();
  for (const [i, datatype] of all.entries()) {
    const got = Buffer.from(answer.rawOutputContents[i] ?? []);
    expect([datatype, got.equals(raw[i] ?? Buffer.alloc(0))]).toEqual([datatype, true]);
  }
});

/** All 65536 words; of NaNs the quiet one of each sign, which is what casts make of every other. */
const words = Uint16Array.from({ length: 65_536 }, (_, i) =>
  (i & 0x7fff) > 0x7f80 ? (i & 0x8000) | 0x7fc0 : i,
);
const bytesOf = ({ buffer }: Uint16Array) => Buffer.from(buffer);

test('every BF16 comes back over gRPC and as raw bytes over REST, a NaN as one of its sign', async () => {
  serving = await startServing('bfloat16.onnx', { grpcPort: 0, maxBodyBytes: 1e6 });
  await serving.ready;
  const every = Uint16Array.from({ length: 65_536 }, (_, i) => i);
  const client = new GrpcClient(serving.grpcUrl);
  const answer = await client.call(infer, messages, {
    modelName: 'test',
    inputs: [{ name: 'X', datatype: 'BF16', shape: [16_384n, 4n] }],
    outputs: [{ name: 'same' }, { name: 'single' }],
    rawInputContents: [bytesOf(every)],
  });
  client.close();
  const [same = new Uint8Array(), single = new Uint8Array()] = answer.rawOutputContents;
  expect(answer.outputs.map(({ datatype }) => datatype)).toEqual(['BF16', 'FP32']);
  expect(Buffer.from(same).equals(bytesOf(words))).toBe(true);
  // The upper half of each FP32 is the word, the lower one empty.
  const halves = new Uint16Array(Uint8Array.from(single).buffer);
  expect(halves.filter((_, i) => i % 2 === 1)).toEqual(words);
  expect(halves.every((half, i) => i % 2 === 1 || half === 0)).toBe(true);

  const header = JSON.stringify({
    inputs: [
      {
        ...{ name: 'X', datatype: 'BF16', shape: [16_384, 4] },
        parameters: { binary_data_size: 131_072 },
      },
    ],
    outputs: [{ name: 'same', parameters: { binary_data: true } }],
  });
  const response = await fetch(`${serving.url}/v2/models/test/infer`, {
    method: 'POST',
    headers: { 'inference-header-content-length': String(header.length) },
    body: Buffer.concat([Buffer.from(header), bytesOf(every)]),
  });
  const body = Buffer.from(await response.arrayBuffer());
  const length = Number(response.headers.get('inference-header-content-length'));
  expect(body.subarray(length).equals(bytesOf(words))).toBe(true);
});

async function postJson(path: string, body: unknown): Promise<unknown> {
  const answer = await fetch(`${serving.url}${path}`, {
    method: 'POST',
    body: JSON.stringify(body),
  });
  return answer.json();
}

test('BF16 in JSON are numbers, rounded to it, in both protocols of REST', async () => {
  serving = await startServing('bfloat16.onnx');
  await serving.ready;
  const inputs = [{ name: 'X', datatype: 'BF16', shape: [1, 4], data: [1.5, 0.25, -2, 0.1] }];
  const asked = { inputs, outputs: [{ name: 'same' }, { name: 'scores' }] };
  const same = [1.5, 0.25, -2, 0.10009765625];
  const scores = [0.30078125, -0.361328125];
  expect(await postJson('/v2/models/test/infer', asked)).toMatchObject({
    outputs: [
      { name: 'same', datatype: 'BF16', shape: [1, 4], data: same },
      { name: 'scores', datatype: 'BF16', shape: [1, 2], data: scores },
    ],
  });
  expect(await postJson('/invocations', { instances: [[1.5, 0.25, -2, 0.1]] })).toEqual({
    predictions: { same: [same], single: [same], scores: [scores] },
  });
  expect(await (await fetch(`${serving.url}/v2/models/test`)).json()).toMatchObject({
    inputs: [{ name: 'X', datatype: 'BF16', shape: [-1, 4] }],
  });
  expect(
    await postJson('/v2/models/test/infer', {
      inputs: [{ ...inputs[0], data: [1, 3.4e38, 1, 1] }],
    }),
  ).toEqual({
    error: 'input "X": value 1 is 3.4e+38, not a finite number that BF16 can hold',
  });
});

test('rows of BF16 that were joined to batches are those of single rows', async () => {
  serving = await startServing('bfloat16.onnx', {
    ...{ grpcPort: 0, containerConcurrency: 64 },
    execution: { batch: { maxRows: 32, maxWaitMs: 20 }, breaker: undefined },
  });
  await serving.ready;
  const client = new GrpcClient(serving.grpcUrl);
  // All from 1 to below 2: the 7 bits of the fraction are counted through.
  const rowsOfWords = Array.from({ length: 32 }, (_, row) =>
    Uint16Array.from({ length: 4 }, (_unused, i) => 0x3f80 + 4 * row + i),
  );
  const joined = await Promise.all(
    rowsOfWords.map((row) =>
      client.call(infer, messages, {
        modelName: 'test',
        inputs: [{ name: 'X', datatype: 'BF16', shape: [1n, 4n] }],
        outputs: [{ name: 'same' }],
        rawInputContents: [bytesOf(row)],
      }),
    ),
  );
  client.close();
  const metrics = await (await fetch(`${serving.metricsUrl}/metrics`)).text();
  const [, batches = '0'] = /nv_inference_exec_count\S* (\d+)/.exec(metrics) ?? [];
  expect(Number(batches)).toBeLessThan(32);
  for (const [i, { rawOutputContents }] of joined.entries()) {
    expect(Buffer.from(rawOutputContents[0] ?? [])).toEqual(bytesOf(rowsOfWords[i] ?? words));
  }
});

/** With its length before it, as BYTES have it. */
function textBytes(random: () => number): Buffer {
  const text = Buffer.from(String.fromCodePoint(0x20 + Math.floor(random() * 0xd000)).repeat(3));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  return Buffer.concat([length, text]);
}

test.each([1, 2, rows])(
  '%i rows are answered with the bits of ONNX Runtime itself',
  async (count) => {
    serving = await startServing('iris.onnx');
    await serving.ready;
    const data = irisRows(count);
    expect(await overRest(data)).toEqual(await direct(data));
  },
);

test('rows that were joined to batches are those of single rows to a millionth', async () => {
  serving = await startServing('iris.onnx', {
    ...{ grpcPort: 0, containerConcurrency: 64 },
    execution: { batch: { maxRows: 32, maxWaitMs: 20 }, breaker: undefined },
  });
  await serving.ready;
  const data = irisRows(64);
  const single = Array.from({ length: 64 }, (_, i) => data.slice(4 * i, 4 * i + 4));
  // On one connection, so that they arrive together.
  const client = new GrpcClient(serving.grpcUrl);
  const joined = await Promise.all(single.map((row) => overGrpc(client, row)));
  client.close();
  const metrics = await (await fetch(`${serving.metricsUrl}/metrics`)).text();
  const [, batches = '0'] = /nv_inference_exec_count\S* (\d+)/.exec(metrics) ?? [];
  const [, computed = '0'] = /nv_inference_count\S* (\d+)/.exec(metrics) ?? [];
  expect(Number(computed)).toBeGreaterThan(Number(batches));
  for (const [i, row] of single.entries()) {
    const alone = await direct(row);
    // ONNX Runtime's kernels round otherwise for many rows; a share near 0 feels it most, so that the
    // row as a whole is the measure (element by element 2e-6 was seen, on a share of 2e-9).
    const largest = Math.max(...alone);
    for (const [k, value] of (joined[i] ?? []).entries()) {
      expect(Math.abs(value - (alone[k] ?? NaN))).toBeLessThanOrEqual(1e-6 * largest);
    }
    expect(joined[i]).toHaveLength(alone.length);
  }
});
