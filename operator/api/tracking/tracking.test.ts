import { connect } from 'node:net';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { LABELS } from '../../../crds/schema/names.ts';
import { artifactRecord } from '../../kinds/experiment/artifact-record.ts';
import { POD } from '../../runtime/kubernetes-types.ts';
import { DatabaseUnavailable } from '../../store/database-error.ts';
import { apiFixture, given, person, pod, trialPod } from '../testing/api-fixture.ts';
import type { Fixture } from '../testing/api-fixture.ts';

const RUN = 'a'.repeat(32);
const OTHER_RUN = 'b'.repeat(32);
const API = '/api/2.0/mlflow';
const ARTIFACTS = '/api/2.0/mlflow-artifacts/artifacts';

type Headers = Readonly<Record<string, string>>;

let fixture: Fixture;
let trial: Headers;
let uid: string;

const addRun = (runId: string, namespace: string, name: string, experimentUid: string) =>
  fixture.runs.createRun({
    runId,
    experiment: { uid: experimentUid, namespace, name },
    name: 'trial-0',
    userId: 'operator',
    startTime: 1000,
  });

beforeEach(async () => {
  fixture = await apiFixture();
  uid =
    (await given(fixture, 'Experiment', { namespace: 'demo', name: 'train' })).metadata.uid ?? '';
  const other = await given(fixture, 'Experiment', { namespace: 'other', name: 'train' });
  await given(fixture, 'Experiment', { namespace: 'demo', name: 'tune' });
  trial = await trialPod(fixture, 'demo', 'train');
  await addRun(RUN, 'demo', 'train', uid);
  await addRun(OTHER_RUN, 'other', 'train', other.metadata.uid ?? '');
});

const get = (url: string, headers: Headers = trial) => fixture.app.inject({ url, headers });
const post = (path: string, payload: object, headers: Headers = trial) =>
  fixture.app.inject({ method: 'POST', url: API + path, payload, headers });
const put = (path: string, payload: string, headers: Headers = trial) =>
  fixture.app.inject({
    method: 'PUT',
    url: `${ARTIFACTS}/${path}`,
    payload,
    headers: { 'content-type': 'application/octet-stream', ...headers },
  });

