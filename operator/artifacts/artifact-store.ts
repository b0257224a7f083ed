import type { Readable } from 'node:stream';
import type { MultipartUploads } from './multipart-uploads.ts';

export type PutOptions = {
  /** The upload fails with `ArtifactTooLarge` as soon as one byte more than this has been read. */
  readonly maxBytes: number;
  /** `sha256:<hex>`; the upload fails with `DigestMismatch` when the bytes read have another. */
  readonly expectedDigest?: string;
  readonly contentType?: string;
  readonly signal?: AbortSignal;
};

export type PutResult = {
  /** `sha256:<64 hex digits>` of the bytes stored. */
  readonly digest: string;
  readonly sizeBytes: number;
};

export type ArtifactStat = {
  readonly key: string;
  readonly sizeBytes: number;
  readonly modifiedAt: Date;
};

/** First and last byte, both included, of an object that has them. */
export type ByteRange = { readonly start: number; readonly end: number };

export type ReadOptions = { readonly signal?: AbortSignal; readonly range?: ByteRange };

/** `sizeBytes` counts what the stream gives. */
export type ArtifactBody = { readonly stream: Readable; readonly sizeBytes: number };

export type ArtifactFolder = {
  /** What lies directly in the folder. */
  readonly files: readonly ArtifactStat[];
  /** Keys of the folders directly in it, each ending in `/`. */
  readonly folders: readonly string[];
};

/**
 * A bucket of bytes by key. Adapters: `s3-artifact-store.ts` and `memory-artifact-store.ts`, held
 * to one contract suite (`testing/artifact-store-contract.ts`).
 *
 * Keys come from `locations.ts`. Every call may throw `ArtifactStoreUnavailable`.
 */
export type ArtifactStore = {
  /**
   * Streams `body` to `key` in constant memory, hashing the bytes as they pass. What was stored at
   * the key before stays there, whole, unless this resolves.
   */
  put(key: string, body: AsyncIterable<Uint8Array>, options: PutOptions): Promise<PutResult>;
  /** Objects that arrive in parts. */
  readonly uploads: MultipartUploads;
  /** Throws `ArtifactNotFound`. The caller must consume or destroy the stream. */
  read(key: string, options?: ReadOptions): Promise<ArtifactBody>;
  stat(key: string): Promise<ArtifactStat | undefined>;
  /** Copies inside the store, without the bytes passing here. Throws `ArtifactNotFound`. */
  copy(from: string, to: string): Promise<void>;
  /** Every object whose key starts with `prefix`, in key order. */
  list(prefix: string): AsyncIterable<ArtifactStat>;
  /** One level below `prefix`, which is '' or ends in `/`. */
  listFolder(prefix: string): Promise<ArtifactFolder>;
  /** Deleting what is not there succeeds. */
  delete(key: string): Promise<void>;
  /** Deletes every object whose key starts with `prefix` (which must end in `/`); returns how many. */
  deletePrefix(prefix: string): Promise<number>;
  /** A URL that reads this one object without credentials, for `seconds` (at most 7 days). */
  presign(key: string, seconds: number): Promise<string>;
  /** Creates the bucket unless it exists. Safe to call at every start. */
  ensureBucket(): Promise<void>;
  /** Resolves when the bucket answers to our credentials; for readiness. */
  check(): Promise<void>;
};
