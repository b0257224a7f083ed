/** @jest-environment ./serving-runtime/testing/onnx-environment.ts */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { connect } from 'node:net';
import { text as textOf } from 'node:stream/consumers';
import type { InferenceResponse } from './protocol/messages.ts';
import { serverMetadata } from './server-metadata.ts';
import { modelBytes } from './testing/models-folder.ts';
import { sha256 } from './testing/artifact-server.ts';
import type { Serving } from './testing/start-serving.ts';
import { startServing } from './testing/start-serving.ts';

let iris: Serving;
let two: Serving;
let every: Serving;

beforeAll(async () => {
  iris = await startServing('iris.onnx', { model: 'iris' });
  two = await startServing('two-inputs.onnx', { maxBodyBytes: 1000 });
  every = await startServing('identity.onnx');
  await Promise.all([iris.ready, two.ready, every.ready]);
});

afterAll(async () => {
  for (const serving of [iris, two, every]) {
    serving.stop();
    serving.endDrain();
    await serving.ended;
  }
});

async function call(url: string, body?: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(url, {
    headers,
    ...(body === undefined
      ? {}
      : { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: JSON.parse(text) as unknown,
  };
}

const rows = { name: 'X', datatype: 'FP32', shape: [1, 4], data: [5.1, 3.5, 1.4, 0.2] };
const pair = (name: string, data: unknown = [1, 2]) => ({
  name,
  datatype: 'FP32',
  shape: [1, 2],
  data,
});

const noData = { name: 'a', datatype: 'FP32', shape: [1, 2] };

describe('health and metadata', () => {
  test('say what is served, and by which bytes', async () => {
    expect(await call(`${iris.url}/v2/models/iris`)).toMatchObject({
      status: 200,
      body: {
        name: 'iris',
        versions: ['1.0.0'],
        platform: 'onnx_onnxv1',
        inputs: [{ name: 'X', datatype: 'FP32', shape: [-1, 4] }],
        parameters: { digest: sha256(modelBytes('iris.onnx')), size_bytes: 518 },
      },
    });
    expect((await call(`${iris.url}/v2/models/iris/versions/1.0.0`)).status).toBe(200);
    expect((await call(`${iris.url}/v2`)).body).toEqual(serverMetadata);
  });

  test('are true once the model is loaded', async () => {
    expect(await call(`${iris.url}/v2/health/live`)).toMatchObject({
      status: 200,
      body: { live: true },
    });
    expect(await call(`${iris.url}/v2/health/ready`)).toMatchObject({
      status: 200,
      body: { ready: true },
    });
    expect((await call(`${iris.url}/v2/models/iris/ready`)).body).toEqual({
      name: 'iris',
      ready: true,
    });
  });

  test('unknown models, versions and addresses are 404, wrong methods 405', async () => {
    expect(await call(`${iris.url}/v2/models/rose`)).toMatchObject({
      status: 404,
      body: { error: 'model "rose" is not served here; this is "iris"' },
    });
    expect((await call(`${iris.url}/v2/models/rose/ready`)).status).toBe(404);
    expect((await call(`${iris.url}/v2/models/iris/versions/2.0.0/infer`, {})).status).toBe(404);
    expect((await call(`${iris.url}/v1/models/iris:predict`, {})).status).toBe(404);
    const wrong = await call(`${iris.url}/v2/models/iris/infer`);
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'POST']);
  });

  test('every answer has a request id: the one given, or a new one', async () => {
    const given = await call(`${iris.url}/v2`, undefined, { 'x-request-id': 'abc-1' });
    expect(given.headers.get('x-request-id')).toBe('abc-1');
    const bad = await call(`${iris.url}/v2`, undefined, { 'x-request-id': 'a'.repeat(200) });
    expect(bad.headers.get('x-request-id')).toMatch(/^request-\d+$/);
  });
});

describe('an inference', () => {
  test("answers as scikit-learn does, with the request's id", async () => {
    const { status, body } = await call(`${iris.url}/v2/models/iris/infer`, {
      id: 'q1',
      inputs: [rows],
    });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      model_name: 'iris',
      model_version: '1.0.0',
      id: 'q1',
      outputs: [
        { name: 'label', datatype: 'INT64', shape: [1], data: [0] },
        { name: 'probabilities', datatype: 'FP32', shape: [1, 3] },
      ],
    });
    const [first] = (body as InferenceResponse).outputs[1]?.data ?? [];
    expect(first).toBeCloseTo(0.9816568320652066, 6);
  });

  test('gives the outputs asked for, in that order', async () => {
    const { body } = await call(`${two.url}/v2/models/test/infer`, {
      inputs: [pair('b', [3, 4]), pair('a')],
      outputs: [{ name: 'product' }, { name: 'sum' }],
    });
    expect(body).toEqual({
      model_name: 'test',
      model_version: '1.0.0',
      outputs: [
        { name: 'product', datatype: 'FP32', shape: [1, 2], data: [3, 8] },
        { name: 'sum', datatype: 'FP32', shape: [1, 2], data: [4, 6] },
      ],
    });
  });

  test('keeps every digit of 64-bit integers, in and out', async () => {
    const names = [
      'bool',
      'uint8',
      'uint16',
      'uint32',
      'uint64',
      'int8',
      'int16',
      'int32',
      'int64',
    ];
    const inputs = [...names, 'fp16', 'fp32', 'fp64', 'bytes'].map((type) => {
      const value = type === 'bool' ? true : type === 'bytes' ? 'ü' : 1;
      return { name: `in_${type}`, datatype: type.toUpperCase(), shape: [1], data: [value] };
    });
    const body = JSON.stringify({
      inputs,
      outputs: [{ name: 'out_int64' }, { name: 'out_uint64' }],
    })
      .replace(
        '"INT64","shape":[1],"data":[1]',
        '"INT64","shape":[1],"data":[-9223372036854775808]',
      )
      .replace(
        '"UINT64","shape":[1],"data":[1]',
        '"UINT64","shape":[1],"data":[18446744073709551615]',
      );
    const { text } = await call(`${every.url}/v2/models/test/infer`, body);
    expect(text).toContain('[-9223372036854775808]');
    expect(text).toContain('[18446744073709551615]');
  });

  test('takes and gives raw tensors, as tritonclient sends by default', async () => {
    const json = JSON.stringify({
      inputs: ['a', 'b'].map((name) => ({
        name,
        datatype: 'FP32',
        shape: [1, 2],
        parameters: { binary_data_size: 8 },
      })),
      outputs: [
        { name: 'sum', parameters: { binary_data: true } },
        { name: 'product', parameters: { binary_data: false } },
      ],
    });
    const raw = Buffer.from(Float32Array.of(1, 2, 10, 20).buffer);
    const response = await fetch(`${two.url}/v2/models/test/infer`, {
      method: 'POST',
      headers: { 'inference-header-content-length': String(json.length) },
      body: Buffer.concat([Buffer.from(json), raw]),
    });
    const body = Buffer.from(await response.arrayBuffer());
    const length = Number(response.headers.get('inference-header-content-length'));
    expect(JSON.parse(body.subarray(0, length).toString())).toMatchObject({
      outputs: [
        { name: 'sum', parameters: { binary_data_size: 8 } },
        { name: 'product', data: [10, 40] },
      ],
    });
    expect(new Float32Array(new Uint8Array(body.subarray(length)).buffer)).toEqual(
      Float32Array.of(11, 22),
    );
  });

  test('gives all outputs raw when the request says so', async () => {
    const response = await fetch(`${two.url}/v2/models/test/infer`, {
      method: 'POST',
      body: JSON.stringify({
        inputs: [pair('a'), pair('b', [0, 1])],
        parameters: { binary_data_output: true },
        outputs: [{ name: 'ratio' }],
      }),
    });
    const body = Buffer.from(await response.arrayBuffer());
    expect(body.readFloatLE(body.length - 8)).toBe(Infinity);
  });
});

