import { beforeEach, describe, expect, test } from '@jest/globals';
import { modelExample } from '../../crds/testing/example-manifests.ts';
import { ApiError } from '../runtime/cluster.ts';
import type { ResourceQuery } from '../store/search.ts';
import { InvalidQuery } from '../store/search.ts';
import { DatabaseUnavailable } from '../store/database-error.ts';
import { apiFixture, given, person } from './testing/api-fixture.ts';
import type { Fixture } from './testing/api-fixture.ts';

const MODELS = '/api/v1/namespaces/demo/models';
const model = (name: string, more: object = {}): object => ({
  ...modelExample,
  metadata: { name, ...more },
});

let fixture: Fixture;
let ada: { readonly authorization: string };

const send = (
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  url: string,
  payload?: object,
  headers = ada,
) => fixture.app.inject({ method, url, headers, ...(payload === undefined ? {} : { payload }) });

beforeEach(async () => {
  fixture = await apiFixture();
  ada = person(fixture, 'ada');
  fixture.cluster.allows = (user, action) => user === 'ada' && action.namespace === 'demo';
});

describe('who may come in', () => {
  test('answers 401 with a problem that says what to send', async () => {
    const response = await fixture.app.inject({ url: MODELS });
    expect(response.statusCode).toBe(401);
    expect(response.headers).toMatchObject({
      'www-authenticate': 'Bearer',
      'content-type': 'application/problem+json; charset=utf-8',
      'cache-control': 'no-store',
    });
    const problem: Record<string, unknown> = response.json();
    expect(problem).toMatchObject({ title: 'Unauthorized', status: 401, code: 'Unauthorized' });
    expect(problem['instance']).toBe(`urn:request:${String(response.headers['x-request-id'])}`);
  });

  test('answers 403 that names the permission, before looking whether there is anything', async () => {
    const response = await send('GET', '/api/v1/namespaces/other/models/digits');
    expect(response.statusCode).toBe(403);
    expect(response.json()).toMatchObject({
      code: 'Forbidden',
      detail:
        '"ada" may not get models.mlops.pynomaly.io "digits" in namespace other; ask for a Role that allows it.',
    });
  });

  test('asks again for a permission after ten seconds', async () => {
    await send('GET', MODELS);
    await send('GET', MODELS);
    expect(fixture.cluster.accessReviews).toBe(1);
    fixture.cluster.allows = () => false;
    fixture.pass(10_000);
    expect((await send('GET', MODELS)).statusCode).toBe(403);
  });

  test('never writes a token to the log', async () => {
    await send('GET', MODELS, undefined, { authorization: 'Bearer very-secret' });
    await send('GET', `${MODELS}/none`);
    expect(fixture.lines.length).toBeGreaterThan(1);
    expect(fixture.lines.join('')).not.toContain('very-secret');
    expect(fixture.lines.join('')).not.toContain('Bearer');
  });

  test('answers 503 when the cluster cannot review', async () => {
    fixture.cluster.failure = new ApiError(500, 'InternalError', 'etcd', { retryAfterSeconds: 7 });
    const response = await send('GET', MODELS);
    expect(response.statusCode).toBe(503);
    expect(response.headers['retry-after']).toBe('7');
    expect(response.json()).toMatchObject({ code: 'ClusterUnavailable' });
  });
});

