import { gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { LABELS } from '../../crds/schema/names.ts';
import { memoryPredictionStore } from '../store/memory-predictions.ts';
import type { PredictionStore } from '../store/predictions.ts';
import { ingestRoutes } from './ingest-routes.ts';
import { apiFixture, person, pod } from './testing/api-fixture.ts';
import type { Fixture } from './testing/api-fixture.ts';

const url = '/api/v1/namespaces/demo/modeldeployments/digits/predictions';
const LINE =
  '{"type":"prediction","id":"p1","time":"2026-02-01T12:00:00Z","version":"1.0.0","status":200,"latencyMs":1.5,"inputs":[{"name":"X","data":[9007199254740993]}]}';

let store: PredictionStore;
let fixture: Fixture;
let headers: Record<string, string>;

const open = async (opened: PredictionStore) => {
  store = opened;
  fixture = await apiFixture({ routes: [ingestRoutes({ ...store })] });
  const labels = { [LABELS.deployment]: 'digits', [LABELS.modelVersion]: 'digits-1' };
  headers = {
    ...(await pod(fixture, 'demo', 'p', labels)),
    'content-type': 'application/x-ndjson',
    'content-encoding': 'gzip',
    'idempotency-key': 'batch-0001',
  };
};

const send = (text: string | Buffer, more: Record<string, string> = {}) =>
  fixture.app.inject({
    ...{ method: 'POST', url, headers: { ...headers, ...more } },
    payload: typeof text === 'string' ? gzipSync(text) : text,
  });

beforeEach(() => open(memoryPredictionStore()));

describe('the ingest endpoint', () => {
  test('keeps a batch of the pod that serves the Deployment once, digit for digit', async () => {
    expect((await send(`${LINE}\n`)).json()).toEqual({ records: 1, duplicate: false });
    expect((await send(`${LINE}\n`)).json()).toEqual({ records: 1, duplicate: true });
    expect(await store.latest({ namespace: 'demo', name: 'digits' }, 10)).toEqual([LINE]);
  });

  test.each([
    ['another Deployment', 'demo', { [LABELS.deployment]: 'other' }],
    ['another namespace', 'other', { [LABELS.deployment]: 'digits' }],
    ['nothing', 'demo', {}],
  ])('refuses a pod that serves %s', async (_what, namespace, labels) => {
    const { authorization } = await pod(fixture, namespace, 'q', labels);
    expect((await send(LINE, { authorization })).statusCode).toBe(403);
  });

  test.each([
    ['no JSON', 'x', 'Line 1 of the batch:  is not one JSON object.'],
    ['an unknown record', '{"type":"x"}', 'Line 1 of the batch: type is neither'],
    ['no time', `${LINE}\n${LINE.replace('2026-02', 'x')}`, 'Line 2 of the batch: time is not'],
    ['no id', LINE.replace('"p1"', '""'), 'id is missing'],
    ['no status', LINE.replace('200', '20'), 'status is not a number from 100 to 599'],
    ['no gzip', Buffer.from(LINE), 'The body is not gzip'],
  ])('refuses a batch with %s, and writes none of it', async (_what, text, detail) => {
    const answer = (await send(text)).json<{ code: string; detail: string }>();
    expect(answer.code).toBe('InvalidRequest');
    expect(answer.detail).toContain(detail);
    expect(await store.latest({ namespace: 'demo', name: 'digits' }, 10)).toEqual([]);
  });

  test('refuses what unpacks to too much, too many records, and a body that is too large', async () => {
    expect((await send(' '.repeat(9 * 1024 * 1024))).json()).toMatchObject({ code: 'TooLarge' });
    expect((await send('1\n'.repeat(10_001))).json()).toMatchObject({ code: 'TooLarge' });
    expect((await send(Buffer.alloc(9 * 1024 * 1024))).statusCode).toBe(413);
  });

  test('wants a batch id', async () => {
    expect((await send(LINE, { 'idempotency-key': '' })).statusCode).toBe(400);
  });

  test('asks to wait when too much is being written', async () => {
    const slow = Promise.withResolvers<boolean>();
    await open({ ...memoryPredictionStore(), append: () => slow.promise });
    const answers = Array.from({ length: 9 }, () => send(LINE));
    const refused = await Promise.race(answers);
    expect([refused.statusCode, refused.headers['retry-after']]).toEqual([429, '1']);
    slow.resolve(true);
    expect((await Promise.all(answers)).map(({ statusCode }) => statusCode).sort()).toEqual([
      ...[200, 200, 200, 200, 200, 200, 200, 200, 429],
    ]);
  });

  test('shows the latest to who may get modeldeployments/predictions', async () => {
    await send(LINE);
    const ada = person(fixture, 'ada');
    expect((await fixture.app.inject({ url, headers: ada })).statusCode).toBe(403);
    fixture.pass(10_000);
    fixture.cluster.allows = (_user, { verb, resource, subresource, name }) =>
      [verb, resource, subresource, name].join() === 'get,modeldeployments,predictions,digits';
    expect((await fixture.app.inject({ url: `${url}?limit=1`, headers: ada })).body).toBe(
      `{"items":[${LINE}]}`,
    );
  });
});
