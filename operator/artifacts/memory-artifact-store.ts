import { Readable } from 'node:stream';
import { ArtifactNotFound } from './artifact-errors.ts';
import type { ArtifactStat, ArtifactStore } from './artifact-store.ts';
import { CheckedBytes } from './checked-bytes.ts';
import { memoryUploads } from './memory-uploads.ts';

type Stored = { readonly bytes: Buffer; readonly modifiedAt: Date };

/** The store of tests. `tamper` changes bytes behind everybody's back, as a broken disk would. */
export type MemoryArtifactStore = ArtifactStore & {
  tamper(key: string, bytes: Uint8Array): void;
};

export const memoryArtifactStore = (now: () => Date = () => new Date()): MemoryArtifactStore => {
  const objects = new Map<string, Stored>();

  const stored = (key: string): Stored => {
    const object = objects.get(key);
    if (!object) throw new ArtifactNotFound(key);
    return object;
  };

  const below = (prefix: string): readonly ArtifactStat[] =>
    [...objects]
      .filter(([key]) => key.startsWith(prefix))
      .sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
      .map(([key, { bytes, modifiedAt }]) => ({ key, sizeBytes: bytes.length, modifiedAt }));

  return {
    uploads: memoryUploads((key, bytes) => {
      objects.set(key, { bytes, modifiedAt: now() });
    }, now),
    async put(key, body, options) {
      const checked = new CheckedBytes(key, body, options);
      const chunks: Buffer[] = [];
      for await (const chunk of checked.stream()) {
        options.signal?.throwIfAborted();
        chunks.push(chunk as Buffer);
      }
      options.signal?.throwIfAborted();
      objects.set(key, { bytes: Buffer.concat(chunks), modifiedAt: now() });
      return checked.result();
    },
    async read(key, { range } = {}) {
      const whole = stored(key).bytes;
      const bytes = range === undefined ? whole : whole.subarray(range.start, range.end + 1);
      return { stream: Readable.from([bytes], { objectMode: false }), sizeBytes: bytes.length };
    },
    async stat(key) {
      return below(key).find((stat) => stat.key === key);
    },
    async copy(from, to) {
      objects.set(to, { bytes: stored(from).bytes, modifiedAt: now() });
    },
    async *list(prefix) {
      yield* below(prefix);
    },
    async listFolder(prefix) {
      const all = below(prefix).map((stat) => ({ stat, rest: stat.key.slice(prefix.length) }));
      const inside = all.filter(({ rest }) => rest.includes('/'));
      return {
        files: all.filter(({ rest }) => !rest.includes('/')).map(({ stat }) => stat),
        folders: [...new Set(inside.map(({ rest }) => `${prefix}${rest.split('/')[0]}/`))],
      };
    },
    async delete(key) {
      objects.delete(key);
    },
    async deletePrefix(prefix) {
      if (!prefix.endsWith('/')) throw new Error(`Refusing to delete "${prefix}": end it with /.`);
      const keys = below(prefix).map(({ key }) => key);
      for (const key of keys) objects.delete(key);
      return keys.length;
    },
    async presign(key, seconds) {
      return `memory://${encodeURI(key)}?expires=${seconds}`;
    },
    async ensureBucket() {},
    async check() {},
    tamper(key, bytes) {
      objects.set(key, { bytes: Buffer.from(bytes), modifiedAt: stored(key).modifiedAt });
    },
  };
};