describe('reading', () => {
  test('gets what the cluster has, without managed fields', async () => {
    await given(
      fixture,
      'Model',
      { namespace: 'demo', name: 'digits' },
      { spec: { task: 'other' } },
    );
    const response = await send('GET', `${MODELS}/digits`);
    expect(response.statusCode).toBe(200);
    expect(response.json()).toMatchObject({ kind: 'Model', spec: { task: 'other' } });
    expect(response.body).not.toContain('managedFields');
  });

  test('says what is not there', async () => {
    const response = await send('GET', `${MODELS}/digits`);
    expect(response.statusCode).toBe(404);
    expect(response.json()).toMatchObject({
      code: 'NotFound',
      detail: expect.stringContaining('"digits"'),
    });
  });

  test('lists one namespace', async () => {
    await given(fixture, 'Model', { namespace: 'demo', name: 'a' });
    await given(fixture, 'Model', { namespace: 'other', name: 'b' });
    const { items } = (await send('GET', MODELS)).json<{
      items: { metadata: { name: string } }[];
    }>();
    expect(items.map(({ metadata }) => metadata.name)).toEqual(['a']);
  });

  test('lists of all namespaces those the caller may list', async () => {
    await given(fixture, 'Model', { namespace: 'demo', name: 'a' });
    await given(fixture, 'Model', { namespace: 'other', name: 'b' });
    const names = async () =>
      (await send('GET', '/api/v1/models'))
        .json<{ items: { metadata: { name: string } }[] }>()
        .items.map(({ metadata }) => metadata.name);
    expect(await names()).toEqual(['a']);
    fixture.pass(10_000);
    fixture.cluster.allows = () => true;
    expect(await names()).toEqual(['a', 'b']);
  });

  test('hands the way to the next page through', async () => {
    const asked: unknown[] = [];
    fixture.cluster.list = async (_type, options) => {
      asked.push(options);
      return { items: [], resourceVersion: '1', continueToken: 'next' };
    };
    const response = await send('GET', `${MODELS}?limit=2&cursor=here&labelSelector=a%3Db`);
    expect(response.json()).toEqual({ items: [], nextCursor: 'next' });
    expect(asked).toEqual([
      { namespace: 'demo', limit: 2, labelSelector: 'a=b', continueToken: 'here' },
    ]);
  });

  test.each([
    ['a limit of a million', `${MODELS}?limit=1000000`],
    ['a name with a way out', '/api/v1/namespaces/demo/models/..%2f..%2fsecrets'],
    ['a namespace that is none', '/api/v1/namespaces/De_mo/models'],
  ])('refuses %s', async (_what, url) => {
    const response = await send('GET', url);
    expect(response.statusCode).toBe(400);
    expect(response.json()).toMatchObject({ code: 'InvalidRequest' });
  });

  test('says what there is where a path leads nowhere', async () => {
    const response = await send('GET', '/api/v1/namespaces/demo/secrets?token=x');
    expect(response.statusCode).toBe(404);
    expect(response.json()).toMatchObject({
      detail: 'There is no GET /api/v1/namespaces/demo/secrets; /openapi.json lists what there is.',
    });
  });
});

