import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import { openTelemetrySpans, startTracing } from './tracing.ts';

test('spans reach the collector by OTLP, those of failed work too', async () => {
  const bodies: { readonly url: string; readonly text: string }[] = [];
  const collector = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      bodies.push({ url: request.url ?? '', text: Buffer.concat(chunks).toString('latin1') });
      response.end();
    });
  }).listen(0, '127.0.0.1');
  await once(collector, 'listening');
  const { port } = collector.address() as AddressInfo;

  const tracing = startTracing(`http://127.0.0.1:${port}/`);
  const result = await openTelemetrySpans(
    'reconcile model',
    { 'k8s.object.key': 'demo/digits' },
    async () => {
      await openTelemetrySpans('get jobs', {}, async () => {
        throw new Error('connection refused');
      }).catch(() => {});
      return 7;
    },
  );
  await tracing.stop();
  collector.close();

  expect(result).toBe(7);
  expect(bodies.map(({ url }) => url)).toEqual(['/v1/traces']);
  const sent = bodies[0]?.text ?? '';
  for (const part of [
    'mlops-operator',
    'reconcile model',
    'demo/digits',
    'get jobs',
    'connection refused',
  ])
    expect(sent).toContain(part);
});
