import { beforeEach, describe, expect, test } from '@jest/globals';
import { sweepUploads } from '../../artifacts/sweep-uploads.ts';
import { artifactRecord } from '../../kinds/experiment/artifact-record.ts';
import { apiFixture, given, person, trialPod } from '../testing/api-fixture.ts';
import type { Fixture } from '../testing/api-fixture.ts';

const MiB = 1024 * 1024;
const RUN = 'a'.repeat(32);
const OTHER_RUN = 'b'.repeat(32);
const BASE = '/api/2.0/mlflow-artifacts';
const FOLDER = `demo/runs/${RUN}/artifacts/deep`;
/** `sha256sum` of 5 MiB of 'a' and then 'bc'. */
const DIGEST = 'sha256:2086c6799e52ac251b19b306ac6268fdd2ce89909df885c997528b9075275984';

type Headers = Readonly<Record<string, string>>;
type Created = {
  readonly upload_id: string;
  readonly credentials: readonly { readonly url: string; readonly part_number: number }[];
};

let fixture: Fixture;
let trial: Headers;

beforeEach(async () => {
  fixture = await apiFixture({ config: { maxArtifactBytes: 8 * MiB } });
  for (const [runId, namespace] of [
    [RUN, 'demo'],
    [OTHER_RUN, 'other'],
  ] as const) {
    const { metadata } = await given(fixture, 'Experiment', { namespace, name: 'train' });
    const experiment = { uid: metadata.uid ?? '', namespace, name: 'train' };
    await fixture.runs.createRun({
      ...{ runId, experiment, name: 'run', userId: '', startTime: 1 },
    });
  }
  trial = await trialPod(fixture, 'demo', 'train');
});

const post = (path: string, payload: object, headers: Headers = trial) =>
  fixture.app.inject({ method: 'POST', url: `${BASE}/mpu/${path}`, payload, headers });
const create = async (count = 2): Promise<Created> =>
  (await post(`create/${FOLDER}`, { path: '/home/me/w.bin', num_parts: count })).json<Created>();
const pathOf = (url: string): string => url.replace(/^http:\/\/[^/]+/, '');
/** As clients send parts: without any token. */
const send = (url: string | undefined, payload: Buffer) =>
  fixture.app.inject({ method: 'PUT', url: pathOf(url ?? ''), payload });
const read = (headers: Headers = {}) =>
  fixture.app.inject({
    url: `${BASE}/artifacts/${FOLDER}/w.bin`,
    headers: { ...trial, ...headers },
  });

const sendAll = async ({ credentials }: Created, bodies: readonly Buffer[]) => {
  const parts: { part_number: number; etag: string }[] = [];
  for (const [index, body] of bodies.entries()) {
    const answer = await send(credentials[index]?.url, body);
    expect(answer.statusCode).toBe(200);
    parts.push({ part_number: index + 1, etag: String(answer.headers['etag']) });
  }
  return parts;
};
const finish = (upload: Created, parts: readonly object[], headers?: Headers) =>
  post(
    `complete/${FOLDER}`,
    { path: 'w.bin', upload_id: upload.upload_id, parts },
    headers ?? trial,
  );

const BODIES = [Buffer.alloc(5 * MiB, 'a'), Buffer.from('bc')];

describe('a file in parts', () => {
  test('is visible once it is complete, and its digest is recorded', async () => {
    const upload = await create();
    const parts = await sendAll(upload, BODIES);
    expect((await read()).statusCode).toBe(404);
    expect((await finish(upload, parts)).statusCode).toBe(200);
    expect((await read({ range: `bytes=${5 * MiB - 1}-` })).body).toBe('abc');
    const { tags = {} } = (await fixture.runs.getRun(RUN)) ?? {};
    expect(artifactRecord(tags, 'deep/w.bin')).toMatchObject({
      sizeBytes: 5 * MiB + 2,
      digest: DIGEST,
    });
    // The client asks again when the first answer was lost.
    expect((await finish(upload, parts)).statusCode).toBe(200);
  });

  test('leaves the old file when it is given up, and can be repeated', async () => {
    await fixture.app.inject({
      ...{ method: 'PUT', url: `${BASE}/artifacts/${FOLDER}/w.bin`, headers: trial },
      payload: Buffer.from('old'),
    });
    const upload = await create();
    await send(upload.credentials[0]?.url, BODIES[0] ?? Buffer.alloc(0));
    expect((await read()).body).toBe('old');
    const body = { path: 'w.bin', upload_id: upload.upload_id };
    expect((await post(`abort/${FOLDER}`, body)).statusCode).toBe(200);
    expect((await post(`abort/${FOLDER}`, body)).statusCode).toBe(404);
    expect((await read()).body).toBe('old');
    const again = await create();
    await finish(again, await sendAll(again, BODIES));
    expect((await read({ range: 'bytes=0-1' })).body).toBe('aa');
  });

  test('is swept a day after nobody finished it', async () => {
    await create();
    const { uploads } = fixture.artifacts;
    const start = Date.UTC(2026, 0, 2, 3, 4, 5);
    expect(await sweepUploads(uploads, start + 24 * 3_600_000)).toBe(0);
    expect(await sweepUploads(uploads, start + 25 * 3_600_000)).toBe(1);
    expect(await sweepUploads(uploads, start + 25 * 3_600_000)).toBe(0);
  });
});

