import { ArtifactTooLarge, UploadRefused } from './artifact-errors.ts';
import type { UploadPlace, UploadedPart } from './multipart-uploads.ts';

export type StoredPart = UploadedPart & { readonly sizeBytes: number };

/** Tags come with or without the quotes that HTTP puts around them. */
const bareTag = (etag: string): string => etag.replace(/^"(.*)"$/, '$1');

/** Throws unless `named` are parts that are stored, in rising order, and small enough together. */
export const checkParts = (
  { key }: UploadPlace,
  named: readonly UploadedPart[],
  stored: readonly StoredPart[],
  maxBytes: number,
): void => {
  if (named.length === 0) throw new UploadRefused(key, 'it names no part');
  const known = new Map(stored.map((part) => [part.partNumber, part]));
  let last = 0;
  let total = 0;
  for (const { partNumber, etag } of named) {
    const part = known.get(partNumber);
    if (partNumber <= last) throw new UploadRefused(key, 'its parts are not in rising order');
    if (part === undefined) throw new UploadRefused(key, `part ${partNumber} was not stored`);
    if (bareTag(part.etag) !== bareTag(etag)) {
      throw new UploadRefused(key, `the ETag of part ${partNumber} is not that of what was stored`);
    }
    last = partNumber;
    total += part.sizeBytes;
  }
  if (total > maxBytes) throw new ArtifactTooLarge(key, maxBytes);
};
