import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { guardedRequest } from '../probing/guarded-request.ts';
import { systemClock } from '../runtime/clock.ts';
import { foldChanges } from '../store/fold-changes.ts';
import { resourceState } from '../store/resource-state.ts';
import { sqlMirrorRows } from '../store/sql-mirror-rows.ts';
import { freshDatabase } from '../store/testing/fresh-database.ts';
import { deliverDue } from './deliver.ts';
import { seal } from './seal.ts';
import { recordRegistryEvents, sqlOutbox } from './sql-outbox.ts';
import { sqlWebhookStore } from './sql-webhooks.ts';
import type { Webhook } from './webhook-store.ts';

type Received = { readonly headers: NodeJS.Dict<string | string[]>; readonly body: string };

const START = Date.UTC(2026, 0, 2, 3, 4, 5);
const KEY = new Uint8Array(32).fill(7);
const received: Received[] = [];
const answers: number[] = [];
const receiver = createServer((request, response) => {
  void text(request).then((body) => {
    received.push({ headers: request.headers, body });
    response.writeHead(answers.shift() ?? 200).end('ok');
  });
});

let fresh: Awaited<ReturnType<typeof freshDatabase>>;
let host = '';

beforeAll(async () => {
  fresh = await freshDatabase();
  await fresh.database.migrate();
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  host = `127.0.0.1:${(receiver.address() as AddressInfo).port}`;
}, 60_000);
afterAll(async () => {
  receiver.close();
  await fresh.drop();
});

const observed = (kind: string, name: string, rest: object, at: number) =>
  resourceState(
    {
      ...{ apiVersion: 'mlops.pynomaly.io/v1alpha1', kind, ...rest },
      metadata: {
        ...{ name, namespace: 'demo', uid: `${kind}-${name}`, resourceVersion: String(at) },
        ...(rest as { metadata?: object }).metadata,
        creationTimestamp: new Date(START).toISOString(),
      },
    },
    new Date(at).toISOString(),
  );

const VERSION = { modelRef: { name: 'iris-1' }, version: '1.0.0', storageUri: 's3://b/k' };

test('what is mirrored is told once it can be, signed, and to those who asked for it', async () => {
  const db = fresh.database.withTables<unknown>();
  const store = sqlWebhookStore(db);
  const outbox = sqlOutbox(db);
  const rows = sqlMirrorRows(fresh.database.db, recordRegistryEvents);
  const mirror = (...states: ReturnType<typeof observed>[]) =>
    rows.update(
      states.map(({ row }) => row.uid),
      (stored) =>
        foldChanges(
          stored,
          states.map((state) => ({ type: 'upsert', state, gap: false })),
        ),
    );
  const webhook = (id: string, more: Partial<Webhook>): Webhook => ({
    ...{ id, namespace: 'demo', name: id, url: `http://${host}/${id}`, active: true },
    ...{ events: ['model_version.created', 'model_version_tag.set'] },
    ...{ createdAt: START, updatedAt: START, ...more },
  });
  await store.save(webhook('w1', { sealedSecret: seal(KEY, 'w1', 's3cret') }));
  await store.save(webhook('elsewhere', { namespace: 'other' }));
  await store.save(webhook('off', { active: false }));
  await store.save(webhook('late', { createdAt: START + 61_000 }));
  await store.save(webhook('other-events', { events: ['registered_model.created'] }));
  expect((await store.list('demo')).map(({ id }) => id)).toEqual(
    expect.arrayContaining(['w1', 'off', 'late', 'other-events']),
  );

  const labels = { 'mlops.pynomaly.io/mlflow-version': '4' };
  await mirror(
    observed('ModelVersion', 'v', { spec: VERSION, metadata: { labels } }, START + 1),
    observed(
      'Model',
      'iris-1',
      { spec: {}, metadata: { annotations: { 'mlops.pynomaly.io/mlflow-name': 'Iris!' } } },
      START + 2,
    ),
  );
  // Seen again, as after a restart: no news.
  await mirror(observed('ModelVersion', 'v', { spec: VERSION, metadata: { labels } }, START + 1));

  let now = START + 500;
  const warnings: unknown[] = [];
  const deliver = () =>
    deliverDue({
      ...{ outbox, key: KEY, now: () => now, signal: new AbortController().signal },
      request: guardedRequest(systemClock, { privateHosts: [host] }),
      log: { warn: (fields) => void warnings.push(fields) },
    });
  await deliver();
  expect(received).toEqual([]);
  now = START + 2000;
  answers.push(500, 500);
  await deliver();
  expect(received).toHaveLength(2);
  expect(warnings).toHaveLength(2);
  await deliver();
  expect(received).toHaveLength(2);
  now += 5000;
  await deliver();
  await deliver();
  expect(received).toHaveLength(4);

  const ofVersion = received.filter(({ body }) => body.includes('"model_version"'));
  const [first, again] = ofVersion;
  expect(first?.headers['x-mlflow-delivery-id']).toBe(again?.headers['x-mlflow-delivery-id']);
  expect(JSON.parse(again?.body ?? '{}')).toEqual({
    ...{ entity: 'model_version', action: 'created', workspace: 'demo' },
    timestamp: '2026-01-02T03:04:05.001Z',
    data: {
      ...{ name: 'Iris!', version: '4', source: 's3://b/k' },
      ...{ run_id: null, tags: {}, description: null },
    },
  });
  const { headers = {}, body = '' } = again ?? {};
  const signed = `${String(headers['x-mlflow-delivery-id'])}.${String(headers['x-mlflow-timestamp'])}.${body}`;
  const signature = createHmac('sha256', 's3cret').update(signed).digest('base64');
  expect(headers['x-mlflow-signature']).toBe(`v1,${signature}`);

  await mirror(
    observed(
      'ModelVersion',
      'v',
      { spec: { ...VERSION, tags: { a: 'b' } }, metadata: { labels } },
      now + 1,
    ),
  );
  await store.delete('demo', 'w1');
  now += 60_000;
  await deliver();
  expect(received).toHaveLength(5);
  expect(JSON.parse(received[4]?.body ?? '{}')).toMatchObject({
    entity: 'model_version_tag',
    data: { name: 'Iris!', version: '4', key: 'a', value: 'b' },
  });
}, 60_000);

test('a receiver that is private, or never answers well, is given up after a day', async () => {
  const db = fresh.database.withTables<unknown>();
  const outbox = sqlOutbox(db);
  await sqlWebhookStore(db).save({
    ...{ id: 'p', namespace: 'day', name: 'p', url: `http://${host}/p`, active: true },
    ...{ events: ['registered_model.created'], createdAt: START, updatedAt: START },
  });
  const rows = sqlMirrorRows(fresh.database.db, recordRegistryEvents);
  const state = observed('Model', 'm', { spec: {}, metadata: { namespace: 'day' } }, START + 1);
  await rows.update([state.row.uid], (stored) =>
    foldChanges(stored, [{ type: 'upsert', state, gap: false }]),
  );
  const before = received.length;
  const failures: string[] = [];
  for (const now of [START + 5000, START + 3_600_000, START + 86_500_000, START + 90_000_000]) {
    await deliverDue({
      ...{ outbox, key: KEY, now: () => now, signal: new AbortController().signal },
      request: guardedRequest(systemClock, { privateHosts: [], advice: 'do not' }),
      log: { warn: ({ failure }) => void failures.push(String(failure)) },
    });
  }
  expect(received).toHaveLength(before);
  const refusal = '127.0.0.1 has the address 127.0.0.1, which is not public; do not';
  expect(failures).toEqual([refusal, refusal, refusal]);
}, 60_000);
