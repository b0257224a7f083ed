import { beforeEach, describe, expect, test } from '@jest/globals';
import { modelAlias } from '../../../../crds/schema/model-alias.ts';
import type { ModelAlias } from '../../../../crds/schema/model-alias.ts';
import { modelVersion } from '../../../../crds/schema/model-version.ts';
import type { ModelVersion } from '../../../../crds/schema/model-version.ts';
import { ownType } from '../../../runtime/own-type.ts';
import { apiFixture, given, person } from '../../testing/api-fixture.ts';
import type { Fixture } from '../../testing/api-fixture.ts';

const API = '/api/2.0/mlflow';
const ARTIFACTS = '/api/2.0/mlflow-artifacts/artifacts';
const RUN = 'a'.repeat(32);
const MODEL_VERSION = ownType(modelVersion);
const MODEL_ALIAS = ownType(modelAlias);

let fixture: Fixture;
let ada: Readonly<Record<string, string>>;

const post = (path: string, payload: object) =>
  fixture.app.inject({ method: 'POST', url: `${API}/${path}`, payload, headers: ada });
const get = (url: string, headers: object = {}) =>
  fixture.app.inject({ url, headers: { ...ada, ...headers } });

const upload = (path: string, payload: string) =>
  fixture.app.inject({
    method: 'PUT',
    url: `${ARTIFACTS}/demo/runs/${RUN}/artifacts/${path}`,
    payload,
    headers: { ...ada, 'content-type': 'application/octet-stream' },
  });

const version = async (name: string): Promise<ModelVersion | undefined> =>
  fixture.cluster.get<ModelVersion>(MODEL_VERSION, { namespace: 'demo', name });

const register = () =>
  post('model-versions/create', { name: 'digits', source: `runs:/${RUN}/model` });

const numbers = async (): Promise<readonly string[]> => {
  const found = await get(`${API}/model-versions/search?order_by=version_number ASC`);
  const { model_versions: versions = [] } = found.json<{
    model_versions?: readonly { readonly version: string }[];
  }>();
  return versions.map((each) => each.version);
};

beforeEach(async () => {
  fixture = await apiFixture();
  ada = { ...person(fixture, 'ada'), 'x-mlflow-workspace': 'demo' };
  fixture.cluster.allows = () => true;
  const { metadata } = await given(fixture, 'Experiment', { namespace: 'demo', name: 'train' });
  await fixture.runs.createRun({
    runId: RUN,
    experiment: { uid: metadata.uid ?? '', namespace: 'demo', name: 'train' },
    name: 'r',
    userId: 'ada',
    startTime: 1,
  });
  await fixture.runs.logBatch(RUN, {
    metrics: [{ key: 'accuracy', value: 0.9, timestamp: 1, step: 0 }],
  });
  await upload('model/MLmodel', 'flavors: {}');
  await upload('model/model.onnx', 'graph');
});

describe('registering', () => {
  beforeEach(async () => {
    await post('registered-models/create', { name: 'digits' });
  });

  test('makes a ModelVersion as the caller, with a SemVer beside the integer', async () => {
    expect((await register()).json()).toMatchObject({
      model_version: { version: '1', run_id: RUN },
    });
    expect(await version('digits-1.0.0')).toMatchObject({
      metadata: {
        labels: {
          'mlops.pynomaly.io/model': 'digits',
          'mlops.pynomaly.io/mlflow-version': '1',
        },
        annotations: { 'mlops.pynomaly.io/requested-by': 'ada' },
      },
      spec: {
        modelRef: { name: 'digits' },
        version: '1.0.0',
        // The graph alone can be served; `printf graph | sha256sum`.
        storageUri: 's3://models/demo/models/digits/1.0.0/mlflow-1/model.onnx',
        modelFormat: { name: 'onnx' },
        verification: {
          digest: 'sha256:eef93e1d14482804277fca0172464032d1a4fdbcc338524059fa1e861454ad4d',
        },
        source: { experimentRef: { name: 'train' }, runId: RUN },
        metrics: [{ name: 'accuracy', value: 0.9 }],
        deletionPolicy: 'Delete',
      },
    });
    await register();
    expect(await version('digits-1.1.0')).toMatchObject({
      metadata: { labels: { 'mlops.pynomaly.io/mlflow-version': '2' } },
    });
  });

  test('gives ten at once ten integers and ten SemVers', async () => {
    await Promise.all(Array.from({ length: 10 }, register));
    expect(await numbers()).toEqual(['1', '2', '3', '4', '5', '6', '7', '8', '9', '10']);
    const { items } = await fixture.cluster.list<ModelVersion>(MODEL_VERSION);
    expect(new Set(items.map(({ spec }) => spec.version)).size).toBe(10);
  });

  test('never gives an integer again', async () => {
    await register();
    await register();
    await fixture.app.inject({
      method: 'DELETE',
      url: `${API}/model-versions/delete`,
      payload: { name: 'digits', version: '2' },
      headers: ada,
    });
    expect((await register()).json()).toMatchObject({ model_version: { version: '3' } });
  });

  test('needs the verb create, and writes nothing without it', async () => {
    fixture.cluster.allows = (_user, { verb, resource }) =>
      !(verb === 'create' && resource === 'modelversions');
    const refused = await register();
    expect(refused.statusCode).toBe(403);
    expect(refused.json()).toMatchObject({
      error_code: 'PERMISSION_DENIED',
      message: expect.stringContaining('"ada" may not create modelversions'),
    });
    expect((await fixture.cluster.list(MODEL_VERSION)).items).toEqual([]);
    const left = await fixture.artifacts.listFolder('demo/models/');
    expect(left.folders).toEqual([]);
  });

  test('leaves what lies elsewhere where it is', async () => {
    const source = 's3://of-ours/a/model.onnx';
    await post('model-versions/create', { name: 'digits', source });
    expect((await version('digits-1.0.0'))?.spec).toMatchObject({
      storageUri: source,
      deletionPolicy: 'Retain',
    });
  });
});