describe('who may track', () => {
  test('lets a trial’s pod track its Experiment without any role', async () => {
    expect((await get(`${API}/runs/get?run_id=${RUN}`)).statusCode).toBe(200);
    expect((await post('/runs/set-tag', { run_id: RUN, key: 'a', value: 'b' })).statusCode).toBe(
      200,
    );
    expect(fixture.cluster.accessReviews).toBe(0);
  });

  test('keeps a pod out of another namespace’s Experiment of the same name', async () => {
    const response = await get(`${API}/runs/get?run_id=${OTHER_RUN}`);
    expect(response.statusCode).toBe(404);
    expect(response.json()).toEqual({
      error_code: 'RESOURCE_DOES_NOT_EXIST',
      message: `Run with id=${OTHER_RUN} not found, or not yours to see.`,
    });
  });

  test('keeps a pod out of another Experiment of its namespace', async () => {
    const stranger = await trialPod(fixture, 'demo', 'tune');
    expect((await get(`${API}/runs/get?run_id=${RUN}`, stranger)).statusCode).toBe(404);
  });

  test('gives a new pod nothing of the one whose name it took', async () => {
    await fixture.cluster.delete(POD, { namespace: 'demo', name: 'train-0' });
    const metadata = {
      namespace: 'demo',
      name: 'train-0',
      labels: { [LABELS.experiment]: 'train' },
    };
    await fixture.cluster.create(
      POD,
      { apiVersion: 'v1', kind: 'Pod', metadata },
      { fieldManager: 't' },
    );
    expect((await get(`${API}/runs/get?run_id=${RUN}`)).statusCode).toBe(404);
  });

  test('gives nothing for a pod that is gone, or that carries no label', async () => {
    const plain = await pod(fixture, 'demo', 'plain', {});
    expect((await get(`${API}/runs/get?run_id=${RUN}`, plain)).statusCode).toBe(404);
    await fixture.cluster.delete(POD, { namespace: 'demo', name: 'train-0' });
    expect((await get(`${API}/runs/get?run_id=${RUN}`)).statusCode).toBe(404);
  });

  test('asks again when the pod could not be read', async () => {
    const real = fixture.cluster.get.bind(fixture.cluster);
    fixture.cluster.get = async () => Promise.reject(new Error('broken'));
    expect((await get(`${API}/runs/get?run_id=${RUN}`)).statusCode).toBe(500);
    fixture.cluster.get = real;
    expect((await get(`${API}/runs/get?run_id=${RUN}`)).statusCode).toBe(200);
  });

  test('asks people for get to read and update to write', async () => {
    const ada = person(fixture, 'ada');
    fixture.cluster.allows = (_user, { verb, resource, name }) =>
      verb === 'get' && resource === 'experiments' && name === 'train';
    expect((await get(`${API}/runs/get?run_id=${RUN}`, ada)).statusCode).toBe(200);
    const refused = await post('/runs/set-tag', { run_id: RUN, key: 'a', value: 'b' }, ada);
    expect(refused.statusCode).toBe(403);
    expect(refused.json()).toMatchObject({
      error_code: 'PERMISSION_DENIED',
      message: expect.stringContaining('the verb update on experiments.mlops.pynomaly.io'),
    });
  });

  test('answers in MLflow’s words without a token and with a malformed request', async () => {
    const response = await fixture.app.inject({ url: `${API}/runs/get?run_id=${RUN}` });
    expect(response.statusCode).toBe(401);
    expect(response.headers['www-authenticate']).toBe('Bearer');
    expect(response.json()).toMatchObject({ error_code: 'UNAUTHENTICATED' });
    const malformed = await post('/runs/log-metric', { run_id: RUN, key: 'a' });
    expect(malformed.json()).toMatchObject({ error_code: 'INVALID_PARAMETER_VALUE' });
    expect((await get(`${API}/runs/get?run_id=`)).json()).toMatchObject({
      error_code: 'INVALID_PARAMETER_VALUE',
      message: expect.stringContaining('run_id is missing'),
    });
  });

  test('says when to come back while the database is away', async () => {
    fixture.runs.getRun = async () =>
      Promise.reject(new DatabaseUnavailable('read', new Error('down')));
    const response = await get(`${API}/runs/get?run_id=${RUN}`);
    expect(response.statusCode).toBe(503);
    expect(response.headers['retry-after']).toBe('5');
    expect(response.json()).toMatchObject({ error_code: 'TEMPORARILY_UNAVAILABLE' });
  });

  test('tells anybody its version and what it can', async () => {
    expect((await fixture.app.inject({ url: '/version' })).body).toBe('3.17.2');
    expect((await fixture.app.inject({ url: '/api/3.0/mlflow/server-info' })).json()).toMatchObject(
      {
        workspaces_enabled: true,
        multipart_uploads_enabled: true,
      },
    );
  });

  test('says what it does not offer', async () => {
    const response = await post('/gateway-proxy', { name: 'x' });
    expect(response.statusCode).toBe(404);
    expect(response.json()).toMatchObject({ error_code: 'ENDPOINT_NOT_FOUND' });
  });
});