describe('writing', () => {
  test('creates in the name of the caller', async () => {
    const response = await send('POST', MODELS, model('digits', { labels: { a: 'b' } }));
    expect(response.statusCode).toBe(201);
    expect(response.json()).toMatchObject({
      metadata: {
        name: 'digits',
        namespace: 'demo',
        labels: { a: 'b' },
        annotations: { 'mlops.pynomaly.io/requested-by': 'ada' },
      },
      spec: modelExample.spec,
    });
    expect((await send('POST', MODELS, model('digits'))).json()).toMatchObject({
      status: 409,
      code: 'AlreadyExists',
    });
  });

  test('overwrites a requested-by that the caller made up, and keeps other annotations', async () => {
    const annotations = { 'mlops.pynomaly.io/requested-by': 'root', note: 'x' };
    const response = await send('PUT', `${MODELS}/digits`, model('digits', { annotations }));
    expect(response.json()).toMatchObject({
      metadata: { annotations: { 'mlops.pynomaly.io/requested-by': 'ada', note: 'x' } },
    });
  });

  test('applies twice with the same effect, and drops what is left out', async () => {
    await send('PUT', `${MODELS}/digits`, model('digits'));
    const { spec: _spec, ...bare } = model('digits') as { readonly spec: unknown };
    const response = await send('PUT', `${MODELS}/digits`, { ...bare, spec: { task: 'other' } });
    expect(response.statusCode).toBe(200);
    expect(response.json<{ spec: object }>().spec).toEqual({ task: 'other' });
  });

  test('stores nothing on a dry run', async () => {
    expect((await send('PUT', `${MODELS}/digits?dryRun=true`, model('digits'))).statusCode).toBe(
      200,
    );
    expect((await send('GET', `${MODELS}/digits`)).statusCode).toBe(404);
  });

  test('needs patch to change and create as well to create', async () => {
    fixture.cluster.allows = (_user, action) => action.verb === 'patch';
    const response = await send('PUT', `${MODELS}/digits`, model('digits'));
    expect(response.json()).toMatchObject({
      code: 'Forbidden',
      detail: expect.stringContaining('may not create'),
    });
    await given(fixture, 'Model', { namespace: 'demo', name: 'digits' });
    expect((await send('PUT', `${MODELS}/digits`, model('digits'))).statusCode).toBe(200);
  });

  test('writes in no namespace but the one in the path', async () => {
    const response = await send('PUT', `${MODELS}/digits`, model('digits', { namespace: 'other' }));
    expect(response.json()).toMatchObject({
      code: 'Invalid',
      errors: [{ pointer: '/metadata/namespace', detail: 'is "other", but must be "demo" here' }],
    });
  });

  test('refuses owners and finalizers, which would be the operator’s', async () => {
    const metadata = {
      ownerReferences: [{ apiVersion: 'v1', kind: 'Secret', name: 'x', uid: 'y' }],
      finalizers: ['a/b'],
    };
    const response = await send('POST', MODELS, model('digits', metadata));
    expect(response.statusCode).toBe(422);
    expect(
      response.json<{ errors: { pointer: string }[] }>().errors.map(({ pointer }) => pointer),
    ).toEqual(['/metadata/ownerReferences', '/metadata/finalizers']);
  });

  test('never writes status', async () => {
    const body = { ...model('digits'), status: { latestVersion: '9.9.9' } };
    expect((await send('PUT', `${MODELS}/digits`, body)).json()).not.toHaveProperty('status');
  });

  test('names every fault with its place', async () => {
    const body = {
      ...model('digits', { labels: { a: 1 }, annotations: ['x'] }),
      kind: 'Secret',
      spec: { task: 'guessing', onwer: 'ada' },
    };
    const response = await send('POST', MODELS, body);
    expect(response.statusCode).toBe(422);
    const { detail, errors } = response.json<{ detail: string; errors: unknown[] }>();
    expect(errors).toEqual(
      expect.arrayContaining([
        { pointer: '/kind', detail: 'is "Secret", but must be "Model" here' },
        { pointer: '/metadata/labels', detail: 'must map names to strings' },
        { pointer: '/metadata/annotations', detail: 'must map names to strings' },
        { pointer: '/spec', detail: 'has an unknown field "onwer"' },
      ]),
    );
    expect(detail).toContain('This is not a valid Model');
    expect(detail).toContain('/spec/task must be one of ["classification"');
  });

  test.each([
    ['a list', []],
    ['no name', { metadata: {} }],
  ])('refuses a body that is %s', async (_what, body) => {
    expect((await send('POST', MODELS, body)).statusCode).toBeGreaterThanOrEqual(400);
  });

  test.each([
    ['is not JSON', 'application/json', '{', [400, 'InvalidRequest']],
    ['is of another type', 'text/plain', 'x', [415, 'UnsupportedMediaType']],
    [
      'is larger than a manifest can be',
      'application/json',
      `"${'x'.repeat(1024 * 1024)}"`,
      [413, 'TooLarge'],
    ],
  ])('refuses a body that %s', async (_what, type, payload, want) => {
    const headers = { ...ada, 'content-type': type };
    const response = await fixture.app.inject({ method: 'POST', url: MODELS, headers, payload });
    expect([response.statusCode, response.json<{ code: string }>().code]).toEqual(want);
  });

  test.each([
    [new ApiError(422, 'Invalid', 'spec.version: must be SemVer'), 422, 'Invalid'],
    [new ApiError(403, 'Forbidden', 'exceeded quota'), 403, 'Forbidden'],
    [new ApiError(409, 'Conflict', 'the object has been modified'), 409, 'Conflict'],
    [new ApiError(429, 'TooManyRequests', 'slow down'), 503, 'ClusterUnavailable'],
    [new Error('a bug'), 500, 'Internal'],
  ])('passes on what the cluster says: %s', async (error, status, code) => {
    fixture.cluster.apply = async () => Promise.reject(error);
    const response = await send('PUT', `${MODELS}/digits`, model('digits'));
    expect(response.json()).toMatchObject({ status, code });
    if (status < 500) expect(response.body).toContain(error.message);
    else expect(response.body).not.toContain(error.message);
  });

  test('deletes, after marking who asked', async () => {
    await given(fixture, 'Model', { namespace: 'demo', name: 'digits', finalizers: ['a/b'] });
    const response = await send('DELETE', `${MODELS}/digits`);
    expect(response.statusCode).toBe(202);
    expect((await send('GET', `${MODELS}/digits`)).json()).toMatchObject({
      metadata: {
        deletionTimestamp: '2026-01-02T03:04:05Z',
        annotations: { 'mlops.pynomaly.io/requested-by': 'ada' },
      },
    });
    expect((await send('DELETE', `${MODELS}/none`)).statusCode).toBe(404);
  });

  test('keeps annotations when it marks, and is content when somebody else deletes first', async () => {
    const annotations = { note: 'x' };
    await given(fixture, 'Model', {
      namespace: 'demo',
      name: 'digits',
      annotations,
      finalizers: ['a/b'],
    });
    await send('DELETE', `${MODELS}/digits`);
    expect((await send('GET', `${MODELS}/digits`)).json()).toMatchObject({
      metadata: { annotations: { note: 'x', 'mlops.pynomaly.io/requested-by': 'ada' } },
    });
    fixture.cluster.patch = async () => Promise.reject(new ApiError(404, 'NotFound', 'gone'));
    expect((await send('DELETE', `${MODELS}/digits`)).statusCode).toBe(202);
    fixture.cluster.patch = async () => Promise.reject(new ApiError(409, 'Conflict', 'changed'));
    expect((await send('DELETE', `${MODELS}/digits`)).statusCode).toBe(409);
  });
});

