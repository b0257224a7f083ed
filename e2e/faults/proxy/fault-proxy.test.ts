import { createServer, request as httpRequest, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { FaultProxy } from './fault-proxy.ts';
import { seededRandom } from '../../seeded-random.ts';

/** A server of this test, in the API server's place: counts writes, lists, and streams by hand. */
let writes = 0;
let version = 0;
const streams: ServerResponse[] = [];
const server = createServer((request, response) => {
  if (request.method === 'PATCH' || request.method === 'POST') writes += 1;
  if (request.url?.includes('watch=true') === true) {
    streams.push(response);
    response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
    return;
  }
  version += 1;
  request.resume();
  request.on('end', () => response.end(JSON.stringify({ version })));
});

let proxy: FaultProxy;

beforeEach(async () => {
  writes = 0;
  version = 0;
  streams.length = 0;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const api = {
    request: ({ method, url, headers }, onAnswer) =>
      httpRequest({ port, host: '127.0.0.1', method, path: url, headers }, onAnswer),
    close: () => undefined,
  } satisfies ConstructorParameters<typeof FaultProxy>[0];
  proxy = new FaultProxy(api, seededRandom(7));
  await proxy.listen(0);
});

afterEach(async () => {
  await proxy.stop();
  server.closeAllConnections();
  await new Promise<void>((resolve) => server.close(() => resolve()));
});

const pods = '/api/v1/namespaces/a/pods';
const get = (path = `${pods}/x`) => fetch(proxy.url + path);
const patch = () => fetch(`${proxy.url}${pods}/x`, { method: 'PATCH', body: '{}' });

/** Lines of a watch as its client gets them, until `count` came or the stream ended or broke. */
const watch = async (count: number): Promise<{ lines: string[]; end: string; bytes: number }> => {
  const response = await get(`${pods}?watch=true`);
  const decoder = new TextDecoder();
  let [text, bytes] = ['', 0];
  const lines = () => text.split('\n').slice(0, -1);
  try {
    for await (const chunk of response.body ?? []) {
      bytes += 1;
      text += decoder.decode(chunk as Uint8Array, { stream: true });
      if (lines().length >= count) return { lines: lines(), end: 'enough', bytes };
    }
    return { lines: lines(), end: `closed:${text.split('\n').at(-1) ?? ''}`, bytes };
  } catch {
    return { lines: lines(), end: 'broken', bytes };
  }
};

const stream = async (): Promise<ServerResponse> => {
  for (;;) {
    const last = streams.at(-1);
    if (last !== undefined) return last;
    await new Promise((resolve) => setImmediate(resolve));
  }
};
const event = (name: string) => `{"type":"ADDED","object":{"name":"${name}"}}\n`;

describe('the fault proxy', () => {
  test('passes on what no rule is about, and counts it', async () => {
    proxy.rules.add({
      name: 'writes fail',
      match: { write: true },
      fault: { type: 'status', code: 500 },
    });
    expect(await (await get()).json()).toEqual({ version: 1 });
    expect(proxy.calls.count({ verbs: ['get'], resources: ['pods'] }, 200)).toBe(1);
  });

  test('answers a Status with Retry-After instead of the server', async () => {
    const rule = proxy.rules.add({
      name: 'storm',
      times: 1,
      fault: { type: 'status', code: 429, retryAfterSeconds: 3 },
    });
    const response = await patch();
    expect(response.status).toBe(429);
    expect(response.headers.get('retry-after')).toBe('3');
    expect(await response.json()).toMatchObject({ kind: 'Status', reason: 'TooManyRequests' });
    expect([writes, rule.hits]).toEqual([0, 1]);
    expect((await patch()).status).toBe(200);
  });

  test('lets some pass first, strikes some times, and rolls the same dice for the same seed', async () => {
    proxy.rules.add({ name: 'third', after: 2, times: 1, fault: { type: 'status', code: 503 } });
    const codes = [];
    for (let index = 0; index < 4; index++) codes.push((await get()).status);
    expect(codes).toEqual([200, 200, 503, 200]);
    proxy.rules.clear();
    const rule = proxy.rules.add({
      name: 'half',
      probability: 0.5,
      fault: { type: 'status', code: 500 },
    });
    for (let index = 0; index < 40; index++) await get();
    expect(rule.hits).toBe(20);
  });

  test('loses the answer to a write that was applied', async () => {
    proxy.rules.add({ name: 'lost', match: { write: true }, fault: { type: 'applyThenCut' } });
    await expect(patch()).rejects.toThrow();
    expect(writes).toBe(1);
    expect(proxy.calls.count({}, 0)).toBe(1);
  });

  test('tells of a held answer after the write was applied', async () => {
    const applied = new Promise<number>((resolve) => {
      proxy.rules.add({ name: 'held', fault: { type: 'applyThenHold' } }, () => resolve(writes));
    });
    const gaveUp = new AbortController();
    const answer = fetch(`${proxy.url}${pods}`, {
      method: 'POST',
      body: '{}',
      signal: gaveUp.signal,
    });
    expect(await applied).toBe(1);
    gaveUp.abort();
    await expect(answer).rejects.toThrow();
  });

  test('answers a list that was recorded earlier', async () => {
    proxy.recordLists();
    await get(pods);
    expect(await (await get(pods)).json()).toEqual({ version: 2 });
    const rule = proxy.rules.add({ name: 'stale', fault: { type: 'staleList' } });
    expect(await (await get(pods)).json()).toEqual({ version: 1 });
    rule.remove();
    expect(await (await get(pods)).json()).toEqual({ version: 3 });
  });

  test('cuts an answer in the middle', async () => {
    proxy.rules.add({ name: 'half', fault: { type: 'truncateBody' } });
    await expect(get(pods).then((response) => response.text())).rejects.toThrow();
  });

  test('refuses everything while there is a partition', async () => {
    const heal = proxy.partition('refuse');
    await expect(get()).rejects.toThrow();
    heal();
    expect((await get()).status).toBe(200);
  });
});

describe('a watch through the fault proxy', () => {
  test('is passed on event by event, split where the server splits it', async () => {
    const seen = watch(2);
    const upstream = await stream();
    upstream.write(`${event('a')}{"type":"ADD`);
    upstream.write(`ED","object":{"name":"b"}}\n`);
    expect((await seen).lines).toEqual([event('a').trim(), event('b').trim()]);
  });

  test('is cut after its time, or at once for all', async () => {
    proxy.rules.add({ name: 'cut', times: 1, fault: { type: 'cutWatch', ms: 10 } });
    expect((await watch(1)).end).toBe('broken');
    const seen = watch(1);
    while (streams.length < 2 || proxy.openWatches === 0)
      await new Promise((resolve) => setImmediate(resolve));
    proxy.cutWatches();
    expect((await seen).end).toBe('broken');
  });

  test('that is frozen hears nothing, not even its end', async () => {
    const response = await get(`${pods}?watch=true`);
    proxy.freezeWatches();
    const upstream = await stream();
    upstream.end(event('a'));
    const heard = response.body?.getReader().read() ?? Promise.resolve();
    const nothing = new Promise((resolve) => setTimeout(() => resolve('nothing'), 50));
    expect(await Promise.race([heard, nothing])).toBe('nothing');
  });

  test('is told that its version is too old', async () => {
    proxy.rules.add({ name: 'gone', fault: { type: 'expireWatch' } });
    const { lines, end } = await watch(2);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ type: 'ERROR', object: { code: 410 } });
    expect(end).toBe('closed:');
  });

  test('loses, repeats and swaps events, but no bookmark', async () => {
    const bookmark = '{"type":"BOOKMARK","object":{}}';
    const through = async (type: 'dropEvents' | 'duplicateEvents' | 'reorderEvents', n: number) => {
      streams.length = 0;
      const rule = proxy.rules.add({ name: type, times: 1, fault: { type } });
      const seen = watch(n);
      (await stream()).write(`${event('a')}${event('b')}${bookmark}\n`);
      const { lines } = await seen;
      rule.remove();
      return lines.map((line) => /"name":"(.)"/.exec(line)?.[1] ?? 'bookmark').join(' ');
    };
    expect(await through('dropEvents', 2)).toBe('b bookmark');
    expect(await through('duplicateEvents', 4)).toBe('a a b bookmark');
    expect(await through('reorderEvents', 3)).toBe('b a bookmark');
  });

  test('carries garbage, broken JSON and split characters', async () => {
    const garbage = proxy.rules.add({ name: 'g', times: 1, fault: { type: 'garbageLine' } });
    const first = watch(2);
    (await stream()).write(event('a'));
    const { lines } = await first;
    expect(() => JSON.parse(lines[0] ?? '') as unknown).toThrow();
    expect(lines[1]).toBe(event('a').trim());
    garbage.remove();

    streams.length = 0;
    const split = proxy.rules.add({ name: 's', fault: { type: 'splitCharacters' } });
    const second = watch(1);
    (await stream()).write(event('\u{1F9EA}\u00e9'));
    const pieces = await second;
    expect(pieces.lines).toEqual([event('\u{1F9EA}\u00e9').trim()]);
    expect(pieces.bytes).toBeGreaterThan(2);
    split.remove();

    streams.length = 0;
    proxy.rules.add({ name: 't', fault: { type: 'truncateEvent' } });
    const third = watch(1);
    (await stream()).write(event('a'));
    expect(await third).toMatchObject({ lines: [], end: 'closed:{"type":"ADDED","ob' });
  });
});
