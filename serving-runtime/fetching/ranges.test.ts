import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createHash, randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { listen } from '../drain.ts';
import { openUrl } from './http-source.ts';

const object = randomBytes(50_000_000);

let url: string;
let asked: string[];
/** What a request of this range gets instead. */
let turns: Record<string, (request: IncomingMessage, response: ServerResponse) => void>;
let attempt: AbortController;
let underWay: number;
let most: number;

const server = createServer((request, response) => {
  const range = request.headers.range ?? '';
  asked.push(range);
  underWay += 1;
  most = Math.max(most, underWay);
  response.once('close', () => (underWay -= 1));
  const [, from = '', to = ''] = /^bytes=(\d+)-(\d+)$/.exec(range) ?? [];
  const turn = turns[from];
  if (turn !== undefined) {
    turn(request, response);
    return;
  }
  const end = Math.min(Number(to), object.length - 1);
  response.writeHead(206, {
    ...{ etag: '"one"', 'content-range': `bytes ${from}-${String(end)}/${String(object.length)}` },
  });
  response.end(object.subarray(Number(from), end + 1));
});

beforeEach(async () => {
  attempt = new AbortController();
  [asked, turns, underWay, most] = [[], {}, 0, 0];
  url = `http://127.0.0.1:${String(await listen(server, 0))}/model`;
});

afterEach(async () => {
  attempt.abort();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

async function download(): Promise<Buffer> {
  const { files } = await openUrl(url, attempt.signal);
  const [file] = files;
  if (file === undefined) throw new Error('no file');
  return buffer(file.open());
}

const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

test('a large object comes in ranges, several at a time, and whole', async () => {
  const bytes = await download();
  expect(digest(bytes)).toBe(digest(object));
  // 50,000,000 bytes in ranges of 8 MiB.
  expect(asked).toHaveLength(6);
  expect(asked.at(-1)).toBe('bytes=41943040-49999999');
  expect(most).toBeGreaterThan(1);
  expect(most).toBeLessThanOrEqual(5);
});

test('a storage that knows no ranges is read as it answers', async () => {
  turns['0'] = (_request, response) => {
    response.end(object.subarray(0, 1000));
  };
  expect(await download()).toEqual(object.subarray(0, 1000));
  expect(asked).toHaveLength(1);
});

test('an empty object, which has no first range, is asked for as a whole', async () => {
  turns['0'] = (_request, response) => {
    response.writeHead(416).end();
  };
  turns[''] = (_request, response) => {
    response.writeHead(200).end();
  };
  expect(await download()).toHaveLength(0);
});

test.each([
  ['is refused', 403, '', 'ArtifactUnavailable'],
  ['is of an object that was replaced meanwhile', 412, '', 'ArtifactUnavailable'],
  ['is longer than asked for', 206, 'x'.repeat(9_000_000), 'ArtifactUnavailable'],
  ['is shorter than asked for', 206, 'x', 'ArtifactUnavailable'],
])('a later range that %s fails the attempt', async (_what, status, body, code) => {
  const matches: (string | undefined)[] = [];
  turns['16777216'] = (request, response) => {
    matches.push(request.headers['if-match']);
    response.writeHead(status).end(body);
  };
  await expect(download()).rejects.toMatchObject({ code });
  expect(matches).toEqual(['"one"']);
});
