import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { KubeConfig } from '@kubernetes/client-node';
import { isConflict } from './cluster.ts';
import { GarbageError } from './json-lines.ts';
import { CONFIG_MAP } from './kubernetes-types.ts';
import { KubernetesCluster } from './kubernetes-cluster.ts';
import { configMap } from './testing/objects.ts';

const KEY = { namespace: 'team', name: 'a' };
const BY = { fieldManager: 'test' };

type Asked = {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
};

let asked: Asked[];
let answer: (response: ServerResponse) => void;
let calls: string[];
let sockets: number;
let cluster: KubernetesCluster;
let close: () => Promise<void>;

const json = (code: number, body: unknown, headers: Record<string, string> = {}) => {
  answer = (response) => response.writeHead(code, headers).end(JSON.stringify(body));
};
const caught = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => undefined,
    (error: unknown) => error,
  );

beforeEach(async () => {
  asked = [];
  calls = [];
  sockets = 0;
  const server = createServer(({ method = '', url = '', headers }, response) => {
    asked.push({ method, url, headers });
    answer(response);
  });
  server.on('connection', () => (sockets += 1));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  close = () =>
    new Promise((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
  const config = new KubeConfig();
  config.loadFromOptions({
    clusters: [{ name: 'c', server: `http://127.0.0.1:${port}/`, skipTLSVerify: true }],
    users: [{ name: 'u', token: 'secret' }],
    contexts: [{ name: 'x', cluster: 'c', user: 'u' }],
    currentContext: 'x',
  });
  cluster = new KubernetesCluster(config, {
    called: (verb, resource, code) => void calls.push(`${verb} ${resource} ${code}`),
  });
});

afterEach(() => close());

describe('calls to an API server', () => {
  test('carry the credentials of the kubeconfig, and are measured', async () => {
    json(200, { ...configMap('a') });
    await cluster.get(CONFIG_MAP, KEY);
    expect(asked[0]).toMatchObject({
      method: 'GET',
      url: '/api/v1/namespaces/team/configmaps/a',
      headers: { authorization: 'Bearer secret' },
    });
    expect(calls).toEqual(['get configmaps 200']);
  });

  test('share their connections', async () => {
    json(200, { ...configMap('a') });
    for (let index = 0; index < 10; index++) await cluster.get(CONFIG_MAP, KEY);
    // A call that begins before the last answer is fully read takes a second one.
    expect(sockets).toBeLessThanOrEqual(2);
  });

  test('never leave the resource they were meant for, whatever the name', async () => {
    json(200, {});
    for (const name of ['', '.', '..']) {
      expect(await cluster.get(CONFIG_MAP, { namespace: 'team', name })).toBeUndefined();
      expect(await cluster.get(CONFIG_MAP, { namespace: '..', name: 'a' })).toBeUndefined();
    }
    expect(asked).toEqual([]);
    await cluster.get(CONFIG_MAP, { namespace: 'team', name: '../../secrets?x=1' });
    expect(asked[0]?.url).toBe('/api/v1/namespaces/team/configmaps/..%2F..%2Fsecrets%3Fx%3D1');
  });

  test('that are refused say what the server said, and when to come back', async () => {
    json(429, { reason: 'TooManyRequests', message: 'slow down' }, { 'retry-after': '7' });
    expect(await caught(cluster.list(CONFIG_MAP))).toMatchObject({
      code: 429,
      reason: 'TooManyRequests',
      message: 'slow down',
      retryAfterSeconds: 7,
    });
    json(500, { reason: 'InternalError', details: { retryAfterSeconds: 3 } });
    expect(await caught(cluster.list(CONFIG_MAP))).toMatchObject({ retryAfterSeconds: 3 });
  });

  test('answered by a proxy with a page say so', async () => {
    answer = (response) => response.writeHead(502).end('<html>bad gateway</html>');
    expect(await caught(cluster.get(CONFIG_MAP, KEY))).toMatchObject({
      code: 502,
      reason: 'Unknown',
      message: expect.stringContaining('answered 502: <html>bad gateway'),
    });
  });

  test('that reach nobody fail and are measured as code 0', async () => {
    await close();
    expect(await caught(cluster.get(CONFIG_MAP, KEY))).toMatchObject({ code: 'ECONNREFUSED' });
    expect(calls).toEqual(['get configmaps 0']);
  });

  test('tell a lost race from an invalid object', async () => {
    const patch = (): Promise<unknown> =>
      caught(cluster.patch(CONFIG_MAP, KEY, [{ op: 'test', path: '/x', value: 1 }], BY));
    json(422, { reason: 'Invalid', message: 'the server rejected our request' });
    expect(isConflict(await patch())).toBe(true);
    json(422, { reason: 'Invalid', details: { causes: [{ field: 'spec.x' }] } });
    expect(isConflict(await patch())).toBe(false);
    json(422, { reason: 'Invalid', details: { causes: [{ field: 'metadata.uid' }] } });
    expect(isConflict(await caught(cluster.apply(CONFIG_MAP, configMap('a'), BY)))).toBe(true);
  });

  test('apply and delete say how', async () => {
    json(200, {});
    await cluster.apply(CONFIG_MAP, configMap('a'), {
      ...BY,
      subresource: 'status',
      dryRun: true,
    });
    await cluster.create(CONFIG_MAP, configMap('a'), BY);
    await cluster.delete(CONFIG_MAP, KEY, { uid: 'u', propagation: 'Foreground' });
    expect(asked.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'PATCH /api/v1/namespaces/team/configmaps/a/status?fieldManager=test&force=true&dryRun=All',
      'POST /api/v1/namespaces/team/configmaps?fieldManager=test',
      'DELETE /api/v1/namespaces/team/configmaps/a',
    ]);
    json(403, { reason: 'Forbidden', message: 'no' });
    expect(await caught(cluster.delete(CONFIG_MAP, KEY))).toMatchObject({ code: 403 });
    json(404, { reason: 'NotFound', message: 'gone' });
    await cluster.delete(CONFIG_MAP, KEY);
  });

  test('read a log from a second on, with timestamps, as far as it may', async () => {
    answer = (response) => response.end('2026-01-01T00:00:00.1Z a=1\n');
    const options = { container: 'train', since: '2026-01-01T00:00:00Z', limitBytes: 100 };
    expect(await cluster.readLog(KEY, options)).toBe('2026-01-01T00:00:00.1Z a=1\n');
    await cluster.readLog(KEY, { limitBytes: 5, tailLines: 20 });
    expect(asked.map(({ url }) => url)).toEqual([
      '/api/v1/namespaces/team/pods/a/log?container=train&sinceTime=2026-01-01T00%3A00%3A00Z&timestamps=true&limitBytes=100',
      '/api/v1/namespaces/team/pods/a/log?timestamps=true&limitBytes=5&tailLines=20',
    ]);
    expect(calls).toEqual(['get pods/log 200', 'get pods/log 200']);
  });

  test('find no log of a pod that is gone or has not started', async () => {
    json(404, { reason: 'NotFound', message: 'pods "a" not found' });
    expect(await cluster.readLog(KEY, { limitBytes: 5 })).toBeUndefined();
    json(400, { reason: 'BadRequest', message: 'container "train" is waiting to start' });
    expect(await cluster.readLog(KEY, { limitBytes: 5 })).toBeUndefined();
    json(500, { reason: 'InternalError', message: 'no' });
    expect(await caught(cluster.readLog(KEY, { limitBytes: 5 }))).toMatchObject({ code: 500 });
  });

  test('a list names the kind of its items, also an empty one', async () => {
    const metadata = { resourceVersion: '5', continue: '' };
    json(200, {
      apiVersion: 'v1',
      kind: 'ConfigMapList',
      metadata,
      items: [{ metadata: { name: 'a' } }],
    });
    expect(await cluster.list({ ...CONFIG_MAP, kind: 'unknown' })).toEqual({
      items: [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } }],
      resourceVersion: '5',
    });
    json(200, { apiVersion: 'v1', kind: 'ConfigMapList', metadata, items: null });
    expect((await cluster.list(CONFIG_MAP)).items).toEqual([]);
  });

  test('a watch yields events as they come, and throws on a line that is none', async () => {
    const { metadata, ...rest } = configMap('a');
    const object = { ...rest, metadata: { ...metadata, resourceVersion: '2' } };
    answer = (response) => response.end(`${JSON.stringify({ type: 'ADDED', object })}\n<html>\n`);
    const stream = cluster.watch(CONFIG_MAP, {
      resourceVersion: '1',
      timeoutSeconds: 5,
      signal: new AbortController().signal,
    });
    const events = stream[Symbol.asyncIterator]();
    expect((await events.next()).value).toMatchObject({ type: 'ADDED' });
    await expect(events.next()).rejects.toThrow(GarbageError);
    expect(asked[0]?.url).toBe(
      '/api/v1/configmaps?watch=true&allowWatchBookmarks=true&resourceVersion=1&timeoutSeconds=5',
    );
  });
});

test.each(['null', '{}', '{"type":"ADDED"}', '{"type":"GONE","object":{"metadata":{}}}', '[1]'])(
  'a watch throws on JSON that is no event: %s',
  async (line) => {
    answer = (response) => response.end(`${line}\n`);
    const stream = cluster.watch(CONFIG_MAP, {
      resourceVersion: '1',
      timeoutSeconds: 5,
      metadataOnly: true,
      signal: new AbortController().signal,
    });
    await expect(stream[Symbol.asyncIterator]().next()).rejects.toThrow(GarbageError);
  },
);

test('a kubeconfig without a current cluster is refused in plain words', () => {
  expect(() => new KubernetesCluster(new KubeConfig(), { called: () => undefined })).toThrow(
    'names no current cluster',
  );
});