describe('what is refused', () => {
  test('is a number of parts that S3 does not take', async () => {
    for (const count of [0, -1, 10_001, 1.5]) {
      const answer = await post(`create/${FOLDER}`, { path: 'w.bin', num_parts: count });
      expect([answer.statusCode, answer.json()]).toEqual([
        400,
        expect.objectContaining({ error_code: 'INVALID_PARAMETER_VALUE' }),
      ]);
    }
  });

  test('is a link that says something else than it was made for', async () => {
    const url = (await create()).credentials[0]?.url ?? '';
    const changed = [
      url.replace('part_number=1', 'part_number=2'),
      url.replace('deep/w.bin', 'deep/x.bin'),
      url.replace('/demo/', '/other/'),
      url.replace(/upload_id=[^&]+/, 'upload_id=upload-2'),
      url.replace(/max_bytes=\d+/, 'max_bytes=99999999'),
      url.replace(/expires=\d+/, 'expires=9999999999999'),
      url.replace(/signature=.{4}/, 'signature=AAAA'),
    ];
    for (const each of changed) {
      expect(each).not.toBe(url);
      expect((await send(each, Buffer.from('x'))).statusCode).toBe(403);
    }
    expect((await send(url, Buffer.alloc(9 * MiB))).statusCode).toBe(413);
    fixture.pass(24 * 3_600_000);
    expect((await send(url, Buffer.from('x'))).statusCode).toBe(403);
  });

  test.each([
    ['another tag', [{ part_number: 1, etag: '"00"' }]],
    ['no tag', [{ part_number: 1 }]],
    ['a part never sent', [{ part_number: 3, etag: '"00"' }]],
    ['part 0', [{ part_number: 0, etag: '"00"' }]],
    ['part 10001', [{ part_number: 10_001, etag: '"00"' }]],
    ['no part', []],
  ])('is completing with %s', async (_what, parts) => {
    const upload = await create();
    await sendAll(upload, BODIES);
    const answer = await finish(upload, parts);
    expect([answer.statusCode, answer.json()]).toEqual([
      400,
      expect.objectContaining({ error_code: 'INVALID_PARAMETER_VALUE' }),
    ]);
    expect((await read()).statusCode).toBe(404);
  });

  test('is completing out of order, or more than an artifact may have', async () => {
    const upload = await create();
    const parts = await sendAll(upload, BODIES);
    expect((await finish(upload, parts.toReversed())).statusCode).toBe(400);
    const large = await create(3);
    const sent = await sendAll(large, [
      Buffer.alloc(4 * MiB),
      Buffer.alloc(4 * MiB),
      BODIES[1] ?? Buffer.alloc(1),
    ]);
    expect((await finish(large, sent)).statusCode).toBe(413);
    expect((await read()).statusCode).toBe(404);
  });

  test('is the upload of another namespace, and of another file', async () => {
    const theirs = await trialPod(fixture, 'other', 'train');
    const upload = await create();
    const parts = await sendAll(upload, BODIES);
    const body = { path: 'w.bin', upload_id: upload.upload_id, parts };
    const places = [
      FOLDER,
      `other/runs/${OTHER_RUN}/artifacts/deep`,
      `other/runs/${RUN}/artifacts`,
    ];
    for (const place of places) {
      expect((await post(`complete/${place}`, body, theirs)).statusCode).toBe(404);
      expect((await post(`abort/${place}`, body, theirs)).statusCode).toBe(404);
    }
    expect((await post(`complete/${FOLDER}/x`, body)).statusCode).toBe(404);
    expect((await finish(upload, parts)).statusCode).toBe(200);
  });

  test('is a path out of the run', async () => {
    for (const path of ['..', 'x/../..', '%2e%2e', 'a\\b', 'x/..']) {
      const answer = await post(`create/${FOLDER}`, { path });
      expect([path, answer.statusCode]).toEqual([path, 400]);
    }
    const folder = `create/demo/runs/${RUN}/artifacts/${encodeURIComponent('../../x')}`;
    expect((await post(folder, { path: 'w.bin' })).statusCode).toBe(400);
  });

  test('is whoever may not write the run', async () => {
    const ada = person(fixture, 'ada');
    const body = { path: 'w.bin' };
    expect((await post(`create/${FOLDER}`, body, ada)).statusCode).toBe(404);
    expect((await post(`create/${FOLDER}`, body, {})).statusCode).toBe(401);
  });
});

describe('a link to a file', () => {
  const presign = (headers: Headers = trial) =>
    fixture.app.inject({ url: `${BASE}/presigned/${FOLDER}/w.bin`, headers });

  test('reads ranges of it without a token, for a while', async () => {
    expect((await presign()).statusCode).toBe(404);
    const upload = await create();
    await finish(upload, await sendAll(upload, BODIES));
    const { url, ...rest } = (await presign()).json<{ readonly url: string }>();
    expect(rest).toEqual({ headers: {}, file_size: 5 * MiB + 2 });
    const link = (path: string) =>
      fixture.app.inject({ url: path, headers: { range: 'bytes=5242879-5242881' } });
    const part = await link(pathOf(url));
    expect([part.statusCode, part.body]).toEqual([206, 'abc']);
    expect((await link(pathOf(url).replace('w.bin', 'x.bin'))).statusCode).toBe(403);
    expect((await link(pathOf(url).split('?')[0] ?? '')).statusCode).toBe(400);
    fixture.pass(300_000);
    expect((await link(pathOf(url))).statusCode).toBe(403);
    expect((await presign(person(fixture, 'ada'))).statusCode).toBe(404);
  });
});