describe('experiments', () => {
  const byName = (name: string, headers: Headers = trial) =>
    get(`${API}/experiments/get-by-name?experiment_name=${encodeURIComponent(name)}`, headers);

  test('are found by name in the pod’s namespace and by uid', async () => {
    const want = {
      experiment: {
        experiment_id: uid,
        name: 'train',
        workspace: 'demo',
        lifecycle_stage: 'active',
      },
    };
    expect((await byName('train')).json()).toMatchObject(want);
    expect((await get(`${API}/experiments/get?experiment_id=${uid}`)).json()).toMatchObject(want);
    expect((await get(`${API}/experiments/get?experiment_id=${uid}`)).json()).toMatchObject(want);
  });

  test('are looked for in the workspace that is named', async () => {
    const ada = person(fixture, 'ada');
    fixture.cluster.allows = () => true;
    expect((await byName('train', ada)).json()).toMatchObject({
      error_code: 'INVALID_PARAMETER_VALUE',
      message: expect.stringContaining('set MLFLOW_WORKSPACE'),
    });
    const inOther = { ...ada, 'x-mlflow-workspace': 'other' };
    expect((await byName('train', inOther)).json()).toMatchObject({
      experiment: { workspace: 'other' },
    });
    expect((await byName('train', { ...ada, 'x-mlflow-workspace': '../other' })).statusCode).toBe(
      400,
    );
  });

  test.each(['missing', 'tune', '../models/x', 'Default'])(
    'do not exist for a pod when named %s',
    async (name) => {
      expect((await byName(name)).json()).toMatchObject({ error_code: 'RESOURCE_DOES_NOT_EXIST' });
    },
  );

  test('are not found by the id clients use when nobody named one', async () => {
    const response = await get(`${API}/experiments/get?experiment_id=0`);
    expect(response.json()).toMatchObject({
      message: expect.stringContaining('MLFLOW_EXPERIMENT_NAME'),
    });
  });

  test('that are looked for in vain cost five lists a second', async () => {
    let lists = 0;
    const real = fixture.cluster.list.bind(fixture.cluster);
    fixture.cluster.list = async (type, options) => {
      lists++;
      return real(type, options);
    };
    for (let at = 0; at < 20; at++) await get(`${API}/experiments/get?experiment_id=x${at}`);
    expect(lists).toBe(5);
  });

  test('are forgotten when another took the name', async () => {
    await get(`${API}/experiments/get?experiment_id=${uid}`);
    const { cluster } = fixture;
    const real = cluster.get.bind(cluster);
    cluster.get = async (type, key) => {
      const found = await real(type, key);
      return (found && { ...found, metadata: { ...found.metadata, uid: 'new' } }) as never;
    };
    expect((await get(`${API}/experiments/get?experiment_id=${uid}`)).statusCode).toBe(404);
  });

  test('are searched by name, in order, page by page', async () => {
    const ada = { ...person(fixture, 'ada'), 'x-mlflow-workspace': 'demo' };
    fixture.cluster.allows = (_user, { verb }) => verb === 'list';
    const search = async (body: object) =>
      (await post('/experiments/search', body, ada)).json<object>();
    expect(await search({ order_by: ['name DESC'], max_results: 1 })).toMatchObject({
      experiments: [{ name: 'tune' }],
      next_page_token: '1',
    });
    expect(
      await search({ order_by: ['name DESC'], max_results: 1, page_token: '1' }),
    ).toMatchObject({
      experiments: [{ name: 'train' }],
    });
    expect(await search({ filter: "name LIKE 'tr%'" })).toMatchObject({
      experiments: [{ name: 'train' }],
    });
    expect(await search({ view_type: 'DELETED_ONLY' })).toEqual({});
    expect(await search({ page_token: 'x' })).toMatchObject({
      error_code: 'INVALID_PARAMETER_VALUE',
    });
  });
});

