/** @jest-environment ./serving-runtime/testing/onnx-environment.ts */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { LABELS } from '../../crds/schema/names.ts';
import type { PredictionRecord } from '../../serving-runtime/protocol/prediction-record.ts';
import type { SketchRecord } from '../../serving-runtime/protocol/sketch-record.ts';
import { startServing } from '../../serving-runtime/testing/start-serving.ts';
import { sqlPredictionStore } from '../store/sql-predictions.ts';
import { freshDatabase } from '../store/testing/fresh-database.ts';
import { ingestRoutes } from './ingest-routes.ts';
import { apiFixture, pod } from './testing/api-fixture.ts';

jest.setTimeout(60_000);

const fresh = await freshDatabase();
const store = sqlPredictionStore(fresh.database.withTables<unknown>());
const DIGITS = { namespace: 'demo', name: 'digits' };
let folder: string;

beforeAll(async () => {
  await fresh.database.migrate();
  folder = await mkdtemp(join(tmpdir(), 'ingest-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
  await fresh.drop();
});

/** The API on a port, and the token of a pod that serves the Deployment. */
const startApi = async (port = 0) => {
  const fixture = await apiFixture({ routes: [ingestRoutes(store)] });
  const { authorization } = await pod(fixture, 'demo', 'p', { [LABELS.deployment]: 'digits' });
  await writeFile(join(folder, 'token'), authorization.replace('Bearer ', ''));
  const url = await fixture.app.listen({ host: '127.0.0.1', port });
  return { url, port: Number(new URL(url).port), close: () => fixture.app.close() };
};

const startLogging = async (apiUrl: string) => {
  const serving = await startServing('iris.onnx', {
    cacheDir: folder,
    requests: {
      ...{ logMode: 'all', sampleRate: 1, redact: new Set(), bufferBytes: 1e6 },
      sketchMs: 60_000,
      ingestUrl: `${apiUrl}/api/v1/namespaces/demo/modeldeployments/digits/predictions`,
      tokenFile: join(folder, 'token'),
    },
  });
  await serving.ready;
  return serving;
};
type Serving = Awaited<ReturnType<typeof startLogging>>;

const predict = async ({ url }: Serving, id: string): Promise<void> => {
  const response = await fetch(`${url}/v2/models/test/infer`, {
    method: 'POST',
    headers: { 'x-request-id': id, 'x-mlops-unit': 'ada' },
    body: '{"inputs":[{"name":"X","datatype":"FP32","shape":[1,4],"data":[5.5,3.5,1.5,0.25]}]}',
  });
  expect(response.status).toBe(200);
  await response.arrayBuffer();
};

const stop = async (serving: Serving): Promise<void> => {
  serving.stop();
  serving.endDrain();
  await serving.ended;
};

const stored = async () =>
  (await store.latest(DIGITS, 500)).map((record) => JSON.parse(record) as PredictionRecord);

const sketched = async () => {
  const ever = { since: '2020-01-01T00:00:00Z', until: '2100-01-01T00:00:00Z' };
  const rows = await store.sketches(DIGITS, ever);
  return rows.map(({ sketch }) => JSON.parse(sketch) as SketchRecord);
};

test('what a serving process answers becomes rows, over an outage and a restart, each once', async () => {
  const api = await startApi();
  const first = await startLogging(api.url);
  for (let i = 0; i < 25; i++) await predict(first, `first-${String(i)}`);
  // A drain sends what it has.
  await stop(first);
  const rows = await stored();
  expect(rows.map(({ id }) => id).sort()).toEqual(
    Array.from({ length: 25 }, (_, i) => `first-${String(i)}`).sort(),
  );
  expect(rows[0]).toMatchObject({
    ...{ type: 'prediction', unit: 'ada', version: '1.0.0', status: 200 },
    inputs: [{ name: 'X', datatype: 'FP32', shape: [1, 4], data: [5.5, 3.5, 1.5, 0.25] }],
    outputs: [{ name: 'label', datatype: 'INT64', shape: [1] }, { name: 'probabilities' }],
  });

  expect((await sketched()).map(({ role, feature, count }) => [role, feature, count])).toEqual([
    ['input', 'X[0]', 25],
    ['input', 'X[1]', 25],
    ['input', 'X[2]', 25],
    ['input', 'X[3]', 25],
    ['output', 'label', 25],
    ['output', 'probabilities[0]', 25],
    ['output', 'probabilities[1]', 25],
    ['output', 'probabilities[2]', 25],
  ]);

  await api.close();
  const second = await startLogging(api.url);
  for (let i = 0; i < 5; i++) await predict(second, `second-${String(i)}`);
  await stop(second);
  expect(second.log.map(({ msg }) => msg)).toContain('logged requests are left on disk unsent');

  const again = await startApi(api.port);
  const third = await startLogging(again.url);
  await stop(third);
  expect(await stored()).toHaveLength(30);
  const first0 = (await sketched()).filter(({ feature }) => feature === 'X[0]');
  expect(first0.map(({ count, numbers }) => [count, numbers?.mean])).toEqual([
    [25, 5.5],
    [5, 5.5],
  ]);
  await again.close();
});
