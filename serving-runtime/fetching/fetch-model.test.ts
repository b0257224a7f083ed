import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FetchRequest } from './fetch-model.ts';
import { fetchModel } from './fetch-model.ts';
import type { ArtifactServer } from '../testing/artifact-server.ts';
import { sha256, startArtifactServer } from '../testing/artifact-server.ts';
import { temporaryFolder } from '../testing/temporary-folder.ts';

const bytes = Buffer.from('the bytes of a model, long enough to be cut in two');
const digest = sha256(bytes);

let server: ArtifactServer;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let tokenFile: string;

beforeEach(async () => {
  server = await startArtifactServer(bytes);
  folder = await temporaryFolder();
  tokenFile = join(folder.path, 'token');
  await writeFile(tokenFile, 'token-1\n');
});

afterEach(async () => {
  await server.close();
  await folder[Symbol.asyncDispose]();
});

function request(changes: Partial<FetchRequest> = {}): FetchRequest {
  return {
    source: { kind: 'artifact', url: server.url, tokenFile },
    digest,
    cacheDir: join(folder.path, 'cache'),
    maxModelBytes: 1000,
    fetchMs: 60_000,
    ...changes,
  };
}

/** Fetches on a clock that only pauses move; tells what failed and how long it paused. */
async function fetchOn(
  wanted: FetchRequest,
  signal = new AbortController().signal,
  onPause: () => Promise<void> = async () => undefined,
) {
  const pauses: number[] = [];
  const failures: string[] = [];
  const outcome = await fetchModel(
    wanted,
    {
      now: () => pauses.reduce((sum, pause) => sum + pause, 0),
      random: () => 1,
      sleep: async (ms) => {
        pauses.push(ms);
        await onPause();
      },
      onAttemptFailed: (attempt, reason, message) => {
        failures.push(`${String(attempt)} ${reason} ${message}`);
      },
    },
    signal,
  ).then(
    (model) => ({ model, error: undefined }),
    (error: unknown) => ({ model: undefined, error: error as { code: string; message: string } }),
  );
  return { ...outcome, pauses, failures };
}

const cacheEntries = () => readdir(join(folder.path, 'cache'));