describe('runs', () => {
  test('are opened in an existing Experiment by who may write it', async () => {
    const response = await post('/runs/create', {
      experiment_id: uid,
      start_time: 5,
      tags: [{ key: 'a', value: 'b' }],
    });
    expect(response.json()).toMatchObject({
      run: {
        info: {
          experiment_id: uid,
          status: 'RUNNING',
          start_time: 5,
          user_id: 'system:serviceaccount:demo:default',
        },
      },
    });
    fixture.cluster.allows = (_user, { verb }) => verb === 'get';
    const ada = person(fixture, 'ada');
    expect((await post('/runs/create', { experiment_id: uid }, ada)).statusCode).toBe(403);
  });

  test('end, are renamed, deleted and restored', async () => {
    const ended = await post('/runs/update', {
      run_uuid: RUN,
      status: 'FAILED',
      end_time: 9,
      run_name: 'x',
    });
    expect(ended.json()).toMatchObject({
      run_info: { status: 'FAILED', end_time: 9, run_name: 'x' },
    });
    const stage = async () =>
      (await get(`${API}/runs/get?run_id=${RUN}`)).json<{
        run: { info: { lifecycle_stage: string } };
      }>().run.info.lifecycle_stage;
    await post('/runs/delete', { run_id: RUN });
    expect(await stage()).toBe('deleted');
    await post('/runs/restore', { run_id: RUN });
    expect(await stage()).toBe('active');
  });

  test('take values that JSON has no numbers for', async () => {
    await post('/runs/log-batch', {
      run_id: RUN,
      metrics: [
        { key: 'a', value: 'NaN', timestamp: 1, step: 0 },
        { key: 'b', value: '-Infinity', timestamp: 1 },
        { key: 'c', value: '0.5', timestamp: 1 },
      ],
    });
    const { run } = (await get(`${API}/runs/get?run_id=${RUN}`)).json<{
      run: { data: { metrics: object[] } };
    }>();
    expect(run.data.metrics).toMatchObject([
      { value: 'NaN' },
      { value: '-Infinity' },
      { value: 0.5 },
    ]);
    const wrong = await post('/runs/log-metric', {
      run_id: RUN,
      key: 'a',
      value: 'much',
      timestamp: 1,
    });
    expect(wrong.json()).toMatchObject({ error_code: 'INVALID_PARAMETER_VALUE' });
  });

  test('refuse two values for a param in one batch, and take the same one twice', async () => {
    const params = (second: string) => [
      { key: 'lr', value: '1' },
      { key: 'lr', value: second },
    ];
    expect((await post('/runs/log-batch', { run_id: RUN, params: params('1') })).statusCode).toBe(
      200,
    );
    expect((await post('/runs/log-batch', { run_id: RUN, params: params('2') })).statusCode).toBe(
      400,
    );
  });

  test('keep the operator’s own records out of clients’ hands', async () => {
    const key = 'mlops.record.artifact.x';
    for (const [path, body] of [
      ['/runs/set-tag', { key, value: 'forged' }],
      ['/runs/log-batch', { tags: [{ key, value: 'forged' }] }],
      ['/runs/delete-tag', { key }],
    ] as const) {
      const response = await post(path, { run_id: RUN, ...body });
      expect(response.json()).toMatchObject({
        message: expect.stringContaining('kept by the operator'),
      });
    }
  });

  test('page through the history of a metric', async () => {
    fixture.runs.metricHistory = async (_runId, _key, page) => ({
      metrics: [{ key: 'loss', value: 1, timestamp: 2, step: 3 }],
      nextCursor: `after-${page?.cursor}-${page?.limit}`,
    });
    const url = `${API}/metrics/get-history?run_id=${RUN}&metric_key=loss&max_results=7&page_token=here`;
    expect((await get(url)).json()).toEqual({
      metrics: [{ key: 'loss', value: 1, timestamp: 2, step: 3 }],
      next_page_token: 'after-here-7',
    });
  });

  test('are searched only in Experiments the caller may read', async () => {
    const found = await post('/runs/search', {
      experiment_ids: [uid],
      filter: "attributes.status = 'RUNNING'",
    });
    expect(found.json()).toMatchObject({ runs: [{ info: { run_id: RUN } }] });
    const stranger = await trialPod(fixture, 'demo', 'tune');
    expect((await post('/runs/search', { experiment_ids: [uid] }, stranger)).statusCode).toBe(404);
    expect((await post('/runs/search', { experiment_ids: [] })).json()).toEqual({});
  });

  test('are looked through to a limit', async () => {
    const [run] = (await fixture.runs.listRuns({ experimentUids: [uid] })).runs;
    fixture.runs.listRuns = async () => ({
      runs: Array(5000).fill(run) as never,
      nextCursor: 'more',
    });
    const response = await post('/runs/search', { experiment_ids: [uid] });
    expect(response.json()).toMatchObject({
      message: expect.stringContaining('More than 20000 runs'),
    });
  });
});

