/** @jest-environment ./serving-runtime/testing/onnx-environment.ts */
import { afterEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { text as textOf } from 'node:stream/consumers';
import type { Serving } from './testing/start-serving.ts';
import { startServing } from './testing/start-serving.ts';

let serving: Serving;

afterEach(async () => {
  serving.stop();
  serving.endDrain();
  await serving.ended.catch(() => undefined);
});

const body = JSON.stringify({
  inputs: ['a', 'b'].map((name) => ({ name, datatype: 'FP32', shape: [1, 2], data: [1, 2] })),
});

/** Sends a request's headers and the first bytes of its body; `rest` completes it. */
async function beginRequest(headers = ''): Promise<Socket> {
  const socket = connect(Number(new URL(serving.url).port), '127.0.0.1');
  await once(socket, 'connect');
  socket.write(
    `POST /v2/models/test/infer HTTP/1.1\r\nhost: x\r\nconnection: close\r\n${headers}content-length: ${String(body.length)}\r\n\r\n${body.slice(0, 10)}`,
  );
  return socket;
}

async function endRequest(socket: Socket): Promise<string> {
  socket.write(body.slice(10));
  return textOf(socket);
}

const infer = () => fetch(`${serving.url}/v2/models/test/infer`, { method: 'POST', body });

async function metric(name: string): Promise<string | undefined> {
  const text = await (await fetch(`${serving.metricsUrl}/metrics`)).text();
  return text
    .split('\n')
    .find((line) => line.startsWith(name))
    ?.split(' ')
    .at(-1);
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setImmediate(resolve));
}

describe('before the model is loaded', () => {
  test('the server is alive, not ready, and says why', async () => {
    const loading = Promise.withResolvers<void>();
    serving = await startServing('two-inputs.onnx', {}, loading.promise);
    expect((await fetch(`${serving.url}/v2/health/live`)).status).toBe(200);
    const ready = await fetch(`${serving.url}/v2/health/ready`);
    expect([ready.status, await ready.json()]).toEqual([503, { ready: false, state: 'fetching' }]);
    expect((await fetch(`${serving.url}/v2/models/test/ready`)).status).toBe(503);
    const refused = await infer();
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
    // The list of models may still be read.
    await until(async () => (await metric('mlops_model_ready')) === '0');
    loading.resolve();
    await serving.ready;
    expect((await infer()).status).toBe(200);
  });

  test('a stop ends it at once and well', async () => {
    serving = await startServing('two-inputs.onnx', {}, new Promise(() => undefined));
    serving.stop();
    await serving.ended;
    await expect(infer()).rejects.toThrow();
  });
});

test('a model that does not load ends the server with the reason', async () => {
  serving = await startServing('unknown-operator.onnx');
  await expect(serving.ended).rejects.toMatchObject({ code: 'InvalidModel' });
  await expect(infer()).rejects.toThrow();
});

describe('a stop', () => {
  test('takes readiness away at once, answers on, and ends with the last answer', async () => {
    serving = await startServing('two-inputs.onnx');
    await serving.ready;
    const early = await beginRequest();
    await until(async () => (await metric('mlops_inference_in_flight')) === '1');
    serving.stop();
    const ready = await fetch(`${serving.url}/v2/health/ready`);
    expect([ready.status, await ready.json()]).toEqual([503, { ready: false, state: 'draining' }]);
    expect(await metric('mlops_model_ready')).toBe('0');
    const late = await infer();
    expect([late.status, late.headers.get('connection')]).toEqual([200, 'close']);
    serving.endDrain();
    await new Promise((resolve) => setImmediate(resolve));
    expect(await endRequest(early)).toMatch(/^HTTP\/1.1 200 OK.*"data":\[2,4\]/s);
    await serving.ended;
    await expect(infer()).rejects.toThrow();
  });
});

test('a connection that never sent a request does not hold the end up', async () => {
  serving = await startServing('two-inputs.onnx');
  await serving.ready;
  const silent = connect(Number(new URL(serving.url).port), '127.0.0.1');
  await once(silent, 'connect');
  serving.stop();
  serving.endDrain();
  await serving.ended;
  await once(silent.resume(), 'close');
});

describe('limits', () => {
  test('beyond concurrency requests wait in order, beyond the queue they are sent away', async () => {
    serving = await startServing('two-inputs.onnx', { containerConcurrency: 1, queueSize: 1 });
    await serving.ready;
    const first = await beginRequest();
    await until(async () => (await metric('mlops_inference_in_flight')) === '1');
    const second = infer();
    await until(async () => (await metric('mlops_inference_queued')) === '1');
    const third = await infer();
    expect([third.status, third.headers.get('retry-after')]).toEqual([429, '1']);
    expect(await third.json()).toEqual({
      error: '1 requests are at work and 1 wait; try again later',
    });
    expect(await endRequest(first)).toMatch(/^HTTP\/1.1 200/);
    expect((await second).status).toBe(200);
  });

  test('a body that does not come in time is 408, a wait that lasts too long 504', async () => {
    serving = await startServing('two-inputs.onnx', {
      containerConcurrency: 1,
      timeoutMs: 50,
    });
    await serving.ready;
    const slow = await beginRequest();
    const [first, second] = await Promise.all([textOf(slow), infer()]);
    expect(first).toMatch(/^HTTP\/1.1 408 .*the body did not come within the time allowed/s);
    // Whichever deadline comes first: the slot may free in the same moment.
    expect([200, 504]).toContain(second.status);
  });

  test('a request may give itself less time, in microseconds', async () => {
    serving = await startServing('two-inputs.onnx');
    await serving.ready;
    const within = (timeout: unknown) =>
      fetch(`${serving.url}/v2/models/test/infer`, {
        method: 'POST',
        body: JSON.stringify({ ...(JSON.parse(body) as object), parameters: { timeout } }),
      });
    expect((await within(60_000_000)).status).toBe(200);
    expect((await within(1)).status).toBe(504);
    expect((await within('soon')).status).toBe(400);
  });

  test('a client that goes away mid-body leaves its slot', async () => {
    serving = await startServing('two-inputs.onnx', { containerConcurrency: 1 });
    await serving.ready;
    const gone = await beginRequest();
    await until(async () => (await metric('mlops_inference_in_flight')) === '1');
    gone.destroy();
    expect((await infer()).status).toBe(200);
    expect(await metric('mlops_inference_in_flight')).toBe('0');
  });

  test('work whose time is over is not begun', async () => {
    serving = await startServing('slow.onnx', { timeoutMs: 20, containerConcurrency: 8 });
    await serving.ready;
    const heavy = (steps: number) =>
      fetch(`${serving.url}/v2/models/test/infer`, {
        method: 'POST',
        body: JSON.stringify({
          inputs: [{ name: 'steps', datatype: 'INT64', shape: [], data: [steps] }],
        }),
      });
    const [blocking, ...late] = await Promise.all([heavy(2000), heavy(1), heavy(1), heavy(1)]);
    expect(blocking.status).toBe(200);
    for (const answer of late) expect([200, 408, 504]).toContain(answer.status);
  });
});

test('metrics and health can have a port of their own, and nothing else has it', async () => {
  const probe = createServer().listen(0);
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  serving = await startServing('two-inputs.onnx', { metricsPort: port });
  await serving.ready;
  expect(await metric('mlops_model_ready')).toBe('1');
  expect((await fetch(`${serving.metricsUrl}/v2/health/ready`)).status).toBe(200);
  expect((await fetch(`${serving.metricsUrl}/v2/models/test`)).status).toBe(404);
});