describe('through the artifact endpoint', () => {
  test('a grant is asked for with the token and its bytes are kept under their digest', async () => {
    const { model } = await fetchOn(request());
    expect(model).toEqual({
      path: join(folder.path, 'cache', digest.slice(7), 'model.onnx'),
      digest,
      sizeBytes: 50,
    });
    expect(await readFile(model?.path ?? '')).toEqual(bytes);
    expect(server.authorizations).toEqual(['Bearer token-1']);
    expect(await cacheEntries()).toEqual([digest.slice(7)]);
  });

  test('bytes without a length are taken all the same', async () => {
    server.storageTurns.push('without-length');
    expect((await fetchOn(request())).model?.sizeBytes).toBe(50);
  });

  test('storage that fails or breaks off is asked again with a fresh grant and a fresh token', async () => {
    server.storageTurns.push(503, 'cut');
    const { model, pauses, failures } = await fetchOn(request(), undefined, () =>
      writeFile(tokenFile, 'token-2'),
    );
    expect(model?.digest).toBe(digest);
    expect(pauses).toEqual([500, 1000]);
    expect(failures[0]).toMatch(
      /^1 ArtifactUnavailable the storage at 127.* answered 503: Status503$/,
    );
    expect(failures[1]).toMatch(/^2 ArtifactUnavailable the storage at .* broke off/);
    expect(server.authorizations).toEqual(['Bearer token-1', 'Bearer token-2', 'Bearer token-2']);
    expect(server.reads).toEqual([
      '/object?X-Amz-Signature=secret1',
      '/object?X-Amz-Signature=secret2',
      '/object?X-Amz-Signature=secret3',
    ]);
    expect(failures.join()).not.toContain('secret');
  });

  test('an endpoint that answers 5xx, nonsense or nothing is asked again', async () => {
    server.grantTurns.push(500, { body: '<html>' }, { body: '{"url":"x"}' });
    const { model, failures } = await fetchOn(request());
    expect(model?.digest).toBe(digest);
    expect(failures).toHaveLength(3);
    await server.close();
    const away = await fetchOn(request({ cacheDir: join(folder.path, 'other') }));
    expect(away.error).toMatchObject({ code: 'ArtifactUnavailable' });
  });

  test('unreachable storage ends in ArtifactUnavailable when the time is up, with bounded pauses', async () => {
    server.storageTurns.push(...Array<number>(20).fill(503));
    const { error, pauses } = await fetchOn(request({ fetchMs: 120_000 }));
    expect(error?.code).toBe('ArtifactUnavailable');
    expect(error?.message).toContain('(gave up after 9 attempts)');
    expect(pauses).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
  });

  test.each([
    [401, 'NotAuthorized', 'the artifact endpoint answered 401: refused with 401'],
    [403, 'NotAuthorized', 'the artifact endpoint answered 403: refused with 403'],
    [404, 'ArtifactNotFound', 'the artifact endpoint answered 404: refused with 404'],
  ])('%i is believed the second time', async (status, code, message) => {
    server.grantTurns.push(status, status, status);
    const { error, failures } = await fetchOn(request());
    expect(error).toMatchObject({ code, message });
    expect(failures).toHaveLength(2);
  });

  test('413 is believed at once', async () => {
    server.grantTurns.push(413);
    expect(await fetchOn(request())).toMatchObject({ error: { code: 'TooLarge' }, pauses: [] });
  });

  test('a presigned URL that expired on the way is replaced', async () => {
    server.storageTurns.push(403);
    expect((await fetchOn(request())).model?.digest).toBe(digest);
  });

  test('the token is not carried along a redirect', async () => {
    server.grantTurns.push(307);
    const { failures } = await fetchOn(request());
    expect(failures[0]).toContain('ArtifactUnavailable');
    expect(server.reads).toHaveLength(1);
  });

  test('a token that cannot be read is told', async () => {
    const source = { kind: 'artifact', url: server.url, tokenFile: '/nowhere/token' } as const;
    expect((await fetchOn(request({ source }))).error).toMatchObject({
      code: 'NotAuthorized',
      message: 'the token file /nowhere/token cannot be read; mount the projected token there',
    });
  });
});

describe('what hashes to something else', () => {
  test('is fetched once more, then refused with both digests, and nothing of it stays', async () => {
    server.bytes = Buffer.from('flipped');
    const { error, failures } = await fetchOn(request());
    expect(error).toMatchObject({
      code: 'DigestMismatch',
      digests: { expected: digest, actual: sha256(server.bytes) },
    });
    expect(failures).toHaveLength(2);
    expect(await cacheEntries()).toEqual([]);
  });

  test('is refused by the digest the endpoint announced when none was given', async () => {
    server.announcedDigest = sha256(Buffer.from('other'));
    const { error } = await fetchOn(request({ digest: undefined }));
    expect(error).toMatchObject({ code: 'DigestMismatch' });
  });
});

describe('what is too large', () => {
  test('is refused by its announced length, unread', async () => {
    const { error, pauses } = await fetchOn(request({ maxModelBytes: 49 }));
    expect(error).toMatchObject({ code: 'TooLarge' });
    expect(error?.message).toContain('the model has 50 bytes, at most 49 are allowed');
    expect(pauses).toEqual([]);
  });

  test('is cut off where its length was kept quiet', async () => {
    server.announcedSize = 1;
    server.storageTurns.push('without-length');
    const { error } = await fetchOn(request({ maxModelBytes: 20 }));
    expect(error?.message).toContain('the model has more than 20 bytes');
  });

  test('for the disk is told as such', async () => {
    await writeFile(join(folder.path, 'file'), '');
    const { error } = await fetchOn(request({ cacheDir: join(folder.path, 'file', 'cache') }));
    expect(error).toMatchObject({ code: 'InvalidConfig' });
    expect(error?.message).toContain('cannot be written (ENOTDIR)');
  });
});

