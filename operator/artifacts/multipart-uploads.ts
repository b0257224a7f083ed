import type { Readable } from 'node:stream';

/** One upload in parts: ids of uploads are good for their own key only. */
export type UploadPlace = { readonly key: string; readonly uploadId: string };

/** A part as the store confirmed it; the tag is what it answered to `put`. */
export type UploadedPart = { readonly partNumber: number; readonly etag: string };

export type PartBody = { readonly stream: Readable; readonly sizeBytes: number };

export type OpenUpload = UploadPlace & { readonly startedAt: Date };

/** S3 numbers parts from 1 to 10,000. */
export const MAX_PARTS = 10_000;

/**
 * Objects that arrive in parts, in any order and at once (S3's multipart upload). Nothing is visible
 * at the key before `complete`, and what was there stays until then. Calls about an upload that is
 * not open at this key throw `UploadNotFound`.
 */
export type MultipartUploads = {
  start(key: string, contentType: string): Promise<string>;
  /** Stores one part, or replaces it; gives the tag that `complete` must name. */
  put(at: UploadPlace, partNumber: number, body: PartBody): Promise<string>;
  /**
   * Throws `UploadRefused` when the parts are not those that were stored, in rising order, or when a
   * part before the last has less than 5 MiB; `ArtifactTooLarge` above `maxBytes`.
   */
  complete(at: UploadPlace, parts: readonly UploadedPart[], maxBytes: number): Promise<void>;
  abort(at: UploadPlace): Promise<void>;
  /** Every upload that was begun and neither completed nor aborted. */
  open(): AsyncIterable<OpenUpload>;
};
