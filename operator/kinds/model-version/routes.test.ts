import { beforeEach, describe, expect, test } from '@jest/globals';
import { LABELS } from '../../../crds/schema/names.ts';
import { parseArtifactGrant } from '../../../serving-runtime/protocol/artifact-grant.ts';
import { apiFixture, given, person, pod } from '../../api/testing/api-fixture.ts';
import type { Fixture } from '../../api/testing/api-fixture.ts';

const DIGEST = `sha256:${'0'.repeat(64)}`;
const URL = '/api/v1/namespaces/demo/modelversions/digits-1/artifact';
const KEY = 'demo/models/digits/1.0.0/model.onnx';
const SERVING = { [LABELS.deployment]: 'digits', [LABELS.modelVersion]: 'digits-1' };

let fixture: Fixture;
const bytes = async function* () {
  yield Buffer.from('bytes');
};

const version = (spec: object = {}, status: object = { digest: DIGEST }) =>
  given(
    fixture,
    'ModelVersion',
    { namespace: 'demo', name: 'digits-1' },
    { spec: { storageUri: `s3://models/${KEY}`, ...spec }, status },
  );

const serving = async () =>
  fixture.app.inject({ url: URL, headers: await pod(fixture, 'demo', 'p', SERVING) });

beforeEach(async () => {
  fixture = await apiFixture();
  await fixture.artifacts.put(KEY, bytes(), { maxBytes: 100 });
});

describe('the artifact endpoint', () => {
  test('gives the pod that serves a version its URL, digest and size', async () => {
    await version();
    const response = await serving();
    expect(response.statusCode).toBe(200);
    expect(response.json()).toEqual({
      url: `memory://${KEY}?expires=300`,
      digest: DIGEST,
      sizeBytes: 5,
      expiresAt: '2026-01-02T03:09:05.000Z',
    });
    expect(parseArtifactGrant(response.json())).toBeDefined();
  });

  test('holds the bytes to the digest that was stated before the one that was read', async () => {
    const stated = `sha256:${'1'.repeat(64)}`;
    await version({ verification: { digest: stated } });
    expect((await serving()).json()).toMatchObject({ digest: stated });
  });

  test('redirects who asks for it', async () => {
    await version();
    const headers = await pod(fixture, 'demo', 'p', SERVING);
    const response = await fixture.app.inject({ url: `${URL}?redirect=true`, headers });
    expect([response.statusCode, response.headers.location]).toEqual([
      307,
      `memory://${KEY}?expires=300`,
    ]);
  });

  test.each([
    ['another version', 'demo', { ...SERVING, [LABELS.modelVersion]: 'digits-2' }],
    ['another namespace', 'other', SERVING],
    ['no Deployment', 'demo', { [LABELS.modelVersion]: 'digits-1' }],
    ['an Experiment', 'demo', { [LABELS.experiment]: 'digits-1' }],
  ])('refuses a pod that serves %s', async (_what, namespace, labels) => {
    await version();
    const headers = await pod(fixture, namespace, 'p', labels);
    expect((await fixture.app.inject({ url: URL, headers })).statusCode).toBe(403);
  });

  test('knows a pod by the shortened label of a version with a long name', async () => {
    const name = 'v'.repeat(253);
    await given(
      fixture,
      'ModelVersion',
      { namespace: 'demo', name },
      { spec: { storageUri: `s3://models/${KEY}` }, status: { digest: DIGEST } },
    );
    const labels = { ...SERVING, [LABELS.modelVersion]: `${'v'.repeat(54)}-185791b3` };
    const headers = await pod(fixture, 'demo', 'p', labels);
    const url = URL.replace('digits-1', name);
    expect((await fixture.app.inject({ url, headers })).statusCode).toBe(200);
  });

  test('asks people for get on modelversions/artifact', async () => {
    await version();
    const headers = person(fixture, 'ada');
    fixture.cluster.allows = (_user, { verb, resource, subresource, name }) =>
      [verb, resource, subresource, name].join() === 'get,modelversions,artifact,digits-1';
    expect((await fixture.app.inject({ url: URL, headers })).statusCode).toBe(200);
    fixture.pass(10_000);
    fixture.cluster.allows = (_user, { subresource }) => subresource === undefined;
    const refused = await fixture.app.inject({ url: URL, headers });
    expect(refused.json()).toMatchObject({
      detail: expect.stringContaining('may not get modelversions/artifact'),
    });
  });

  test.each([
    ['another bucket', { storageUri: 's3://theirs/x' }, 409, 'UriNotAllowed'],
    ['another namespace', { storageUri: 's3://models/other/x' }, 409, 'UriNotAllowed'],
    ['a way out', { storageUri: 's3://models/demo/../other/x' }, 409, 'UriNotAllowed'],
    ['a folder', { storageUri: 's3://models/demo/x/' }, 409, 'NotBundled'],
    ['the web', { storageUri: 'https://example.com/x' }, 409, 'NotBundled'],
    ['storage of its own', { secretRef: { name: 's' } }, 409, 'NotBundled'],
    ['nothing', { storageUri: 's3://models/demo/none' }, 404, 'NotFound'],
  ])('refuses a version that points to %s', async (_what, spec, status, code) => {
    await version(spec);
    expect((await serving()).json()).toMatchObject({ status, code });
  });

  test('says what to do when the version is not there or was not read yet', async () => {
    expect((await serving()).json()).toMatchObject({ code: 'NotFound' });
    fixture = await apiFixture();
    await version({}, {});
    expect((await serving()).json()).toMatchObject({ status: 409, code: 'NotReady' });
  });
});
