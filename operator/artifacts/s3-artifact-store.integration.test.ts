import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ArtifactStoreUnavailable } from './artifact-errors.ts';
import { s3ArtifactStore } from './s3-artifact-store.ts';
import type { S3Options } from './s3-client.ts';
import { describeArtifactStore } from './testing/artifact-store-contract.ts';

const MiB = 1024 * 1024;

type Server = {
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
};
const server = JSON.parse(process.env['INTEGRATION_S3'] ?? '{}') as Server;

const optionsFor = (bucket: string): S3Options => ({
  endpoint: server.endpoint,
  region: 'us-east-1',
  bucket,
  credentials: { accessKeyId: server.accessKeyId, secretAccessKey: server.secretAccessKey },
});

// The smallest parts S3 takes, so that 12 MiB already travel and are copied in parts.
describeArtifactStore(
  'the store on an S3 server',
  () =>
    s3ArtifactStore({
      ...optionsFor(`contract-${randomUUID()}`),
      partBytes: 5 * MiB,
      copyPartBytes: 5 * MiB,
    }),
  12 * MiB,
);

describe('the store on an S3 server', () => {
  const store = s3ArtifactStore(optionsFor(`own-${randomUUID()}`));
  const put = (key: string, text: string) =>
    store.put(
      key,
      (async function* () {
        yield Buffer.from(text);
      })(),
      { maxBytes: 100 },
    );

  beforeAll(() => store.ensureBucket());
  afterAll(() => store.deletePrefix('demo/'));

  test('presigns one object for reading without credentials', async () => {
    await put('demo/a', 'hello');
    await put('demo/b', 'secret');
    const url = await store.presign('demo/a', 60);
    expect(await (await fetch(url)).text()).toBe('hello');
    expect((await fetch(url.replace('demo/a', 'demo/b'))).status).toBe(403);
    expect((await fetch(url, { method: 'PUT', body: 'evil' })).status).toBe(403);
    expect((await fetch(url.split('?')[0] ?? '')).status).toBe(403);
  });

  test('deletes more than a thousand objects', async () => {
    for (let round = 0; round < 21; round++)
      await Promise.all(
        Array.from({ length: 50 }, (_, index) => put(`demo/many/${round}-${index}`, 'x')),
      );
    expect(await store.deletePrefix('demo/many/')).toBe(1050);
  }, 30_000);

  test('holds one upload in a few parts of memory', async () => {
    const size = 300 * MiB;
    const body = (async function* () {
      for (let sent = 0; sent < size; sent += MiB) yield Buffer.alloc(MiB, sent % 251);
    })();
    const before = process.memoryUsage().rss;
    let peak = 0;
    const watched = (async function* () {
      for await (const chunk of body) {
        peak = Math.max(peak, process.memoryUsage().rss - before);
        yield chunk;
      }
    })();
    await store.put('demo/huge', watched, { maxBytes: size });
    expect((await store.stat('demo/huge'))?.sizeBytes).toBe(size);
    expect(peak).toBeLessThan(220 * MiB);
  }, 60_000);

  test('says when the server does not answer, refuses us, or lacks the bucket', async () => {
    const gone = s3ArtifactStore({
      ...optionsFor('any'),
      endpoint: 'http://127.0.0.1:9',
      maxAttempts: 1,
    });
    await expect(gone.check()).rejects.toThrow(ArtifactStoreUnavailable);
    await expect(gone.stat('x')).rejects.toThrow('could not look up "x"');
    await expect(gone.ensureBucket()).rejects.toThrow(ArtifactStoreUnavailable);
    await expect(gone.listFolder('x/')).rejects.toThrow(ArtifactStoreUnavailable);
    await expect(gone.deletePrefix('x/')).rejects.toThrow(ArtifactStoreUnavailable);
    const stranger = s3ArtifactStore({
      ...optionsFor('any'),
      credentials: { accessKeyId: 'who', secretAccessKey: 'unknown' },
    });
    await expect(stranger.check()).rejects.toThrow(ArtifactStoreUnavailable);
    const missing = s3ArtifactStore(optionsFor(`missing-${randomUUID()}`));
    await expect(missing.check()).rejects.toThrow(ArtifactStoreUnavailable);
  });
});
