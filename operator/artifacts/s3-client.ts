import { S3Client } from '@aws-sdk/client-s3';
import { ArtifactError, ArtifactStoreUnavailable } from './artifact-errors.ts';

export type S3Options = {
  /** Absent: AWS itself. */
  readonly endpoint?: string;
  /** Where pods reach the same store, when that is another address; presigned URLs name it. */
  readonly presignEndpoint?: string;
  readonly region: string;
  readonly bucket: string;
  /** Absent: the SDK's default chain (workload identity). */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** False only for stores that want the bucket in the host name. Default true. */
  readonly pathStyle?: boolean;
  /** Some S3 clones fail on the SDK's CRC32 trailers, hence `WHEN_REQUIRED` by default. */
  readonly checksums?: 'WHEN_REQUIRED' | 'WHEN_SUPPORTED';
  /** One request, connection included. Default 2 minutes: copies answer late. */
  readonly requestTimeoutMs?: number;
  readonly maxAttempts?: number;
  /** Also the memory one upload takes is a few of these. S3 takes 10,000 parts. Default 16 MiB. */
  readonly partBytes?: number;
  /** Larger objects are copied part by part; S3 copies at most 5 GiB at once. */
  readonly copyPartBytes?: number;
};

export const s3Client = (options: S3Options, endpoint: string | undefined): S3Client =>
  new S3Client({
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
    region: options.region,
    forcePathStyle: options.pathStyle ?? true,
    requestChecksumCalculation: options.checksums ?? 'WHEN_REQUIRED',
    responseChecksumValidation: options.checksums ?? 'WHEN_REQUIRED',
    maxAttempts: options.maxAttempts ?? 4,
    requestHandler: {
      connectionTimeout: 5_000,
      requestTimeout: options.requestTimeoutMs ?? 120_000,
      throwOnRequestTimeout: true,
    },
  });

/** No such object or bucket. */
export const isMissing = (error: unknown): boolean =>
  error instanceof Error && ['NoSuchKey', 'NotFound', 'NoSuchBucket'].includes(error.name);

/** Our own errors pass; everything else means that the store failed us. */
export const translated = (what: string, error: unknown): ArtifactError =>
  error instanceof ArtifactError ? error : new ArtifactStoreUnavailable(what, error);
