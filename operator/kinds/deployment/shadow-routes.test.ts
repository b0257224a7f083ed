import { beforeEach, describe, expect, test } from '@jest/globals';
import { apiFixture, given, person } from '../../api/testing/api-fixture.ts';
import type { Fixture } from '../../api/testing/api-fixture.ts';
import { memoryPredictionStore } from '../../store/memory-predictions.ts';
import type { NewPrediction } from '../../store/predictions.ts';
import { memoryShadowStore } from './memory-shadow-store.ts';
import { shadowRoutes } from './shadow-routes.ts';

const URL = '/api/v1/namespaces/demo/modeldeployments/digits/shadow-report';
const SPEC = { predictor: { model: { modelRef: { name: 'digits' }, alias: 'champion' } } };

let fixture: Fixture;
const predictions = memoryPredictionStore();

const answer = (id: string, version: string, value: number): NewPrediction => ({
  ...{ id, version, status: 200, latencyMs: 5, unit: undefined, variant: 'stable' },
  at: '2026-02-01T12:00:00.000Z',
  record: JSON.stringify({
    status: 200,
    outputs: [{ name: 'y', datatype: 'INT64', shape: [1], data: [value] }],
  }),
});

beforeEach(async () => {
  fixture = await apiFixture({ routes: [shadowRoutes(memoryShadowStore(predictions))] });
  fixture.cluster.allows = () => true;
  await predictions.append(
    { namespace: 'demo', name: 'digits' },
    {
      batchId: 'x',
      predictions: [
        ...[answer('a', '1.0.0', 1), answer('a', '1.1.0', 1)],
        ...[answer('b', '1.0.0', 1), answer('b', '1.1.0', 2)],
      ],
      sketches: [],
    },
  );
});

const get = (query = '?since=2026-02-01T00:00:00Z') =>
  fixture.app.inject({ url: `${URL}${query}`, headers: person(fixture, 'ada') });

const withStatus = (status: object) =>
  given(fixture, 'Deployment', { namespace: 'demo', name: 'digits' }, { spec: SPEC, status });

describe('the report of a mirror', () => {
  test('is of the version that serves and the one that comes up', async () => {
    await withStatus({ servedVersion: '1.0.0', candidateVersion: '1.1.0' });
    const response = await get();
    expect(response.statusCode).toBe(200);
    expect(response.json()).toMatchObject({
      ...{ pairs: 2, compared: 2, agreeing: 1, agreement: 0.5, since: '2026-02-01T00:00:00Z' },
      stable: { version: '1.0.0', errors: 0, p50Ms: 5 },
      candidate: { version: '1.1.0', errors: 0 },
      outputs: [{ name: 'y', datatype: 'INT64', values: 2, equal: 1, withinTolerance: 1 }],
    });
  });

  test('is of any two versions that are named', async () => {
    await withStatus({ servedVersion: '1.1.0' });
    const query = '?stable=1.0.0&candidate=1.1.0&since=2026-02-01T00:00:00Z';
    expect((await get(query)).json()).toMatchObject({ pairs: 2 });
    const nobody = await get();
    expect(nobody.statusCode).toBe(400);
    expect(nobody.json<{ detail: string }>().detail).toMatch(/No version is coming up just now/);
  });

  test('of nothing is 404', async () => {
    expect((await get()).statusCode).toBe(404);
  });

  test('is for those who may see the Deployment', async () => {
    await withStatus({ servedVersion: '1.0.0', candidateVersion: '1.1.0' });
    fixture.cluster.allows = () => false;
    expect((await get()).statusCode).toBe(403);
  });

  test('since no time is refused', async () => {
    await withStatus({ servedVersion: '1.0.0', candidateVersion: '1.1.0' });
    expect((await get('?since=yesterday')).statusCode).toBe(400);
  });
});