describe('artifacts', () => {
  const root = `demo/runs/${RUN}/artifacts`;

  test('pass through, and what passed is recorded', async () => {
    expect((await put(`${root}/a/model.onnx`, 'bytes')).statusCode).toBe(200);
    const { tags } = (await fixture.runs.getRun(RUN)) ?? { tags: {} };
    expect(artifactRecord(tags, 'a/model.onnx')).toEqual({
      path: 'a/model.onnx',
      digest: 'sha256:277089d91c0bdf4f2e6862ba7e4a07605119431f5d13f726dd352b06f1b206a9',
      sizeBytes: 5,
    });
    expect(artifactRecord(tags, 'other')).toBeUndefined();
    const read = await get(`${ARTIFACTS}/${root}/a/model.onnx`);
    expect(read.body).toBe('bytes');
    expect(read.headers).toMatchObject({
      'content-length': '5',
      'content-type': 'application/octet-stream',
      'content-disposition': 'attachment',
      'x-content-type-options': 'nosniff',
    });
    expect((await get(`${API}/runs/get?run_id=${RUN}`)).body).not.toContain('mlops.record');
  });

  test('are stored whatever type they say they are', async () => {
    const json = await put(`${root}/a.json`, '{broken', {
      ...trial,
      'content-type': 'application/json',
    });
    expect(json.statusCode).toBe(200);
    expect((await get(`${ARTIFACTS}/${root}/a.json`)).body).toBe('{broken');
  });

  test('are listed relative to the folder, or to the run', async () => {
    await put(`${root}/a/b.txt`, 'x');
    expect((await get(`${ARTIFACTS}?path=${root}`)).json()).toEqual({
      files: [{ path: 'a', is_dir: true }],
    });
    expect((await get(`${ARTIFACTS}?path=${root}/a`)).json()).toEqual({
      files: [{ path: 'b.txt', is_dir: false, file_size: 1 }],
    });
    expect((await get(`${API}/artifacts/list?run_id=${RUN}&path=a`)).json()).toEqual({
      root_uri: `mlflow-artifacts:/${root}`,
      files: [{ path: 'a/b.txt', is_dir: false, file_size: 1 }],
    });
    expect((await get(`${API}/artifacts/list?run_id=${RUN}`)).json()).toMatchObject({
      files: [{ path: 'a' }],
    });
  });

  test('are deleted with what was recorded of them', async () => {
    for (const path of ['a/b.txt', 'a/c.txt', 'd.txt']) await put(`${root}/${path}`, 'x');
    const remove = (path: string) =>
      fixture.app.inject({ method: 'DELETE', url: `${ARTIFACTS}/${root}${path}`, headers: trial });
    expect((await remove('/a')).statusCode).toBe(204);
    expect((await get(`${ARTIFACTS}?path=${root}`)).json()).toMatchObject({
      files: [{ path: 'd.txt' }],
    });
    expect(Object.keys((await fixture.runs.getRun(RUN))?.tags ?? {})).toHaveLength(1);
    expect((await remove('')).statusCode).toBe(204);
    expect((await fixture.runs.getRun(RUN))?.tags).toEqual({});
  });

  test('that declare more than the limit are refused before they are read', async () => {
    fixture.artifacts.put = async () => Promise.reject(new Error('must not be called'));
    const response = await put(`${root}/big`, 'x'.repeat(1025));
    expect(response.statusCode).toBe(413);
    expect(response.json()).toMatchObject({
      message: expect.stringContaining(
        '"big" has 1025 bytes, but an artifact may have at most 1024',
      ),
    });
  });

  test('that turn out to be larger than the limit leave nothing behind', async () => {
    const url = await fixture.app.listen({ host: '127.0.0.1', port: 0 });
    try {
      const body = new ReadableStream({
        pull: (controller) => controller.enqueue(new Uint8Array(600)),
      });
      const response = await fetch(`${url}${ARTIFACTS}/${root}/big`, {
        method: 'PUT',
        body,
        headers: trial,
        duplex: 'half',
      });
      expect(response.status).toBe(413);
      expect(response.headers.get('connection')).toBe('close');
      expect(await fixture.artifacts.stat(`${root}/big`)).toBeUndefined();
    } finally {
      await fixture.app.close();
    }
  });

  test('whose upload breaks off leave nothing behind', async () => {
    const url = await fixture.app.listen({ host: '127.0.0.1', port: 0 });
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    const put = fixture.artifacts.put.bind(fixture.artifacts);
    const outcome = new Promise<unknown>((resolve) => {
      fixture.artifacts.put = async (...args) => {
        const stored = put(...args);
        socket.destroy();
        stored.then(resolve, resolve);
        return stored;
      };
    });
    socket.write(
      `PUT ${ARTIFACTS}/${root}/half HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n` +
        `authorization: ${trial['authorization']}\r\n\r\nhalf`,
    );
    expect(await outcome).toMatchObject({ message: 'aborted' });
    expect(await fixture.artifacts.stat(`${root}/half`)).toBeUndefined();
    expect((await fixture.runs.getRun(RUN))?.tags).toEqual({});
    await fixture.app.close();
  });

  test.each([
    `demo/runs/${RUN}/artifacts/../../../other/x`,
    `demo/runs/${RUN}/artifacts/%2e%2e/x`,
    `demo/runs/${RUN}/artifacts/a%2f..%2f..%2fx`,
    `demo/runs/${RUN}/artifacts/%252e%252e/x`,
    `demo/runs/${RUN}/artifacts/a//b`,
    `demo/runs/${RUN}/artifacts/a%5cb`,
    `demo/runs/${RUN}/artifacts/a%00b`,
    `demo/runs/${RUN}/artifacts`,
    `demo/runs/${RUN}/models/x`,
    'demo/models/digits/1.0.0/model.onnx',
    '',
  ])('are refused at %s', async (path) => {
    const response = await put(path, 'x');
    expect([400, 404]).toContain(response.statusCode);
    for await (const { key } of fixture.artifacts.list('')) throw new Error(`${key} was written`);
  });

  test('of another tenant stay out of reach, whichever way the path is put together', async () => {
    for (const path of [
      `other/runs/${OTHER_RUN}/artifacts/x`,
      `demo/runs/${OTHER_RUN}/artifacts/x`,
      `other/runs/${RUN}/artifacts/x`,
    ]) {
      expect((await put(path, 'x')).statusCode).toBe(404);
      expect((await get(`${ARTIFACTS}/${path}`)).statusCode).toBe(404);
      expect((await get(`${ARTIFACTS}?path=${path}`)).statusCode).toBe(404);
    }
  });

  test('are not taken for a run that was deleted', async () => {
    await post('/runs/delete', { run_id: RUN });
    expect((await put(`${root}/x`, 'x')).json()).toMatchObject({
      message: expect.stringContaining('is deleted; restore it'),
    });
    expect(await fixture.artifacts.stat(`${root}/x`)).toBeUndefined();
  });

  test('that are missing say so', async () => {
    expect((await get(`${ARTIFACTS}/${root}/none`)).json()).toMatchObject({
      error_code: 'RESOURCE_DOES_NOT_EXIST',
    });
    expect((await get(`${ARTIFACTS}/${root}`)).json()).toMatchObject({
      error_code: 'INVALID_PARAMETER_VALUE',
    });
  });
});

