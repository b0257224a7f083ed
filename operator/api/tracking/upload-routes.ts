import type { FastifyInstance, FastifyRequest } from 'fastify';
import { digestOf } from '../../artifacts/inspect.ts';
import { MAX_PARTS } from '../../artifacts/multipart-uploads.ts';
import type { UploadPlace, UploadedPart } from '../../artifacts/multipart-uploads.ts';
import { UploadNotFound } from '../../artifacts/artifact-errors.ts';
import { UPLOAD_LIVES_MS } from '../../artifacts/sweep-uploads.ts';
import {
  artifactRecord,
  artifactTagKey,
  artifactTagValue,
} from '../../kinds/experiment/artifact-record.ts';
import type { RouteContext } from '../route-context.ts';
import { MlflowError } from './mlflow-error.ts';
import { operationsOf } from './operation.ts';
import { originOf } from './origin.ts';
import { tooLarge, writableFile } from './run-files.ts';
import type { RunFile } from './run-files.ts';
import { isGoodLink, linkSignature } from './signed-link.ts';
import type { Link } from './signed-link.ts';
import { ABORT_UPLOAD, COMPLETE_UPLOAD, CREATE_UPLOAD, PART_QUERY } from './upload-schemas.ts';

const BASE = '/api/2.0/mlflow-artifacts/mpu';
const PART = `${BASE}/part`;

type Wildcard = { readonly '*': string };
type UploadBody = {
  /** The file on the client's disk; its last segment is the name it gets. */
  readonly path: string;
  readonly num_parts?: number;
  readonly upload_id?: string;
  readonly parts?: readonly { readonly part_number: number; readonly etag?: string }[];
};

const documented = operationsOf('mlflow artifacts');

/**
 * Large files in parts, as clients send them by themselves from 500 MB on. Parts come to this API, by
 * links that are good for one part each: pods need not reach the store, nor clients outside of the
 * cluster. All state is the store's own, so any replica can take any part.
 */
export const uploadRoutes = (app: FastifyInstance, context: RouteContext): void => {
  app.post<{ Params: Wildcard; Body: UploadBody }>(
    `${BASE}/create/*`,
    {
      schema: {
        ...documented('createMultipartUpload', 'Begin to upload a file in parts'),
        body: CREATE_UPLOAD,
      },
    },
    async (request) => create(context, request),
  );
  app.post<{ Params: Wildcard; Body: UploadBody }>(
    `${BASE}/complete/*`,
    {
      schema: {
        ...documented('completeMultipartUpload', 'Make the file of its parts'),
        body: COMPLETE_UPLOAD,
      },
      // Clients repeat the link of each of up to 10,000 parts.
      bodyLimit: 16 * 1024 * 1024,
    },
    async (request) => {
      await complete(context, request);
      return {};
    },
  );
  app.post<{ Params: Wildcard; Body: UploadBody }>(
    `${BASE}/abort/*`,
    {
      schema: { ...documented('abortMultipartUpload', 'Drop the parts'), body: ABORT_UPLOAD },
    },
    async (request) => {
      const { key } = await fileOf(context, request);
      await context.artifacts.uploads.abort({ key, uploadId: request.body.upload_id ?? '' });
      return {};
    },
  );
};

type UploadRequest = FastifyRequest<{ Params: Wildcard; Body: UploadBody }>;

const fileOf = (
  context: RouteContext,
  request: UploadRequest,
): Promise<RunFile & { readonly key: string }> => {
  const name = request.body.path.split('/').at(-1) ?? '';
  const folder = request.params['*'].replace(/\/$/, '');
  return writableFile(context, request, `${folder}/${name}`);
};

const create = async (context: RouteContext, request: UploadRequest): Promise<object> => {
  const { num_parts: count = 1 } = request.body;
  if (count < 1 || count > MAX_PARTS) {
    throw new MlflowError(
      'INVALID_PARAMETER_VALUE',
      `Invalid value for parameter 'num_parts': ${count}; an upload has 1 to ${MAX_PARTS} parts. ` +
        'Set MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE to send fewer, larger ones.',
    );
  }
  const { key } = await fileOf(context, request);
  const uploadId = await context.artifacts.uploads.start(key, 'application/octet-stream');
  const expires = context.now() + UPLOAD_LIVES_MS;
  // All parts but the last are equally large, so none of an allowed file is larger than this.
  const maxBytes = Math.floor(context.config.maxArtifactBytes / Math.max(1, count - 1));
  const origin = originOf(request);
  return {
    upload_id: uploadId,
    credentials: Array.from({ length: count }, (_, index) => {
      const partNumber = index + 1;
      const link: Link = { may: 'part', key, expires, uploadId, partNumber, maxBytes };
      return {
        url: `${origin}${partPath(link, linkSignature(context.linkSecret, link))}`,
        part_number: partNumber,
        headers: {},
      };
    }),
  };
};

