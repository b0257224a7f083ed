/** @jest-environment ./serving-runtime/testing/onnx-environment.ts */
import { expect, test } from '@jest/globals';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { startServing } from '../testing/start-serving.ts';
import { createLogger } from './logger.ts';
import { traceIdOf } from './request-trace.ts';
import { startTracing } from './tracing.ts';

const logger = createLogger('fatal', {});
const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const parent = (flags: string) => `00-${traceId}-00f067aa0ba902b7-${flags}`;

test('a request goes on with the trace of its client, stage by stage, where the client samples it', async () => {
  const sent: Buffer[] = [];
  const collector = createServer((request, response) => {
    void buffer(request).then((body) => {
      sent.push(body);
      response.end();
    });
  }).listen(0, '127.0.0.1');
  await once(collector, 'listening');
  const endpoint = `http://127.0.0.1:${String((collector.address() as AddressInfo).port)}`;
  const tracing = startTracing({ endpoint, sampleRate: 0 }, logger);
  const serving = await startServing('two-inputs.onnx', { tracing });
  await serving.ready;
  const body = JSON.stringify({
    inputs: ['a', 'b'].map((name) => ({ name, datatype: 'FP32', shape: [1, 2], data: [1, 2] })),
  });
  const infer = (traceparent: string) =>
    fetch(`${serving.url}/v2/models/test/infer`, {
      ...{ method: 'POST', body, headers: { traceparent } },
    });
  await infer(parent('01'));
  await infer(parent('00').replaceAll(traceId, 'b'.repeat(32)));
  await infer('nonsense');
  serving.stop();
  serving.endDrain();
  await serving.ended;
  await tracing.stop();
  collector.close();

  const text = Buffer.concat(sent);
  const spans = ['infer', 'queue', 'receive', 'decode', 'compute', 'encode'];
  for (const name of [...spans, 'mlops.model', 'http.response.status_code']) {
    expect(text.includes(name)).toBe(true);
  }
  const ofTrace = (id: string) => text.toString('hex').split(id).length - 1;
  expect([ofTrace(traceId), ofTrace('b'.repeat(32))]).toEqual([spans.length, 0]);
});

test('the id of a trace is read from a whole header only', () => {
  expect(traceIdOf({ traceparent: parent('01') })).toBe(traceId);
  expect(traceIdOf({ traceparent: 'nonsense' })).toBeUndefined();
  expect(traceIdOf({})).toBeUndefined();
});