describe('logged models', () => {
  type Made = { model: { info: { model_id: string; artifact_uri: string } } };
  const create = async (body: object = {}) =>
    (
      await post('/logged-models', { experiment_id: uid, source_run_id: RUN, name: 'm', ...body })
    ).json<Made>();
  const send = async (method: 'PATCH' | 'POST' | 'DELETE', path: string, payload: object = {}) =>
    fixture.app.inject({ method, url: `${API}/logged-models/${path}`, payload, headers: trial });

  test('lie among the run’s artifacts, each in a folder of its own', async () => {
    const first = (await create()).model.info;
    const second = (await create()).model.info;
    expect(first.artifact_uri).toBe(`mlflow-artifacts:/demo/runs/${RUN}/artifacts/m`);
    expect(second.artifact_uri).toBe(`${first.artifact_uri}-${second.model_id.slice(-12)}`);
    expect(first.model_id).toMatch(/^m-a{32}[0-9a-f]{12}$/);
  });

  test('are tagged, given params, finished, found and forgotten', async () => {
    const { model_id: id } = (await create({ params: [{ key: 'p', value: '1' }] })).model.info;
    await send('PATCH', `${id}/tags`, { tags: [{ key: 't', value: 'x' }] });
    await send('POST', `${id}/params`, { params: [{ key: 'q', value: '2' }] });
    await send('PATCH', id, { status: 'LOGGED_MODEL_READY' });
    await post('/runs/outputs', { run_id: RUN, models: [{ model_id: id, step: 3 }] });
    expect((await get(`${API}/logged-models/${id}`)).json()).toMatchObject({
      model: {
        info: { status: 'LOGGED_MODEL_READY', tags: [{ key: 't', value: 'x' }] },
        data: {
          params: [
            { key: 'p', value: '1' },
            { key: 'q', value: '2' },
          ],
        },
      },
    });
    expect((await get(`${API}/runs/get?run_id=${RUN}`)).json()).toMatchObject({
      run: { outputs: { model_outputs: [{ model_id: id, step: 3 }] } },
    });
    const search = {
      experiment_ids: [uid],
      filter: "name = 'm'",
      order_by: [{ field_name: 'name', ascending: false }],
    };
    expect((await post('/logged-models/search', search)).json()).toMatchObject({
      models: [{ info: { model_id: id } }],
    });
    expect((await post('/logged-models/search', { experiment_ids: [] })).json()).toEqual({});
    expect((await send('DELETE', id)).statusCode).toBe(200);
    expect((await get(`${API}/logged-models/${id}`)).statusCode).toBe(404);
  });

  test.each([
    [{ source_run_id: '' }, 'call log_model between'],
    [{ name: '../x' }, 'name is refused'],
  ])('are refused with %j', async (body, message) => {
    expect(await create(body)).toMatchObject({ message: expect.stringContaining(message) });
  });

  test('of other tenants are not found, nor are ids that are none', async () => {
    for (const id of [`m-${OTHER_RUN}${'0'.repeat(12)}`, 'm-1', 'x']) {
      expect((await get(`${API}/logged-models/${id}`)).json()).toMatchObject({
        error_code: 'RESOURCE_DOES_NOT_EXIST',
      });
    }
  });
});
