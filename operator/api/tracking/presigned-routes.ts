import type { FastifyInstance } from 'fastify';
import { ArtifactNotFound } from '../../artifacts/artifact-errors.ts';
import type { RouteContext } from '../route-context.ts';
import { MlflowError } from './mlflow-error.ts';
import { operationsOf } from './operation.ts';
import { originOf } from './origin.ts';
import { readableKey } from './run-files.ts';
import { sendFile } from './send-file.ts';
import { isGoodLink, linkSignature } from './signed-link.ts';
import type { Link } from './signed-link.ts';
import { FILE_QUERY } from './upload-schemas.ts';

const BASE = '/api/2.0/mlflow-artifacts';

type Wildcard = { readonly '*': string };
type FileQuery = { readonly expires: number; readonly signature: string };

const documented = operationsOf('mlflow artifacts');

/**
 * Links by which clients read ranges of one file at once, without their token, when they are told
 * MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD. Each range that breaks off is asked for again alone.
 */
export const presignedRoutes = (app: FastifyInstance, context: RouteContext): void => {
  app.get<{ Params: Wildcard }>(
    `${BASE}/presigned/*`,
    { schema: documented('presignDownload', 'A link that reads one file in ranges') },
    async (request) => {
      const key = await readableKey(context, request, request.params['*']);
      const stat = await context.artifacts.stat(key);
      if (stat === undefined) throw new ArtifactNotFound(key);
      const expires = context.now() + context.config.presignSeconds * 1000;
      const signature = linkSignature(context.linkSecret, { may: 'file', key, expires });
      const path = key.split('/').map(encodeURIComponent).join('/');
      const url = `${originOf(request)}${BASE}/file/${path}?expires=${expires}&signature=${signature}`;
      return { url, headers: {}, file_size: stat.sizeBytes };
    },
  );
  app.get<{ Params: Wildcard; Querystring: FileQuery }>(
    `${BASE}/file/*`,
    {
      schema: { ...documented('readLinkedFile', 'One file, by its link'), querystring: FILE_QUERY },
      config: { auth: 'none', responseMediaType: 'application/octet-stream' },
    },
    async (request, reply) => {
      const { expires, signature } = request.query;
      const link: Link = { may: 'file', key: request.params['*'], expires };
      if (!isGoodLink(context.linkSecret, link, signature, context.now())) {
        throw new MlflowError(
          'PERMISSION_DENIED',
          'This link to a file was changed or has expired; ask for a new one.',
        );
      }
      return sendFile(context, request, reply, link.key);
    },
  );
};
