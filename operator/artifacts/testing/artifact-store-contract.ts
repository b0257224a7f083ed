import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { beforeAll, describe, expect, test } from '@jest/globals';
import {
  ArtifactNotFound,
  ArtifactTooLarge,
  DigestMismatch,
  UploadNotFound,
  UploadRefused,
} from '../artifact-errors.ts';
import type { ArtifactStore } from '../artifact-store.ts';

const MiB = 1024 * 1024;

const sha256 = (bytes: Uint8Array): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

async function* inChunks(bytes: Uint8Array, size = 100_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** What every artifact store must do. `large` spans several parts of a multipart upload. */
export const describeArtifactStore = (
  name: string,
  make: () => ArtifactStore,
  large = 6 * MiB,
): void => {
  describe(`${name} keeps the contract of artifact stores`, () => {
    let store: ArtifactStore;
    const limit = { maxBytes: 64 * MiB };
    const keysOf = async (prefix: string): Promise<readonly string[]> => {
      const keys: string[] = [];
      for await (const { key } of store.list(prefix)) keys.push(key);
      return keys;
    };
    const contentOf = async (key: string): Promise<Buffer> =>
      buffer((await store.read(key)).stream);

    beforeAll(async () => {
      store = make();
      await store.ensureBucket();
      await store.ensureBucket();
      await store.check();
    });

    test.each([0, 1, 1000, large])('stores and reads back %d bytes', async (size) => {
      const bytes = randomBytes(size);
      const key = `a/size-${size}.bin`;
      const result = await store.put(key, inChunks(bytes), {
        ...limit,
        expectedDigest: sha256(bytes),
      });
      expect(result).toEqual({ digest: sha256(bytes), sizeBytes: size });
      const { stream, sizeBytes } = await store.read(key);
      expect(sizeBytes).toBe(size);
      expect((await buffer(stream)).equals(bytes)).toBe(true);
    });

    test('takes names with spaces, signs and other scripts', async () => {
      const key = 'b/päth with spaces/a+b&c=d%20?#日本.txt';
      await store.put(key, inChunks(Buffer.from('x')), limit);
      expect(await keysOf('b/')).toEqual([key]);
      await store.copy(key, `${key}.copy`);
      expect((await contentOf(`${key}.copy`)).toString()).toBe('x');
    });

    test('reads a range, both its ends included', async () => {
      await store.put('r/range', inChunks(Buffer.from('0123456789')), limit);
      const { stream, sizeBytes } = await store.read('r/range', { range: { start: 2, end: 4 } });
      expect(sizeBytes).toBe(3);
      expect((await buffer(stream)).toString()).toBe('234');
    });

    test('says nothing is there when nothing is', async () => {
      expect(await store.stat('c/none')).toBeUndefined();
      await expect(store.read('c/none')).rejects.toThrow(ArtifactNotFound);
      await expect(store.copy('c/none', 'c/other')).rejects.toThrow(ArtifactNotFound);
      await store.delete('c/none');
      expect(await keysOf('c/')).toEqual([]);
    });

    test('gives size and time of what is there', async () => {
      await store.put('c/here', inChunks(Buffer.from('12345')), limit);
      const stat = await store.stat('c/here');
      expect(stat).toMatchObject({ key: 'c/here', sizeBytes: 5 });
      expect(Math.abs(Date.now() - (stat?.modifiedAt.getTime() ?? 0))).toBeLessThan(60_000);
    });

    test.each([1000, large])(
      'stores nothing of %d bytes where one less is allowed',
      async (size) => {
        const key = `d/too-large-${size}`;
        const put = store.put(key, inChunks(randomBytes(size)), { maxBytes: size - 1 });
        await expect(put).rejects.toThrow(ArtifactTooLarge);
        await store.put(`${key}.exact`, inChunks(randomBytes(size)), { maxBytes: size });
        expect(await keysOf(key)).toEqual([`${key}.exact`]);
      },
    );

    test.each([100, large])('keeps the old bytes when %d new ones do not match', async (size) => {
      const key = `e/kept-${size}`;
      await store.put(key, inChunks(Buffer.from('old')), limit);
      const put = store.put(key, inChunks(randomBytes(size)), {
        ...limit,
        expectedDigest: sha256(Buffer.from('something else')),
      });
      await expect(put).rejects.toThrow(DigestMismatch);
      expect((await contentOf(key)).toString()).toBe('old');
    });

    test('keeps the old bytes when the source breaks, and says why', async () => {
      await store.put('e/broken', inChunks(Buffer.from('old')), limit);
      const broken = (async function* () {
        yield randomBytes(large);
        throw new Error('client went away');
      })();
      await expect(store.put('e/broken', broken, limit)).rejects.toThrow('client went away');
      expect((await contentOf('e/broken')).toString()).toBe('old');
    });

    test('stores nothing when aborted', async () => {
      const abort = new AbortController();
      const body = (async function* () {
        yield Buffer.alloc(10);
        abort.abort(new Error('shutting down'));
        yield Buffer.alloc(10);
      })();
      const put = store.put('f/aborted', body, { ...limit, signal: abort.signal });
      await expect(put).rejects.toThrow('shutting down');
      const late = store.put('f/aborted', inChunks(Buffer.alloc(1)), {
        ...limit,
        signal: abort.signal,
      });
      await expect(late).rejects.toThrow('shutting down');
      expect(await store.stat('f/aborted')).toBeUndefined();
    });

    test('copies, again and again, and over what was there', async () => {
      const bytes = randomBytes(large);
      await store.put('g/source', inChunks(bytes), limit);
      await store.put('g/target', inChunks(Buffer.from('before')), limit);
      await store.copy('g/source', 'g/target');
      await store.copy('g/source', 'g/target');
      expect((await contentOf('g/target')).equals(bytes)).toBe(true);
      expect((await contentOf('g/source')).equals(bytes)).toBe(true);
    });

    test('lists folders one level at a time', async () => {
      for (const path of ['top.txt', 'model/model.onnx', 'model/env/conda.yaml', 'plots/a.png'])
        await store.put(`h/run/${path}`, inChunks(Buffer.from('1')), limit);
      const folder = await store.listFolder('h/run/');
      expect(folder.files.map(({ key }) => key)).toEqual(['h/run/top.txt']);
      expect(folder.folders).toEqual(['h/run/model/', 'h/run/plots/']);
      const inner = await store.listFolder('h/run/model/');
      expect(inner.files.map(({ key }) => key)).toEqual(['h/run/model/model.onnx']);
      expect(inner.folders).toEqual(['h/run/model/env/']);
      expect(await store.listFolder('h/nothing/')).toEqual({ files: [], folders: [] });
    });

    const putPart = (key: string, uploadId: string, partNumber: number, bytes: Buffer) =>
      store.uploads.put({ key, uploadId }, partNumber, {
        stream: Readable.from([bytes], { objectMode: false }),
        sizeBytes: bytes.length,
      });
    const openKeys = async (): Promise<readonly string[]> => {
      const keys: string[] = [];
      for await (const { key } of store.uploads.open()) keys.push(key);
      return keys;
    };

    test('makes an object of parts that came in any order, and twice', async () => {
      const key = 'j/whole ü.bin';
      const uploadId = await store.uploads.start(key, 'text/plain');
      expect(await openKeys()).toEqual([key]);
      const tail = await putPart(key, uploadId, 7, Buffer.from('tail'));
      await putPart(key, uploadId, 2, Buffer.alloc(5 * MiB, 'x'));
      const head = await putPart(key, uploadId, 2, Buffer.alloc(5 * MiB, 'a'));
      expect(await store.stat(key)).toBeUndefined();
      const parts = [
        { partNumber: 2, etag: head },
        { partNumber: 7, etag: tail },
      ];
      await store.uploads.complete({ key, uploadId }, parts, 64 * MiB);
      const bytes = await contentOf(key);
      expect(bytes.equals(Buffer.concat([Buffer.alloc(5 * MiB, 'a'), Buffer.from('tail')]))).toBe(
        true,
      );
      expect(await openKeys()).toEqual([]);
      const again = store.uploads.complete({ key, uploadId }, parts, 64 * MiB);
      await expect(again).rejects.toThrow(UploadNotFound);
    });

    test('refuses parts that are not those it has, and another key’s upload', async () => {
      const key = 'k/mine';
      const uploadId = await store.uploads.start(key, 'text/plain');
      const at = { key, uploadId };
      const etag = await putPart(key, uploadId, 1, Buffer.from('small'));
      const other = await putPart(key, uploadId, 2, Buffer.from('other'));
      const both = [
        { partNumber: 1, etag },
        { partNumber: 2, etag: other },
      ];
      const refused = async (parts: typeof both, error: new (...args: never[]) => Error) =>
        expect(store.uploads.complete(at, parts, 9)).rejects.toThrow(error);
      await refused([{ partNumber: 1, etag: other }], UploadRefused);
      await refused([{ partNumber: 3, etag }], UploadRefused);
      await refused([...both].reverse(), UploadRefused);
      await refused([], UploadRefused);
      await refused(both, ArtifactTooLarge);
      const small = store.uploads.complete(at, both, 100);
      await expect(small).rejects.toThrow(UploadRefused);
      await expect(putPart('k/theirs', uploadId, 1, Buffer.from('x'))).rejects.toThrow(
        UploadNotFound,
      );
      await expect(store.uploads.abort({ key: 'k/theirs', uploadId })).rejects.toThrow(
        UploadNotFound,
      );
      await store.uploads.abort(at);
      await expect(store.uploads.abort(at)).rejects.toThrow(UploadNotFound);
      expect(await keysOf('k/')).toEqual([]);
    });

    test('deletes a prefix and nothing beside it', async () => {
      for (const key of ['i/ns/a', 'i/ns/b/c', 'i/ns-2/a'])
        await store.put(key, inChunks(Buffer.from('1')), limit);
      expect(await store.deletePrefix('i/ns/')).toBe(2);
      expect(await store.deletePrefix('i/ns/')).toBe(0);
      expect(await keysOf('i/')).toEqual(['i/ns-2/a']);
      await expect(store.deletePrefix('i/ns')).rejects.toThrow('end it with /');
    });
  });
};
