/** @jest-environment ./serving-runtime/testing/onnx-environment.ts */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { once } from 'node:events';
import { GrpcClient, replyOf } from '../testing/grpc-client.ts';
import type { Serving } from '../testing/start-serving.ts';
import { startServing } from '../testing/start-serving.ts';
import { frame, FrameDecoder } from './frames.ts';
import * as health from './generated/health_pb.js';
import * as pb from './generated/inference_pb.js';
import * as reflection from './generated/reflection_pb.js';

const service = '/inference.GRPCInferenceService';
const infer = [pb.ModelInferRequestSchema, pb.ModelInferResponseSchema] as const;
const check = [health.HealthCheckRequestSchema, health.HealthCheckResponseSchema] as const;

let serving: Serving;
let client: GrpcClient;

beforeAll(async () => {
  serving = await startServing('two-inputs.onnx', { grpcPort: 0 });
  await serving.ready;
  client = new GrpcClient(serving.grpcUrl);
});

afterAll(async () => {
  client.close();
  serving.stop();
  serving.endDrain();
  await serving.ended;
});

const floats = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer);
const rawRequest = {
  modelName: 'test',
  id: 'seven',
  inputs: ['a', 'b'].map((name) => ({ name, datatype: 'FP32', shape: [1n, 2n] })),
  rawInputContents: [floats(1, 2), floats(3, 4)],
};
const bytesOf = (request: Parameters<typeof create<typeof pb.ModelInferRequestSchema>>[1]) =>
  frame(toBinary(pb.ModelInferRequestSchema, create(pb.ModelInferRequestSchema, request)));

describe('an inference', () => {
  test('of raw tensors is answered with raw tensors', async () => {
    const answer = await client.call(`${service}/ModelInfer`, infer, rawRequest);
    expect(answer).toMatchObject({ modelName: 'test', modelVersion: '1.0.0', id: 'seven' });
    expect(answer.outputs[0]).toMatchObject({ datatype: 'FP32', shape: [1n, 2n] });
    expect(answer.outputs[0]?.contents).toBeUndefined();
    expect(answer.rawOutputContents[0]).toEqual(floats(4, 6));
  });

  test('of lists is answered with lists', async () => {
    const answer = await client.call(`${service}/ModelInfer`, infer, {
      modelName: 'test',
      modelVersion: '1.0.0',
      inputs: ['a', 'b'].map((name) => ({
        ...{ name, datatype: 'FP32', shape: [1n, 2n] },
        contents: { fp32Contents: [1, 2] },
      })),
    });
    expect(answer.rawOutputContents).toEqual([]);
    expect(answer.outputs[0]?.contents?.fp32Contents).toEqual([2, 4]);
  });

  test('in many calls at once gives each its own answer', async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        client.call(`${service}/ModelInfer`, infer, {
          ...rawRequest,
          rawInputContents: [floats(i, i), floats(0, 1)],
        }),
      ),
    );
    expect(answers.map(({ rawOutputContents: [bytes] }) => bytes)).toEqual(
      Array.from({ length: 8 }, (_, i) => floats(i, i + 1)),
    );
  });

  test('that comes in pieces of one byte is put together', async () => {
    const stream = client.open(`${service}/ModelInfer`);
    const reply = replyOf(stream);
    for (const byte of bytesOf(rawRequest)) stream.write(Buffer.of(byte));
    stream.end();
    expect(await reply).toMatchObject({ status: 0 });
  });
});