describe('the cache', () => {
  test('answers a second time without asking anybody', async () => {
    await fetchOn(request());
    expect((await fetchOn(request())).model?.sizeBytes).toBe(50);
    expect(server.authorizations).toHaveLength(1);
  });

  test('is hashed again: a damaged copy is fetched anew', async () => {
    const { model } = await fetchOn(request());
    await writeFile(model?.path ?? '', 'rotten');
    expect((await fetchOn(request())).model?.sizeBytes).toBe(50);
    expect(server.authorizations).toHaveLength(2);
  });

  test('is cleared of what a killed container left', async () => {
    await mkdir(join(folder.path, 'cache', '.part-dead'), { recursive: true });
    await fetchOn(request());
    expect(await cacheEntries()).toEqual([digest.slice(7)]);
  });
});

describe('from a mounted volume', () => {
  // printf of the two lines "<sha256>  <path>\n", sorted, through sha256sum.
  const weights = Buffer.from('weights');
  const folderDigest = sha256(
    Buffer.from(
      [`${digest.slice(7)}  net.onnx\n`, `${sha256(weights).slice(7)}  data/weights.bin\n`]
        .sort()
        .join(''),
    ),
  );

  async function mountedFolder(): Promise<string> {
    const path = join(folder.path, 'volume');
    await mkdir(join(path, 'data'), { recursive: true });
    await writeFile(join(path, 'net.onnx'), bytes);
    await writeFile(join(path, 'data', 'weights.bin'), weights);
    return path;
  }

  test('a file is copied to the cache, so that what was verified is what is loaded', async () => {
    const path = join(await mountedFolder(), 'net.onnx');
    const { model } = await fetchOn(request({ source: { kind: 'path', path } }));
    await writeFile(path, 'changed afterwards');
    expect(await readFile(model?.path ?? '')).toEqual(bytes);
  });

  test('a folder is verified by the digest of its manifest, and found again in the cache', async () => {
    const source = { kind: 'path', path: await mountedFolder() } as const;
    const first = await fetchOn(request({ source, digest: folderDigest }));
    expect(first.model).toMatchObject({ digest: folderDigest, sizeBytes: 57 });
    expect(first.model?.path).toMatch(/\/net\.onnx$/);
    expect((await fetchOn(request({ source, digest: folderDigest }))).model).toEqual(first.model);
  });

  test('a folder must say which file is the model', async () => {
    const path = await mountedFolder();
    await writeFile(join(path, 'second.onnx'), bytes);
    const ambiguous = request({ source: { kind: 'path', path }, digest: undefined });
    expect((await fetchOn(ambiguous)).error).toMatchObject({ code: 'InvalidModel' });
    await writeFile(join(path, 'model.onnx'), bytes);
    expect((await fetchOn(ambiguous)).model?.path).toMatch(/\/model\.onnx$/);
  });

  test("a link out of the folder is refused, Kubernetes' own double links are skipped", async () => {
    const path = await mountedFolder();
    await mkdir(join(path, '..data'));
    await writeFile(join(path, '..data', 'x.onnx'), bytes);
    await symlink(join(path, 'net.onnx'), join(path, 'data', 'same.bin'));
    const source = { kind: 'path', path } as const;
    expect((await fetchOn(request({ source, digest: undefined }))).model?.sizeBytes).toBe(107);
    await symlink('/etc/hostname', join(path, 'escape.bin'));
    const { error } = await fetchOn(request({ source, digest: undefined }));
    expect(error).toMatchObject({ code: 'InvalidModel' });
    expect(error?.message).toContain("escape.bin is a link that leaves the model's folder");
  });

  test('a path that is not there is told', async () => {
    const { error } = await fetchOn(request({ source: { kind: 'path', path: '/nowhere/m.onnx' } }));
    expect(error).toMatchObject({
      code: 'ArtifactNotFound',
      message: '/nowhere/m.onnx cannot be read (ENOENT); check the volume and its subpath',
    });
  });
});

test('a plain URL needs no token', async () => {
  const { model } = await fetchOn(request({ source: { kind: 'url', url: server.objectUrl } }));
  expect(model?.digest).toBe(digest);
  expect(server.authorizations).toEqual([]);
});

test('a stop ends the waiting', async () => {
  const stopping = new AbortController();
  server.storageTurns.push(503);
  const { error, failures } = await fetchOn(request(), stopping.signal, async () => {
    stopping.abort(new Error('received SIGTERM'));
  });
  expect(error?.message).toBe('received SIGTERM');
  expect(failures).toHaveLength(1);
});