describe('versions that came another way', () => {
  const made = (name: string, number?: string) =>
    given(
      fixture,
      'ModelVersion',
      {
        namespace: 'demo',
        name,
        ...(number === undefined ? {} : { labels: { 'mlops.pynomaly.io/mlflow-version': number } }),
      },
      {
        spec: {
          modelRef: { name: 'digits' },
          version: name.replace('digits-', ''),
          storageUri: 's3://models/demo/own/model.onnx',
          modelFormat: { name: 'onnx' },
        },
      },
    );

  beforeEach(async () => {
    await given(fixture, 'Model', { namespace: 'demo', name: 'digits' }, { spec: {} });
  });

  test('get integers by age when a client looks, and keep them', async () => {
    await made('digits-2.0.0');
    fixture.pass(1000);
    await made('digits-1.0.0');
    expect(await numbers()).toEqual(['1', '2']);
    expect(await version('digits-2.0.0')).toMatchObject({
      metadata: { labels: { 'mlops.pynomaly.io/mlflow-version': '1' } },
    });
    expect(await numbers()).toEqual(['1', '2']);
  });

  test('get another integer when their manifest was copied with its label', async () => {
    await made('digits-1.0.0', '1');
    fixture.pass(1000);
    await made('digits-1.1.0', '1');
    await made('digits-1.2.0', 'x');
    expect(await numbers()).toEqual(['1', '2', '3']);
  });

  test('are downloaded as one file, and no file beside it', async () => {
    const { artifacts } = fixture;
    for (const name of ['model.onnx', 'secret']) {
      const bytes = (async function* () {
        yield Buffer.from(name);
      })();
      await artifacts.put(`demo/own/${name}`, bytes, { maxBytes: 100 });
    }
    await made('digits-1.0.0');
    const root = 'demo/versions/digits-1.0.0';
    expect((await get(`${ARTIFACTS}?path=${root}`)).json()).toEqual({
      files: [{ path: 'model.onnx', is_dir: false, file_size: 10 }],
    });
    expect((await get(`${ARTIFACTS}/${root}/secret`)).statusCode).toBe(404);
    expect((await get(`${ARTIFACTS}/${root}/../secret`)).statusCode).not.toBe(200);
  });
});

describe('a registered version', () => {
  beforeEach(async () => {
    await post('registered-models/create', { name: 'digits' });
    await register();
  });

  test('is downloaded whole, also in parts', async () => {
    const uri = (await get(`${API}/model-versions/get-download-uri?name=digits&version=1`)).json<{
      artifact_uri: string;
    }>().artifact_uri;
    expect(uri).toBe('mlflow-artifacts:/demo/versions/digits-1.0.0');
    const file = `${ARTIFACTS}/demo/versions/digits-1.0.0/model.onnx`;
    expect((await get(`${ARTIFACTS}/demo/versions/digits-1.0.0/MLmodel`)).body).toBe('flavors: {}');
    const whole = await get(file);
    expect(whole.headers).toMatchObject({ 'accept-ranges': 'bytes', 'content-length': '5' });
    const rest = await get(file, { range: 'bytes=2-', 'if-range': whole.headers['etag'] });
    expect([rest.statusCode, rest.headers['content-range'], rest.body]).toEqual([
      206,
      'bytes 2-4/5',
      'aph',
    ]);
    const changed = await get(file, { range: 'bytes=2-', 'if-range': '"old"' });
    expect([changed.statusCode, changed.body]).toEqual([200, 'graph']);
    expect((await get(file, { range: 'bytes=9-' })).statusCode).toBe(416);
  });

  test('shows its bytes only to who may have them', async () => {
    fixture.cluster.allows = (_user, { subresource }) => subresource !== 'artifact';
    const refused = await get(`${ARTIFACTS}/demo/versions/digits-1.0.0/MLmodel`);
    expect(refused.statusCode).toBe(403);
    const copy = await post('model-versions/create', {
      name: 'digits',
      source: 'models:/digits/1',
    });
    expect(copy.statusCode).toBe(403);
  });

  test('has an alias that is a ModelAlias, which stays where it is pinned', async () => {
    await post('registered-models/alias', { name: 'digits', alias: 'champion', version: '1' });
    const key = { namespace: 'demo', name: 'digits-champion' };
    expect(await fixture.cluster.get<ModelAlias>(MODEL_ALIAS, key)).toMatchObject({
      metadata: { annotations: { 'mlops.pynomaly.io/requested-by': 'ada' } },
      spec: { modelRef: { name: 'digits' }, alias: 'champion', version: '1.0.0' },
    });
    await register();
    await fixture.cluster.patch(
      MODEL_ALIAS,
      key,
      [{ op: 'add', path: '/spec/pinned', value: true }],
      { fieldManager: 'kubectl' },
    );
    const moved = await post('registered-models/alias', {
      name: 'digits',
      alias: 'champion',
      version: '2',
    });
    expect(moved.statusCode).toBe(409);
    expect(moved.json()).toMatchObject({
      message: expect.stringContaining('pinned to version 1.0.0'),
    });
  });
});