describe('a wrong inference is answered with what is wrong', () => {
  test.each<[string, unknown, number, string]>([
    ['no JSON', '{', 400, 'the body is not valid JSON'],
    ['no inputs', {}, 400, 'inputs: is missing'],
    [
      'an unknown input',
      { inputs: [pair('c')] },
      400,
      'the model has no input "c"; it has "a", "b"',
    ],
    ['a missing input', { inputs: [pair('a')] }, 400, 'inputs: "b" is missing'],
    [
      'another datatype',
      { inputs: [{ ...pair('a'), datatype: 'FP64' }] },
      400,
      'datatype is FP64, the model wants FP32',
    ],
    [
      'another shape',
      { inputs: [{ ...pair('a'), shape: [2] }] },
      400,
      'shape is [2], the model wants [-1, 2]',
    ],
    [
      'too few values',
      { inputs: [pair('a', [1])] },
      400,
      'shape [1, 2] wants 2 values, data has 1',
    ],
    ['no data', { inputs: [noData] }, 400, 'input "a": data is missing'],
    [
      'a number too large',
      '{"inputs":[{"name":"a","datatype":"FP32","shape":[1,2],"data":[1e400,1]}]}',
      400,
      'value 0 is Infinity, not a finite number',
    ],
    [
      'an unknown output',
      { inputs: [pair('a'), pair('b')], outputs: [{ name: 'z' }] },
      400,
      'the model has no output "z"',
    ],
    [
      'data and bytes',
      { inputs: [{ ...pair('a'), parameters: { binary_data_size: 0 } }] },
      400,
      'has both data and binary_data_size',
    ],
    [
      'bytes that are not there',
      { inputs: [{ ...noData, parameters: { binary_data_size: 8 } }] },
      400,
      "reaches beyond the body's end",
    ],
    [
      'an output JSON cannot carry',
      { inputs: [pair('a'), pair('b', [0, 1])] },
      422,
      'output "ratio": value 0 is Infinity',
    ],
    [
      'sizes that do not match',
      {
        inputs: [
          { ...pair('a', [1, 2, 3, 4]), shape: [2, 2] },
          { ...pair('b', [1, 2, 3, 4, 5, 6]), shape: [3, 2] },
        ],
      },
      500,
      'the model failed on these inputs',
    ],
  ])('%s', async (_what, body, status, error) => {
    expect(await call(`${two.url}/v2/models/test/infer`, body)).toMatchObject({
      status,
      body: { error: expect.stringContaining(error) as unknown },
    });
  });

  test.each(['x', '-1', '100000'])('a JSON length of %s', async (length) => {
    const answer = await call(
      `${two.url}/v2/models/test/infer`,
      {},
      { 'inference-header-content-length': length },
    );
    expect(answer).toMatchObject({
      status: 400,
      body: { error: expect.stringContaining('Inference-Header-Content-Length') as unknown },
    });
  });

  test('bytes that belong to no input', async () => {
    const json = JSON.stringify({ inputs: [pair('a'), pair('b')] });
    const answer = await call(`${two.url}/v2/models/test/infer`, `${json}xyz`, {
      'inference-header-content-length': String(json.length),
    });
    expect(answer.body).toEqual({
      error: '3 bytes after the JSON belong to no input; give each its binary_data_size',
    });
  });

  test('a body over the limit, announced or not', async () => {
    expect(await call(`${two.url}/v2/models/test/infer`, ' '.repeat(1001))).toMatchObject({
      status: 413,
      body: { error: 'the body has more than 1000 bytes; send fewer rows at a time' },
    });
    const unannounced = await fetch(`${two.url}/v2/models/test/infer`, {
      method: 'POST',
      body: new Blob([' '.repeat(2000)]).stream(),
      duplex: 'half',
    });
    expect(unannounced.status).toBe(413);
  });

  test('a compressed body', async () => {
    const answer = await call(
      `${two.url}/v2/models/test/infer`,
      {},
      { 'content-encoding': 'gzip' },
    );
    expect(answer).toMatchObject({ status: 415 });
  });

  test('what is no HTTP at all', async () => {
    const socket = connect(Number(new URL(two.url).port), '127.0.0.1');
    socket.write('hello\r\n\r\n');
    expect(await textOf(socket)).toMatch(/^HTTP\/1.1 400 .*this is not HTTP\/1.1"}$/s);
  });
});

test('keep-alive connections serve one request after another', async () => {
  const socket = connect(Number(new URL(two.url).port), '127.0.0.1');
  const request = 'GET /v2/health/live HTTP/1.1\r\nhost: x\r\n';
  socket.write(`${request}\r\n${request}connection: close\r\n\r\n`);
  expect((await textOf(socket)).match(/HTTP\/1.1 200 OK/g)).toHaveLength(2);
});

test('metrics count requests by code and name the served bytes', async () => {
  const text = await (await fetch(`${two.url}/metrics`)).text();
  const labels = 'model="test",version="1.0.0"';
  expect(text).toContain(`mlops_model_ready{${labels}} 1`);
  expect(text).toContain(
    `mlops_model_info{${labels},digest="${sha256(modelBytes('two-inputs.onnx'))}"} 1`,
  );
  expect(text).toMatch(
    /mlops_inference_requests_total\{model="test",version="1.0.0",code="200"\} 3/,
  );
  expect(text).toMatch(/mlops_inference_requests_total\{.*code="413"\} 2/);
  expect(text).toMatch(/mlops_inference_duration_seconds_count\{.*\} 3/);
  expect(text).toMatch(/mlops_inference_stage_duration_seconds_count\{.*stage="compute"\} \d/);
  expect(text).toMatch(/mlops_model_load_duration_seconds\{.*stage="loading"\} 0\.\d/);
  expect(text).toMatch(/mlops_inference_in_flight 0/);
});

describe("MLflow's scoring protocol", () => {
  test('is answered at /invocations, and counts as an inference', async () => {
    const answer = await call(`${iris.url}/invocations`, {
      dataframe_split: { data: [[5.1, 3.5, 1.4, 0.2]] },
    });
    expect(answer).toMatchObject({ status: 200, body: { predictions: { label: [0] } } });
    const wrong = await call(`${iris.url}/invocations`, { instances: [[1]] });
    expect(wrong).toMatchObject({
      status: 400,
      body: { error: 'input "X": shape is [1, 1], the model wants [-1, 4] (-1 may be any size)' },
    });
    expect((await call(`${iris.url}/ping`)).status).toBe(200);
  });
});

describe('the description of the API', () => {
  test('has an example that the model answers', async () => {
    const { body } = await call(`${iris.url}/openapi.json`);
    const paths = (body as { paths: Record<string, { post: OpenApiPost }> }).paths;
    const { example } =
      paths['/v2/models/iris/infer']?.post.requestBody.content['application/json'] ?? {};
    expect(example).toEqual({
      inputs: [{ name: 'X', datatype: 'FP32', shape: [1, 4], data: [0, 0, 0, 0] }],
    });
    expect((await call(`${iris.url}/v2/models/iris/infer`, example)).status).toBe(200);
  });

  test('is a page that asks nobody but this server', async () => {
    const response = await fetch(`${iris.url}/docs`);
    expect(response.headers.get('content-security-policy')).toContain("connect-src 'self'");
    const page = await response.text();
    expect(page).toContain('<td>input<td><code>X</code><td>FP32<td>[-1, 4]');
    expect(page).not.toMatch(/https?:/);
  });
});

type OpenApiPost = {
  requestBody: { content: { 'application/json': { example: Record<string, unknown> } } };
};

test('a request with hundreds of headers is refused', async () => {
  const headers = Object.fromEntries(
    Array.from({ length: 201 }, (_, i) => [`x-${String(i)}`, '1']),
  );
  expect((await call(`${iris.url}/v2`, undefined, headers)).status).toBe(431);
});
