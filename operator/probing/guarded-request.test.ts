import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '../runtime/clock.ts';
import { guardedRequest, type GuardOptions, type HttpRequest } from './guarded-request.ts';

/** What the server does at each path. */
const PAGES: Readonly<Record<string, RequestListener>> = {
  '/fine': (_asked, answer) => answer.end('{"ok":true}'),
  '/broken': (_asked, answer) => answer.writeHead(500).end('{"error":"no disk"}'),
  '/elsewhere': (_asked, answer) =>
    answer.writeHead(302, { location: 'http://169.254.169.254/latest/meta-data/' }).end(),
  '/hangs': () => undefined,
  '/trickles': (_asked, answer) => {
    answer.write('{');
  },
  '/endless': (_asked, answer) => {
    const more = (): void => {
      while (answer.write('x'.repeat(64 * 1024)));
    };
    answer.on('drain', more);
    more();
  },
  '/echo': (asked, answer) => {
    const { method, headers } = asked;
    asked.setEncoding('utf8').on('data', (body: string) => {
      answer.end(JSON.stringify({ method, body, host: headers.host, kind: headers['x-kind'] }));
    });
  },
};

describe('a guarded request', () => {
  let server: Server;
  let port: number;

  beforeAll(async () => {
    server = createServer((asked, answer) => PAGES[asked.url ?? '']?.(asked, answer));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    ({ port } = server.address() as AddressInfo);
  });
  afterAll(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  const here = (): GuardOptions => ({ privateHosts: [`127.0.0.1:${port}`] });
  const ask = (request: Partial<HttpRequest>, options: GuardOptions = here()) =>
    guardedRequest(systemClock, options)(
      {
        ...{ url: `http://127.0.0.1:${port}/fine`, method: 'GET', headers: {} },
        timeoutMs: 5000,
        ...request,
      },
      new AbortController().signal,
    );
  const at = (path: string): string => `http://127.0.0.1:${port}${path}`;

  test('brings the answer, whatever its status', async () => {
    expect(await ask({})).toEqual({ status: 200, body: '{"ok":true}' });
    expect(await ask({ url: at('/broken') })).toEqual({
      status: 500,
      body: '{"error":"no disk"}',
    });
  });

  test('sends method, headers and body', async () => {
    const { body } = await ask({
      ...{ url: at('/echo'), method: 'POST', headers: { 'x-kind': 'rate' }, body: 'a=b' },
    });
    expect(JSON.parse(body)).toEqual({
      ...{ method: 'POST', body: 'a=b', host: `127.0.0.1:${port}`, kind: 'rate' },
    });
  });

  test('follows no redirect, and says where it leads', async () => {
    await expect(ask({ url: at('/elsewhere') })).rejects.toThrow(
      'it answered status 302, a redirect to http://169.254.169.254/latest/meta-data/; redirects are not followed, so state the address itself',
    );
  });

  test.each(['/hangs', '/trickles'])('does not wait longer than it may for %s', async (path) => {
    await expect(ask({ url: at(path), timeoutMs: 60 })).rejects.toThrow('no answer within 0.06 s');
  });

  test('does not wait longer for a look-up of a name either', async () => {
    const options = { privateHosts: [], resolve: () => new Promise<string[]>(() => undefined) };
    await expect(ask({ url: 'http://slow.example/', timeoutMs: 60 }, options)).rejects.toThrow(
      'no answer within 0.06 s',
    );
  });

  test('takes no more than 1 MiB', async () => {
    await expect(ask({ url: at('/endless') })).rejects.toThrow('its answer is over 1 MiB');
  });

  test('reaches no private address that nobody allowed', async () => {
    await expect(ask({}, { privateHosts: [] })).rejects.toThrow(
      '127.0.0.1 has the address 127.0.0.1, which is not public; ask a Service of this namespace by its name, or have the administrator allow the host (operator.metricHosts)',
    );
  });

  test.each(['http://2130706433/', 'http://0x7f.1/', 'http://[::1]/', 'http://[::ffff:7f00:1]/'])(
    'knows the machine itself under the name %s',
    async (url) => {
      await expect(ask({ url }, { privateHosts: true })).rejects.toThrow('which is not public');
    },
  );

  test('connects to the address that was checked, not to a second answer of DNS', async () => {
    const answers = [['127.0.0.1'], ['10.0.0.1']];
    const options = {
      privateHosts: [`kpi.example:${port}`],
      resolve: () => Promise.resolve(answers.shift() ?? []),
    };
    expect(await ask({ url: `http://kpi.example:${port}/fine` }, options)).toEqual({
      ...{ status: 200, body: '{"ok":true}' },
    });
    expect(answers).toEqual([['10.0.0.1']]);
  });

  test('refuses a name of which one address is private', async () => {
    const options = {
      privateHosts: [],
      resolve: () => Promise.resolve(['93.184.215.14', '10.1.2.3']),
    };
    await expect(ask({ url: 'http://kpi.example/' }, options)).rejects.toThrow(
      'kpi.example has the address 10.1.2.3, which is not public',
    );
  });

  test('goes where it is sent, without asking DNS', async () => {
    const address = () => Promise.resolve('127.0.0.1');
    const url = `http://kpi.demo.svc:${port}/echo`;
    const { body } = await ask(
      { url, method: 'POST', body: 'x', address },
      { privateHosts: [], resolve: () => Promise.reject(new Error('asked DNS')) },
    );
    expect(JSON.parse(body)).toMatchObject({ host: `kpi.demo.svc:${port}` });
  });

  test('says why nobody answers', async () => {
    const unused = createServer().listen(0, '127.0.0.1');
    await once(unused, 'listening');
    const { port: closed } = unused.address() as AddressInfo;
    unused.close();
    await once(unused, 'close');
    const options = { privateHosts: [`127.0.0.1:${closed}`] };
    await expect(ask({ url: `http://127.0.0.1:${closed}/` }, options)).rejects.toThrow(
      'ECONNREFUSED',
    );
  });

  test('ends when it is stopped', async () => {
    const stop = new AbortController();
    const asked = guardedRequest(systemClock, here())(
      { url: at('/hangs'), method: 'GET', headers: {}, timeoutMs: 30_000 },
      stop.signal,
    );
    stop.abort(new Error('the operator stops'));
    await expect(asked).rejects.toThrow('the operator stops');
  });
});
