import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { SourceError } from './source-error.ts';

export type StoredFile = { readonly sha256: string; readonly sizeBytes: number };

/**
 * Writes the bytes to `path` while hashing them, on disk before it returns. Throws SourceError
 * `TooLarge` as soon as `limitBytes` is passed, `ArtifactUnavailable` when fewer than
 * `announcedBytes` came.
 */
export async function storeFile(
  bytes: AsyncIterable<Uint8Array>,
  path: string,
  limitBytes: number,
  announcedBytes?: number,
): Promise<StoredFile> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  const file = await open(path, 'w', 0o600);
  try {
    for await (const chunk of bytes) {
      sizeBytes += chunk.byteLength;
      if (sizeBytes > limitBytes) throw tooLarge(`more than ${String(limitBytes)}`, limitBytes);
      hash.update(chunk);
      await file.writeFile(chunk);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  if (announcedBytes !== undefined && sizeBytes < announcedBytes) {
    throw new SourceError(
      'ArtifactUnavailable',
      'unavailable',
      `only ${String(sizeBytes)} of ${String(announcedBytes)} bytes came`,
    );
  }
  return { sha256: hash.digest('hex'), sizeBytes };
}

export function tooLarge(size: string, limitBytes: number): SourceError {
  return new SourceError(
    'TooLarge',
    'final',
    `the model has ${size} bytes, at most ${String(limitBytes)} are allowed; serve a smaller one or raise MLOPS_MAX_MODEL_BYTES`,
  );
}
