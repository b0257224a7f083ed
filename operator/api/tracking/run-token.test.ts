import { beforeEach, describe, expect, test } from '@jest/globals';
import { apiFixture, given, person, trialPod } from '../testing/api-fixture.ts';
import type { Fixture } from '../testing/api-fixture.ts';

type Headers = { readonly authorization: string };

const API = '/api/2.0/mlflow';
const RUN = 'a'.repeat(32);
const OTHER = 'b'.repeat(32);
/** Twice the hour that a pod's own token lives. */
const TWO_PERIODS_MS = 2 * 3_600_000;

let fixture: Fixture;
let uid: string;
let pod: Headers;

beforeEach(async () => {
  fixture = await apiFixture();
  uid =
    (await given(fixture, 'Experiment', { namespace: 'demo', name: 'train' })).metadata.uid ?? '';
  pod = await trialPod(fixture, 'demo', 'train');
  for (const runId of [RUN, OTHER]) {
    await fixture.runs.createRun({
      runId,
      experiment: { uid, namespace: 'demo', name: 'train' },
      name: runId,
      userId: 'x',
      startTime: 1,
    });
  }
});

const post = (url: string, payload: object, headers: Headers) =>
  fixture.app.inject({ method: 'POST', url, payload, headers });
const get = (url: string, headers: Headers) => fixture.app.inject({ url, headers });

const newToken = async (): Promise<Headers> => {
  const answer = await post(`/api/2.0/mlops/runs/${RUN}/token`, {}, pod);
  return { authorization: `Bearer ${answer.json<{ token: string }>().token}` };
};

const logs = async (runId: string, headers: Headers): Promise<number> =>
  (
    await post(
      `${API}/runs/log-metric`,
      { run_id: runId, key: 'm', value: 1, timestamp: 1 },
      headers,
    )
  ).statusCode;

describe('a token of a run', () => {
  test('logs on when every token of the cluster has expired', async () => {
    const token = await newToken();
    fixture.cluster.tokens.clear();
    fixture.pass(TWO_PERIODS_MS);
    expect(await logs(RUN, pod)).toBe(401);
    expect(await logs(RUN, token)).toBe(200);
    expect((await get(`${API}/runs/get?run_id=${RUN}`, token)).statusCode).toBe(200);
    expect((await get(`${API}/experiments/get?experiment_id=${uid}`, token)).statusCode).toBe(200);
  });

  test('ends with its run, after the time that last uploads take', async () => {
    const token = await newToken();
    const end = { run_id: RUN, status: 'FINISHED', end_time: Date.UTC(2026, 0, 2, 3, 4, 5) };
    expect((await post(`${API}/runs/update`, end, token)).statusCode).toBe(200);
    expect(await logs(RUN, token)).toBe(200);
    fixture.pass(10 * 60_000);
    const late = await post(`${API}/runs/set-tag`, { run_id: RUN, key: 'a', value: 'b' }, token);
    expect(late.statusCode).toBe(401);
    expect(late.json()).toMatchObject({ message: expect.stringContaining('its run has ended') });
    const again = await post(`/api/2.0/mlops/runs/${RUN}/token`, {}, pod);
    expect(again.json()).toMatchObject({ error_code: 'INVALID_PARAMETER_VALUE' });
  });

  test('ends when the run is deleted', async () => {
    const token = await newToken();
    await fixture.runs.deleteRun(RUN);
    expect(await logs(RUN, token)).toBe(401);
  });

  test('reaches no other run, and no other part of the API, even where everybody may everything', async () => {
    const token = await newToken();
    fixture.cluster.allows = () => true;
    expect(await logs(OTHER, token)).toBe(404);
    expect((await get(`${API}/runs/get?run_id=${OTHER}`, token)).statusCode).toBe(404);
    const found = await post(`${API}/runs/search`, { experiment_ids: [uid] }, token);
    expect(found.json<{ runs: { info: { run_id: string } }[] }>().runs).toMatchObject([
      { info: { run_id: RUN } },
    ]);
    expect((await post(`${API}/registered-models/create`, { name: 'x' }, token)).statusCode).toBe(
      403,
    );
    expect((await post(`${API}/experiments/create`, { name: 'x' }, token)).statusCode).toBe(403);
    expect((await get('/api/v1/namespaces/demo/models', token)).statusCode).toBe(401);
    expect((await post(`/api/2.0/mlops/runs/${RUN}/token`, {}, token)).statusCode).toBe(403);
  });

  test('opens runs that are nested in its own, as a search over parameters does', async () => {
    const token = await newToken();
    const body = { experiment_id: uid, start_time: 1 };
    expect((await post(`${API}/runs/create`, body, token)).statusCode).toBe(403);
    const tags = [{ key: 'mlflow.parentRunId', value: RUN }];
    const child = await post(`${API}/runs/create`, { ...body, tags }, token);
    expect(child.statusCode).toBe(200);
    const { run } = child.json<{ run: { info: { run_id: string } } }>();
    expect(await logs(run.info.run_id, token)).toBe(200);
  });

  test('is made only for who may write the run, and the eleventh replaces the first', async () => {
    const ada = person(fixture, 'ada');
    expect((await post(`/api/2.0/mlops/runs/${RUN}/token`, {}, ada)).statusCode).toBe(404);
    const first = await newToken();
    for (let at = 0; at < 10; at++) {
      fixture.pass(1);
      await newToken();
    }
    expect(await logs(RUN, first)).toBe(401);
  });

  test('is no secret that a reader of the run sees, and none can be guessed', async () => {
    await newToken();
    const shown = (await get(`${API}/runs/get?run_id=${RUN}`, pod)).body;
    expect(shown).not.toContain('mlops.record');
    const guessed = { authorization: `Bearer mlrun.${RUN}.${'0'.repeat(64)}` };
    expect(await logs(RUN, guessed)).toBe(401);
  });
});