describe('what cannot be answered gets a status with its reason:', () => {
  const refused = (request: object, headers = {}) =>
    client.send(`${service}/ModelInfer`, bytesOf({ ...rawRequest, ...request }), headers);

  test('another model is NOT_FOUND', async () => {
    expect(await refused({ modelName: 'other' })).toMatchObject({
      status: 5,
      message: 'model "other" is not served here; this is "test"',
    });
  });

  test('a tensor of the wrong size is INVALID_ARGUMENT', async () => {
    expect(await refused({ rawInputContents: [floats(1), floats(1, 2)] })).toMatchObject({
      status: 3,
      message: expect.stringContaining('input "a": shape [1, 2] of FP32 wants 8 bytes'),
    });
  });

  test('raw bytes for some inputs only are INVALID_ARGUMENT', async () => {
    expect(await refused({ rawInputContents: [floats(1, 2)] })).toMatchObject({
      status: 3,
      message: 'raw_input_contents has 1 entries for 2 inputs; send one for each, or none',
    });
  });

  test('time that is over is DEADLINE_EXCEEDED', async () => {
    expect(await refused({}, { 'grpc-timeout': '1n' })).toMatchObject({ status: 4 });
  });

  test('the timeout of a request, in microseconds, is a deadline too', async () => {
    const timeout = (value: bigint) => ({
      parameters: { timeout: { parameterChoice: { case: 'int64Param', value } } },
    });
    expect(await refused(timeout(1n))).toMatchObject({ status: 4 });
    expect(await refused(timeout(60_000_000n))).toMatchObject({ status: 0 });
    expect(await refused(timeout(0n))).toMatchObject({
      status: 3,
      message: 'parameters: timeout is no whole number of microseconds from 1 up',
    });
  });

  test('a timeout that is none is INVALID_ARGUMENT', async () => {
    expect(await refused({}, { 'grpc-timeout': 'soon' })).toMatchObject({ status: 3 });
  });

  test('an unknown method is UNIMPLEMENTED', async () => {
    const reply = await client.send(`${service}/ModelTrain`, frame(new Uint8Array()));
    expect(reply).toMatchObject({ status: 12 });
  });

  test.each([
    ['no message', Buffer.alloc(0), 3],
    ['two messages', Buffer.concat([bytesOf(rawRequest), bytesOf(rawRequest)]), 3],
    ['half a message', bytesOf(rawRequest).subarray(0, 20), 3],
    ['no protobuf', frame(Buffer.from('hello')), 3],
    ['a compressed message', Buffer.from([1, 0, 0, 0, 0]), 12],
    ['a message over the limit', Buffer.from([0, 0, 255, 255, 255]), 8],
  ])('%s', async (_what, bytes, status) => {
    const reply = await client.send(`${service}/ModelInfer`, bytes);
    expect(reply).toMatchObject({ status });
    expect(reply.message).not.toBe('');
  });

  test('what is not gRPC is 415', async () => {
    const reply = await client.send(`${service}/ModelInfer`, Buffer.alloc(0), {
      'content-type': 'text/plain',
    });
    expect(reply.headers[':status']).toBe(415);
  });

  test('no bytes at all bring the server down or out of its words', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.boolean(), async (bytes, isFramed) => {
        const sent = isFramed ? frame(bytes) : bytes;
        const { status } = await client.send(`${service}/ModelInfer`, sent);
        expect([3, 5, 8, 12]).toContain(status);
      }),
      { numRuns: 300 },
    );
    await client.call(`${service}/ModelInfer`, infer, rawRequest);
  });
});

