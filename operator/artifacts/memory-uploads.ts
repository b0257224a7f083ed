import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { UploadNotFound, UploadRefused } from './artifact-errors.ts';
import { checkParts, type StoredPart } from './check-parts.ts';
import type { MultipartUploads, UploadPlace } from './multipart-uploads.ts';

type Part = StoredPart & { readonly bytes: Buffer };
type Open = {
  readonly key: string;
  readonly startedAt: Date;
  readonly parts: Map<number, Part>;
};

const MIN_PART_BYTES = 5 * 1024 * 1024;

/** Uploads in parts for tests; `keep` gets what has been completed. */
export const memoryUploads = (
  keep: (key: string, bytes: Buffer) => void,
  now: () => Date,
): MultipartUploads => {
  const uploads = new Map<string, Open>();
  let count = 0;

  const opened = ({ key, uploadId }: UploadPlace): Open => {
    const upload = uploads.get(uploadId);
    if (upload?.key !== key) throw new UploadNotFound(key);
    return upload;
  };

  return {
    async start(key) {
      const uploadId = `upload-${++count}`;
      uploads.set(uploadId, { key, startedAt: now(), parts: new Map() });
      return uploadId;
    },
    async put(at, partNumber, { stream }) {
      const { parts } = opened(at);
      const bytes = await buffer(stream);
      const etag = `"${createHash('md5').update(bytes).digest('hex')}"`;
      parts.set(partNumber, { partNumber, etag, bytes, sizeBytes: bytes.length });
      return etag;
    },
    async complete(at, named, maxBytes) {
      const { parts } = opened(at);
      checkParts(at, named, [...parts.values()], maxBytes);
      const bodies = named.flatMap(({ partNumber }) => parts.get(partNumber)?.bytes ?? []);
      if (bodies.slice(0, -1).some(({ length }) => length < MIN_PART_BYTES))
        throw new UploadRefused(at.key, 'a part before the last has less than 5 MiB');
      uploads.delete(at.uploadId);
      keep(at.key, Buffer.concat(bodies));
    },
    async abort(at) {
      opened(at);
      uploads.delete(at.uploadId);
    },
    async *open() {
      for (const [uploadId, { key, startedAt }] of uploads) yield { key, uploadId, startedAt };
    },
  };
};
