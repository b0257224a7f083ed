/** @jest-environment ./serving-runtime/testing/onnx-environment.ts */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '../testing/artifact-server.ts';
import { GrpcClient } from '../testing/grpc-client.ts';
import * as pb from '../grpc/generated/inference_pb.js';
import { modelBytes, modelPath } from '../testing/models-folder.ts';
import type { Serving } from '../testing/start-serving.ts';
import { startServing } from '../testing/start-serving.ts';
import { temporaryFolder } from '../testing/temporary-folder.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let serving: Serving;

const listOf = (...models: readonly object[]) => JSON.stringify({ models });
const file = (name: string, version: string, model: string, more = {}) => ({
  ...{ name, version, source: modelPath(model), digest: sha256(modelBytes(model)) },
  ...more,
});
const write = (...models: readonly object[]) =>
  writeFile(join(folder.path, 'models.yaml'), listOf(...models));

async function start(...models: readonly object[]) {
  await write(...models);
  serving = await startServing('', {
    ...{ modelsFile: join(folder.path, 'models.yaml'), modelControl: 'explicit' },
    ...{ cacheDir: join(folder.path, 'cache'), grpcPort: 0 },
  });
  await serving.ready;
}

beforeEach(async () => {
  folder = await temporaryFolder();
});

afterEach(async () => {
  serving.stop();
  serving.endDrain();
  await serving.ended;
  await folder[Symbol.asyncDispose]();
});