describe('the server tells of itself:', () => {
  test('it lives, is ready, and has the model', async () => {
    const live = await client.call(
      `${service}/ServerLive`,
      [pb.ServerLiveRequestSchema, pb.ServerLiveResponseSchema],
      {},
    );
    const ready = await client.call(
      `${service}/ServerReady`,
      [pb.ServerReadyRequestSchema, pb.ServerReadyResponseSchema],
      {},
    );
    const model = await client.call(
      `${service}/ModelReady`,
      [pb.ModelReadyRequestSchema, pb.ModelReadyResponseSchema],
      { name: 'test' },
    );
    expect([live.live, ready.ready, model.ready]).toEqual([true, true, true]);
  });

  test('its name and the tensors of the model', async () => {
    const server = await client.call(
      `${service}/ServerMetadata`,
      [pb.ServerMetadataRequestSchema, pb.ServerMetadataResponseSchema],
      {},
    );
    const model = await client.call(
      `${service}/ModelMetadata`,
      [pb.ModelMetadataRequestSchema, pb.ModelMetadataResponseSchema],
      { name: 'test' },
    );
    expect(server.name).toBe('mlops-serving-runtime');
    expect(model).toMatchObject({ name: 'test', versions: ['1.0.0'], platform: 'onnx_onnxv1' });
    expect(model.inputs.map(({ name, datatype }) => [name, datatype])).toEqual([
      ['a', 'FP32'],
      ['b', 'FP32'],
    ]);
    expect(model.properties['digest']).toMatch(/^sha256:[0-9a-f]{64}$/);
  });

  test('its health, also of the one service', async () => {
    const asked = ['', 'inference.GRPCInferenceService'].map((name) =>
      client.call('/grpc.health.v1.Health/Check', check, { service: name }),
    );
    expect((await Promise.all(asked)).map(({ status }) => status)).toEqual([1, 1]);
    await expect(
      client.call('/grpc.health.v1.Health/Check', check, { service: 'other' }),
    ).rejects.toMatchObject({ status: 5 });
  });

  test.each(['v1', 'v1alpha'])('its services, by reflection %s', async (version) => {
    const ask = async (messageRequest: object) => {
      const type = reflection.ServerReflectionRequestSchema;
      const reply = await client.send(
        `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
        frame(toBinary(type, create(type, { messageRequest } as never))),
      );
      expect(reply.status).toBe(0);
      const [body = Buffer.alloc(0)] = reply.bodies;
      return fromBinary(reflection.ServerReflectionResponseSchema, body).messageResponse;
    };
    expect(await ask({ case: 'listServices', value: '' })).toMatchObject({
      value: {
        service: [
          { name: 'inference.GRPCInferenceService' },
          { name: 'grpc.health.v1.Health' },
          { name: 'grpc.reflection.v1.ServerReflection' },
        ],
      },
    });
    for (const value of ['inference.GRPCInferenceService', 'inference.ModelInferRequest']) {
      expect(await ask({ case: 'fileContainingSymbol', value })).toMatchObject({
        case: 'fileDescriptorResponse',
      });
    }
    expect(await ask({ case: 'fileByFilename', value: 'none.proto' })).toMatchObject({
      case: 'errorResponse',
      value: { errorCode: 5 },
    });
  });
});

test('calls are counted with those over REST', async () => {
  const text = await (await fetch(`${serving.metricsUrl}/metrics`)).text();
  expect(text).toMatch(/mlops_inference_requests_total\{[^}]*code="200"\} [1-9]/);
  expect(text).toMatch(/mlops_inference_requests_total\{[^}]*code="504"\} 2/);
});

test('a stop tells those who watch, answers what is on its way, and ends', async () => {
  const stopped = await startServing('two-inputs.onnx', { grpcPort: 0 });
  await stopped.ready;
  const early = new GrpcClient(stopped.grpcUrl);
  const watching = early.open('/grpc.health.v1.Health/Watch');
  const decoder = new FrameDecoder(1000);
  const seen: number[] = [];
  watching.on('data', (chunk: Buffer) => {
    for (const message of decoder.push(chunk))
      seen.push(fromBinary(health.HealthCheckResponseSchema, message).status);
  });
  watching.end(frame(new Uint8Array()));
  await once(watching, 'data');
  const begun = early.open(`${service}/ModelInfer`);
  const reply = replyOf(begun);
  const bytes = bytesOf(rawRequest);
  begun.write(bytes.subarray(0, 9));
  const metrics = async () => (await fetch(`${stopped.metricsUrl}/metrics`)).text();
  while (!/mlops_inference_in_flight\S* 1/.test(await metrics()));
  stopped.stop();
  await once(watching, 'data');
  expect(seen).toEqual([1, 2]);
  begun.end(bytes.subarray(9));
  expect(await reply).toMatchObject({ status: 0 });
  stopped.endDrain();
  await stopped.ended;
  early.close();
});