const partPath = (link: Link, signature: string): string => {
  const query = new URLSearchParams({
    upload_id: link.uploadId ?? '',
    part_number: String(link.partNumber),
    max_bytes: String(link.maxBytes),
    expires: String(link.expires),
    signature,
  });
  return `${PART}/${link.key.split('/').map(encodeURIComponent).join('/')}?${query.toString()}`;
};

const complete = async (context: RouteContext, request: UploadRequest): Promise<void> => {
  const { run, path, key } = await fileOf(context, request);
  const { upload_id: uploadId = '', parts = [] } = request.body;
  const { artifacts, runs, config } = context;
  const named = parts.map(({ part_number: partNumber, etag = '' }): UploadedPart => ({
    partNumber,
    etag,
  }));
  const at: UploadPlace = { key, uploadId };
  try {
    await artifacts.uploads.complete(at, named, config.maxArtifactBytes);
  } catch (error) {
    // The answer to a first completion was lost on its way.
    const again = artifactRecord(run.tags, path)?.uploadId === uploadId;
    if (error instanceof UploadNotFound && again) return;
    throw error;
  }
  const tag = artifactTagKey(path);
  // The digest of the file before; should this end here, readers hash the bytes themselves.
  await runs.deleteTag(run.runId, tag);
  const signal = AbortSignal.timeout(DIGEST_MS);
  const { digest, sizeBytes } = await digestOf((await artifacts.read(key, { signal })).stream);
  const record = artifactTagValue({ path, digest, sizeBytes, uploadId });
  await runs.logBatch(run.runId, { tags: { [tag]: record } });
};

/** Clients wait two minutes for an answer. */
const DIGEST_MS = 110_000;

type PartQuery = {
  readonly upload_id: string;
  readonly part_number: number;
  readonly max_bytes: number;
  readonly expires: number;
  readonly signature: string;
};

/** To be mounted where bodies are not read: whoever has the link may send this one part. */
export const uploadPartRoute = (app: FastifyInstance, context: RouteContext): void => {
  app.put<{ Params: Wildcard; Querystring: PartQuery }>(
    `${PART}/*`,
    {
      schema: {
        ...documented('uploadPart', 'Store one part, by the link that create gave'),
        querystring: PART_QUERY,
      },
      config: {
        auth: 'none',
        requestBody: { type: 'string', format: 'binary' },
        requestMediaType: 'application/octet-stream',
      },
    },
    async (request, reply) => {
      const { key, uploadId, partNumber, maxBytes } = goodPart(context, request);
      const sizeBytes = Number(request.headers['content-length']);
      if (!Number.isSafeInteger(sizeBytes)) {
        throw new MlflowError('INVALID_PARAMETER_VALUE', 'A part needs a Content-Length.', {
          status: 411,
        });
      }
      if (sizeBytes > maxBytes) throw tooLarge(`part ${partNumber}`, sizeBytes, maxBytes);
      const body = { stream: request.raw, sizeBytes };
      const etag = await context.artifacts.uploads.put({ key, uploadId }, partNumber, body);
      return reply.header('etag', etag).send({});
    },
  );
};

const goodPart = (
  { linkSecret, now }: RouteContext,
  request: FastifyRequest<{ Params: Wildcard; Querystring: PartQuery }>,
): Required<Link> => {
  const { upload_id, part_number, max_bytes, expires, signature } = request.query;
  const link: Required<Link> = {
    may: 'part',
    key: request.params['*'],
    ...{ uploadId: upload_id, partNumber: part_number, maxBytes: max_bytes, expires },
  };
  if (isGoodLink(linkSecret, link, signature, now())) return link;
  throw new MlflowError(
    'PERMISSION_DENIED',
    'This link to a part was changed or has expired; create a new upload.',
  );
};