describe('search and history', () => {
  const asked: ResourceQuery[] = [];
  let failure: Error | undefined;
  const answer = async <T>(value: T): Promise<T> => {
    if (failure !== undefined) throw failure;
    return value;
  };

  beforeEach(async () => {
    asked.length = 0;
    failure = undefined;
    fixture = await apiFixture({
      search: {
        search: async (query) => {
          asked.push(query);
          return answer({ items: [], nextCursor: 'more' });
        },
        get: async () => undefined,
        history: async (query) => answer({ items: [query as never] }),
      },
    });
    person(fixture, 'ada');
    fixture.cluster.allows = (_user, action) => action.namespace === 'demo';
    const namespaces = {
      items: ['demo', 'other'].map((name) => ({
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name },
      })),
    };
    fixture.cluster.list = async (_type, options) =>
      options?.continueToken === undefined
        ? ({ ...namespaces, resourceVersion: '1', continueToken: 'x' } as never)
        : { items: [], resourceVersion: '1' };
  });

  test('searches only namespaces the caller may list', async () => {
    const response = await send(
      'GET',
      '/api/v1/search?q=digits&kind=Model&sort=-updatedAt&label=a%3Db&field=spec.task%3Dother',
    );
    expect(response.json()).toEqual({ items: [], nextCursor: 'more' });
    expect(asked).toEqual([
      {
        q: 'digits',
        kinds: ['Model'],
        namespaces: ['demo'],
        labels: { a: 'b' },
        fields: { 'spec.task': 'other' },
        sort: { by: 'updatedAt', direction: 'desc' },
      },
    ]);
  });

  test('searches everywhere for who may list everywhere', async () => {
    fixture.cluster.allows = () => true;
    await send('GET', '/api/v1/search?ready=False&limit=5&sort=name');
    expect(asked).toMatchObject([
      { namespaces: 'all', ready: 'False', limit: 5, sort: { direction: 'asc' } },
    ]);
  });

  test('asks the store nothing for who may list nothing', async () => {
    fixture.cluster.allows = () => false;
    expect((await send('GET', '/api/v1/search')).json()).toEqual({ items: [] });
    expect(asked).toEqual([]);
  });

  test('refuses a namespace that is not the caller’s', async () => {
    expect((await send('GET', '/api/v1/search?namespace=other&kind=Model')).statusCode).toBe(403);
    expect((await send('GET', '/api/v1/search?namespace=demo&kind=Model')).statusCode).toBe(200);
    expect((await send('GET', '/api/v1/search?kind=Secret')).statusCode).toBe(400);
  });

  test('gives the history of an object, also when it is gone', async () => {
    const response = await send('GET', `${MODELS}/digits/history?limit=3`);
    expect(response.json()).toEqual({
      items: [{ kind: 'Model', namespace: 'demo', name: 'digits', limit: 3 }],
    });
  });

  test('answers 503 with a time to come back while the database is away', async () => {
    failure = new DatabaseUnavailable('search', new Error('ECONNREFUSED 10.0.0.1'));
    for (const url of [`${MODELS}/digits/history`, '/api/v1/search?namespace=demo']) {
      const response = await send('GET', url);
      expect(response.statusCode).toBe(503);
      expect(response.headers['retry-after']).toBe('5');
      expect(response.json()).toMatchObject({ code: 'DatabaseUnavailable' });
      expect(response.body).not.toContain('10.0.0.1');
    }
  });

  test('says which part of a query is wrong', async () => {
    failure = new InvalidQuery('cursor', 'The cursor belongs to another query.');
    expect((await send('GET', '/api/v1/search?cursor=x')).json()).toMatchObject({
      status: 400,
      errors: [{ pointer: '/query/cursor', detail: 'The cursor belongs to another query.' }],
    });
  });
});
