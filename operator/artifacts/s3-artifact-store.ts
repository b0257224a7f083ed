import type { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  type S3Client,
  UploadPartCopyCommand,
  paginateListObjectsV2,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { ArtifactNotFound, ArtifactStoreUnavailable } from './artifact-errors.ts';
import type {
  ArtifactBody,
  ArtifactFolder,
  ArtifactStat,
  ArtifactStore,
  ReadOptions,
  PutOptions,
  PutResult,
} from './artifact-store.ts';
import { CheckedBytes } from './checked-bytes.ts';
import type { MultipartUploads } from './multipart-uploads.ts';
import { isMissing, type S3Options, s3Client, translated } from './s3-client.ts';
import { s3Uploads } from './s3-uploads.ts';

const MiB = 1024 * 1024;
const GiB = 1024 * MiB;
const DELETE_BATCH = 1000;

/** The store on any S3-compatible server. */
export const s3ArtifactStore = (options: S3Options): ArtifactStore => new S3ArtifactStore(options);

class S3ArtifactStore implements ArtifactStore {
  readonly #client: S3Client;
  readonly #presigner: S3Client;
  readonly #bucket: string;
  readonly #partBytes: number;
  readonly #copyPartBytes: number;
  readonly uploads: MultipartUploads;

  constructor(options: S3Options) {
    this.#client = s3Client(options, options.endpoint);
    this.#presigner = s3Client(options, options.presignEndpoint ?? options.endpoint);
    this.#bucket = options.bucket;
    this.uploads = s3Uploads(this.#client, options.bucket);
    this.#partBytes = options.partBytes ?? 16 * MiB;
    this.#copyPartBytes = options.copyPartBytes ?? GiB;
  }

  async put(key: string, body: AsyncIterable<Uint8Array>, options: PutOptions): Promise<PutResult> {
    options.signal?.throwIfAborted();
    const checked = new CheckedBytes(key, body, options);
    const abort = new AbortController();
    const stop = () => abort.abort(options.signal?.reason);
    options.signal?.addEventListener('abort', stop, { once: true });
    const upload = new Upload({
      client: this.#client,
      params: {
        Bucket: this.#bucket,
        Key: key,
        Body: checked.stream(),
        ContentType: options.contentType ?? 'application/octet-stream',
      },
      partSize: Math.max(this.#partBytes, Math.ceil(options.maxBytes / 9_000)),
      queueSize: 2,
      leavePartsOnError: false,
      abortController: abort,
    });
    try {
      // A failed check ends the body with an error: the parts sent so far are dropped, and the
      // object never appears.
      await upload.done();
      return checked.result();
    } catch (error) {
      options.signal?.throwIfAborted();
      throw checked.failure ?? translated(`store "${key}"`, error);
    } finally {
      options.signal?.removeEventListener('abort', stop);
    }
  }

  async read(key: string, { signal, range }: ReadOptions = {}): Promise<ArtifactBody> {
    return this.#about(key, 'read', async () => {
      const Range = range && `bytes=${range.start}-${range.end}`;
      const answer = await this.#client.send(
        new GetObjectCommand({ Bucket: this.#bucket, Key: key, ...(Range && { Range }) }),
        signal ? { abortSignal: signal } : {},
      );
      // On Node the SDK's body is a Readable; its type also covers browsers.
      return { stream: answer.Body as Readable, sizeBytes: answer.ContentLength ?? 0 };
    });
  }

  async stat(key: string): Promise<ArtifactStat | undefined> {
    try {
      return await this.#about(key, 'look up', async () => {
        const head = await this.#client.send(
          new HeadObjectCommand({ Bucket: this.#bucket, Key: key }),
        );
        return statOf(key, head.ContentLength, head.LastModified);
      });
    } catch (error) {
      if (error instanceof ArtifactNotFound) return undefined;
      throw error;
    }
  }

  async copy(from: string, to: string): Promise<void> {
    const source = await this.stat(from);
    if (!source) throw new ArtifactNotFound(from);
    const CopySource = `${this.#bucket}/${from.split('/').map(encodeURIComponent).join('/')}`;
    await this.#about(from, 'copy', async () => {
      if (source.sizeBytes > this.#copyPartBytes)
        await this.#copyInParts(CopySource, to, source.sizeBytes);
      else
        await this.#client.send(
          new CopyObjectCommand({ Bucket: this.#bucket, Key: to, CopySource }),
        );
    });
  }

  async #copyInParts(CopySource: string, to: string, sizeBytes: number): Promise<void> {
    const target = { Bucket: this.#bucket, Key: to };
    const { UploadId } = await this.#client.send(new CreateMultipartUploadCommand(target));
    try {
      const Parts: { ETag: string | undefined; PartNumber: number }[] = [];
      for (let start = 0; start < sizeBytes; start += this.#copyPartBytes) {
        const end = Math.min(start + this.#copyPartBytes, sizeBytes) - 1;
        const PartNumber = Parts.length + 1;
        const CopySourceRange = `bytes=${start}-${end}`;
        const part = { ...target, UploadId, PartNumber, CopySource, CopySourceRange };
        const { CopyPartResult } = await this.#client.send(new UploadPartCopyCommand(part));
        Parts.push({ ETag: CopyPartResult?.ETag, PartNumber });
      }
      const complete = { ...target, UploadId, MultipartUpload: { Parts } };
      await this.#client.send(new CompleteMultipartUploadCommand(complete));
    } catch (error) {
      await this.#client.send(new AbortMultipartUploadCommand({ ...target, UploadId }));
      throw error;
    }
  }

  async *list(prefix: string): AsyncIterable<ArtifactStat> {
    for await (const { files } of this.#pages(prefix)) yield* files;
  }

  async listFolder(prefix: string): Promise<ArtifactFolder> {
    const pages: ArtifactFolder[] = [];
    for await (const page of this.#pages(prefix, '/')) pages.push(page);
    return {
      files: pages.flatMap(({ files }) => files),
      folders: pages.flatMap(({ folders }) => folders),
    };
  }

  async *#pages(Prefix: string, Delimiter?: string): AsyncGenerator<ArtifactFolder> {
    const query = { Bucket: this.#bucket, Prefix, Delimiter };
    try {
      for await (const page of paginateListObjectsV2({ client: this.#client }, query))
        yield {
          files: (page.Contents ?? []).map((object) =>
            statOf(object.Key ?? '', object.Size, object.LastModified),
          ),
          folders: (page.CommonPrefixes ?? []).map((folder) => folder.Prefix ?? ''),
        };
    } catch (error) {
      throw translated(`list "${Prefix}"`, error);
    }
  }

  async delete(key: string): Promise<void> {
    await this.#about(key, 'delete', () =>
      this.#client.send(new DeleteObjectCommand({ Bucket: this.#bucket, Key: key })),
    );
  }

  async deletePrefix(prefix: string): Promise<number> {
    if (!prefix.endsWith('/')) throw new Error(`Refusing to delete "${prefix}": end it with /.`);
    let deleted = 0;
    let batch: string[] = [];
    for await (const { key } of this.list(prefix)) {
      batch.push(key);
      if (batch.length < DELETE_BATCH) continue;
      deleted += await this.#deleteBatch(batch);
      batch = [];
    }
    return deleted + (await this.#deleteBatch(batch));
  }

  async #deleteBatch(keys: readonly string[]): Promise<number> {
    if (keys.length === 0) return 0;
    const Delete = { Objects: keys.map((Key) => ({ Key })), Quiet: true };
    return this.#about(keys[0] ?? '', 'delete', async () => {
      const answer = await this.#client.send(
        new DeleteObjectsCommand({ Bucket: this.#bucket, Delete }),
      );
      const [failed] = answer.Errors ?? [];
      if (failed)
        throw new ArtifactStoreUnavailable(`delete "${failed.Key ?? ''}"`, failed.Message);
      return keys.length;
    });
  }

  async presign(key: string, seconds: number): Promise<string> {
    const command = new GetObjectCommand({ Bucket: this.#bucket, Key: key });
    return getSignedUrl(this.#presigner, command, { expiresIn: seconds });
  }

  async ensureBucket(): Promise<void> {
    try {
      await this.#client.send(new HeadBucketCommand({ Bucket: this.#bucket }));
    } catch (error) {
      if (!isMissing(error)) throw translated(`look up bucket "${this.#bucket}"`, error);
      await this.#createBucket();
    }
  }

  async #createBucket(): Promise<void> {
    try {
      await this.#client.send(new CreateBucketCommand({ Bucket: this.#bucket }));
    } catch (error) {
      // Another replica starting at the same moment may have been faster.
      if (error instanceof Error && error.name === 'BucketAlreadyOwnedByYou') return;
      throw translated(`create bucket "${this.#bucket}"`, error);
    }
  }

  async check(): Promise<void> {
    try {
      await this.#client.send(new HeadBucketCommand({ Bucket: this.#bucket }));
    } catch (error) {
      throw translated(`reach bucket "${this.#bucket}"`, error);
    }
  }

  async #about<T>(key: string, verb: string, call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      if (isMissing(error)) throw new ArtifactNotFound(key, error);
      throw translated(`${verb} "${key}"`, error);
    }
  }
}

const statOf = (
  key: string,
  size: number | undefined,
  modified: Date | undefined,
): ArtifactStat => ({
  key,
  sizeBytes: size ?? 0,
  modifiedAt: modified ?? new Date(0),
});