async function post(path: string, body: unknown = {}) {
  const response = await fetch(`${serving.url}${path}`, {
    ...{ method: 'POST', body: JSON.stringify(body) },
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const row = {
  inputs: [{ name: 'X', datatype: 'FP32', shape: [1, 4], data: [5.1, 3.5, 1.4, 0.2] }],
};
const pair = {
  inputs: ['a', 'b'].map((name) => ({ name, datatype: 'FP32', shape: [1, 2], data: [3, 4] })),
};

test('several models and versions answer from one process', async () => {
  await start(
    ...[file('iris', '2', 'iris.onnx'), file('iris', '1', 'iris.onnx')],
    file('pair', '1', 'two-inputs.onnx'),
  );
  expect((await post('/v2/models/iris/infer', row)).body).toMatchObject({ model_version: '2' });
  expect((await post('/v2/models/iris/versions/1/infer', row)).body).toMatchObject({
    model_version: '1',
  });
  expect((await post('/v2/models/pair/infer', pair)).body).toMatchObject({
    ...{ model_name: 'pair', outputs: [{ name: 'sum', data: [6, 8] }, {}, {}] },
  });
  const scored = await post('/invocations?model=iris', { inputs: [[5.1, 3.5, 1.4, 0.2]] });
  expect(scored.status).toBe(200);
  const api = await (await fetch(`${serving.url}/openapi.json`)).text();
  expect(api).toContain('/v2/models/pair/infer');
  expect(await (await fetch(`${serving.url}/docs?model=pair`)).text()).toContain('docs?model=iris');
  const metrics = await (await fetch(`${serving.metricsUrl}/metrics`)).text();
  expect(metrics).toContain(
    'mlops_inference_requests_total{model="iris",version="1",code="200"} 1',
  );
});

test('no request fails while versions are swapped, and each answer is of one version', async () => {
  await start(file('m', '1', 'iris.onnx'));
  let isOver = false;
  const answers: string[] = [];
  const client = async () => {
    while (!isOver) {
      const { status, body } = await post('/v2/models/m/infer', row);
      answers.push(`${String(status)} ${String(body['model_version'])}`);
    }
  };
  const clients = Array.from({ length: 4 }, client);
  for (let version = 2; version <= 12; version++) {
    await write(file('m', String(version), 'iris.onnx'));
    const loaded = await post('/v2/repository/models/m/load');
    expect(loaded).toMatchObject({
      status: 200,
      body: [{ name: 'm', version: String(version), state: 'READY', reason: '' }],
    });
  }
  isOver = true;
  await Promise.all(clients);
  expect(answers.filter((answer) => !/^200 \d+$/.test(answer))).toEqual([]);
  expect(new Set(answers).size).toBeGreaterThan(3);
});

test('the bytes of a version that is served no more leave the cache', async () => {
  await start(file('m', '1', 'iris.onnx'), file('n', '1', 'iris.onnx'));
  const cached = async () => (await readdir(join(folder.path, 'cache'))).length;
  await write(file('m', '2', 'wide.onnx'));
  await post('/v2/repository/models/m/load');
  expect(await cached()).toBe(2);
  await post('/v2/repository/models/n/unload');
  while ((await cached()) > 1) await new Promise((resolve) => setImmediate(resolve));
});

describe('a load that fails', () => {
  test.each([
    ['other bytes', file('m', '2', 'iris.onnx', { digest: `sha256:${'0'.repeat(64)}` }), 'hash to'],
    ['no ONNX', file('m', '2', 'unknown-operator.onnx'), 'No Op registered for Frobnicate'],
    ['no file', file('m', '2', 'wide.onnx', { source: '/nowhere' }), '/nowhere'],
    ['no list', { name: 'm' }, 'models[0]'],
  ])('for %s says why, and the old version serves on', async (_what, model, message) => {
    await start(file('m', '1', 'iris.onnx'));
    await write(model);
    const refused = await post('/v2/repository/models/m/load');
    expect(refused).toMatchObject({
      ...{ status: 422, body: { error: expect.stringContaining(message) as unknown } },
    });
    expect((await post('/v2/models/m/infer', row)).body).toMatchObject({ model_version: '1' });
    expect((await fetch(`${serving.url}/v2/health/ready`)).status).toBe(200);
  });
});

test('an ensemble of real models answers as its parts would', async () => {
  const ensemble = {
    sequence: [
      { model: 'pair', outputs: { sum: 'a', product: 'b' } },
      { model: 'pair', outputs: { ratio: 'ratio' } },
    ],
  };
  await start(file('pair', '1', 'two-inputs.onnx'), { name: 'chain', version: '1', ensemble });
  // (3 + 3) / (3 * 3) and (4 + 4) / (4 * 4)
  const { body } = await post('/v2/models/chain/infer', pair);
  expect(body['outputs']).toEqual([
    { name: 'ratio', datatype: 'FP32', shape: [1, 2], data: [Math.fround(2 / 3), 0.5] },
  ]);
  const metadata = await (await fetch(`${serving.url}/v2/models/chain`)).json();
  expect(metadata).toMatchObject({ platform: 'ensemble', outputs: [{ name: 'ratio' }] });
});

test('the repository is asked and changed over gRPC, too', async () => {
  await start(file('m', '1', 'iris.onnx'), file('n', '1', 'iris.onnx', { load: false }));
  const client = new GrpcClient(serving.grpcUrl);
  const path = (method: string) => `/inference.GRPCInferenceService/${method}`;
  const index = [pb.RepositoryIndexRequestSchema, pb.RepositoryIndexResponseSchema] as const;
  const load = [pb.RepositoryModelLoadRequestSchema, pb.RepositoryModelLoadResponseSchema] as const;
  const unload = [
    pb.RepositoryModelUnloadRequestSchema,
    pb.RepositoryModelUnloadResponseSchema,
  ] as const;
  const states = async () => {
    const { models } = await client.call(path('RepositoryIndex'), index, {});
    return models.map(({ name, state }) => `${name} ${state}`);
  };
  expect(await states()).toEqual(['m READY', 'n UNAVAILABLE']);
  await client.call(path('RepositoryModelLoad'), load, { modelName: 'n' });
  const parameters = {
    unload_dependents: { parameterChoice: { case: 'boolParam', value: true } },
  } as const;
  await client.call(path('RepositoryModelUnload'), unload, { modelName: 'm', parameters });
  expect(await states()).toEqual(['m UNAVAILABLE', 'n READY']);
  const refused = client.call(path('RepositoryModelLoad'), load, { modelName: 'z' });
  await expect(refused).rejects.toMatchObject({ status: 5 });
  client.close();
});

test('without control only the index is answered', async () => {
  await start(file('m', '1', 'iris.onnx'));
  serving.stop();
  serving.endDrain();
  await serving.ended;
  serving = await startServing('iris.onnx', { model: 'm' });
  await serving.ready;
  expect(await post('/v2/repository/index')).toMatchObject({ status: 200, body: [{ name: 'm' }] });
  expect(await post('/v2/repository/models/m/unload')).toMatchObject({
    status: 403,
    body: { error: expect.stringContaining('MLOPS_MODEL_CONTROL=explicit') as unknown },
  });
});

test.each([
  ['/v2/repository/index', { ready: 1 }, 'ready: is neither'],
  ['/v2/repository/models/m/load', { parameters: { config: '{}' } }, '"config" cannot be given'],
  ['/v2/repository/models/m/load', { parameters: [] }, 'parameters: is not an object'],
  ['/v2/repository/models/m/unload', { parameters: { unload_dependents: 1 } }, 'unload_dependents'],
  ['/v2/repository/models/m/unload', { parameters: { z: 1 } }, '"z" is not known'],
  ['/v2/repository/models/m/load', [], 'the body is not a JSON object'],
])('%s with %j is refused', async (path, body, message) => {
  await start(file('m', '1', 'iris.onnx'));
  expect(await post(path, body)).toMatchObject({
    status: 400,
    body: { error: expect.stringContaining(message) as unknown },
  });
});
