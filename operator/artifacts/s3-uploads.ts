import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { UploadNotFound, UploadRefused } from './artifact-errors.ts';
import { checkParts, type StoredPart } from './check-parts.ts';
import type { MultipartUploads, OpenUpload, UploadPlace } from './multipart-uploads.ts';
import { translated } from './s3-client.ts';

/** Uploads in parts on any S3-compatible server, which keeps all there is to know about them. */
export const s3Uploads = (client: S3Client, bucket: string): MultipartUploads => ({
  start: (key, contentType) =>
    about({ key, uploadId: '' }, async () => {
      const { UploadId } = await client.send(
        new CreateMultipartUploadCommand({ Bucket: bucket, Key: key, ContentType: contentType }),
      );
      return UploadId ?? '';
    }),
  put: (at, partNumber, { stream, sizeBytes }) =>
    about(at, async () => {
      const { ETag } = await client.send(
        new UploadPartCommand({
          ...target(bucket, at),
          PartNumber: partNumber,
          Body: stream,
          ContentLength: sizeBytes,
        }),
      );
      return ETag ?? '';
    }),
  complete: (at, parts, maxBytes) =>
    about(at, async () => {
      checkParts(at, parts, await storedParts(client, bucket, at), maxBytes);
      const Parts = parts.map(({ partNumber, etag }) => ({ PartNumber: partNumber, ETag: etag }));
      await client.send(
        new CompleteMultipartUploadCommand({ ...target(bucket, at), MultipartUpload: { Parts } }),
      );
    }),
  abort: (at) =>
    about(at, async () => {
      await client.send(new AbortMultipartUploadCommand(target(bucket, at)));
    }),
  open: () => openUploads(client, bucket),
});

const target = (Bucket: string, { key, uploadId }: UploadPlace) => ({
  ...{ Bucket, Key: key, UploadId: uploadId },
});

const storedParts = async (
  client: S3Client,
  bucket: string,
  at: UploadPlace,
): Promise<readonly StoredPart[]> => {
  const parts: StoredPart[] = [];
  let after: { PartNumberMarker?: string | undefined } = {};
  for (;;) {
    const page = await client.send(new ListPartsCommand({ ...target(bucket, at), ...after }));
    for (const { PartNumber = 0, ETag = '', Size = 0 } of page.Parts ?? [])
      parts.push({ partNumber: PartNumber, etag: ETag, sizeBytes: Size });
    // Some servers give a marker on the last page too, on which the SDK's paginator never ends.
    if (page.IsTruncated !== true) return parts;
    after = { PartNumberMarker: page.NextPartNumberMarker };
  }
};

async function* openUploads(client: S3Client, Bucket: string): AsyncGenerator<OpenUpload> {
  let after: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } = {};
  for (;;) {
    const page = await about({ key: '', uploadId: '' }, () =>
      client.send(new ListMultipartUploadsCommand({ Bucket, ...after })),
    );
    for (const { Key = '', UploadId = '', Initiated } of page.Uploads ?? [])
      yield { key: Key, uploadId: UploadId, startedAt: Initiated ?? new Date(0) };
    if (page.IsTruncated !== true) return;
    after = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
  }
}

/** What S3 says when the caller is at fault. */
const REFUSALS: Readonly<Record<string, string>> = {
  InvalidPart: 'a part is missing or not what its ETag says',
  InvalidPartOrder: 'its parts are not in rising order',
  EntityTooSmall: 'a part before the last has less than 5 MiB',
};

const about = async <T>({ key }: UploadPlace, call: () => Promise<T>): Promise<T> => {
  try {
    return await call();
  } catch (error) {
    const name = error instanceof Error ? error.name : '';
    if (name === 'NoSuchUpload') throw new UploadNotFound(key, error);
    const refusal = REFUSALS[name];
    if (refusal !== undefined) throw new UploadRefused(key, refusal, error);
    throw translated(key === '' ? 'list uploads' : `take parts of "${key}"`, error);
  }
};
