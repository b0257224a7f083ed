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
  const raw = datatypes.map((datatype) => {
    const size = bytesPerElement(datatype);
    if (size === undefined)
      return Buffer.concat(Array.from({ length: rows }, () => textBytes(random)));
    const largest = datatype === 'BOOL' ? 2 : 256;
    return Uint8Array.from({ length: rows * size }, () => Math.floor(random() * largest));
  });
  const client = new GrpcClient(serving.grpcUrl);
  const answer = await client.call(infer, messages, {
    modelName: 'test',
    inputs: datatypes.map((datatype) => ({
      ...{ name: `in_${datatype.toLowerCase()}`, datatype, shape: [BigInt(rows)] },
    })),
    outputs: datatypes.map((datatype) => ({ name: `out_${datatype.toLowerCase()}` })),
    rawInputContents: raw,
  });
  client.close();
  for (const [i, datatype] of datatypes.entries()) {
    const got = Buffer.from(answer.rawOutputContents[i] ?? []);
    expect([datatype, got.equals(raw[i] ?? Buffer.alloc(0))]).toEqual([datatype, true]);
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
