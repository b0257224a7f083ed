import type { FastifyInstance, FastifyReply } from 'fastify';
import { cleanArtifactPath } from '../../artifacts/artifact-path.ts';
import { runArtifactKey, runPrefix } from '../../artifacts/locations.ts';
import {
  artifactTagKey,
  artifactTagsBelow,
  artifactTagValue,
} from '../../kinds/experiment/artifact-record.ts';
import type { Run } from '../../kinds/experiment/run-store.ts';
import type { RouteContext } from '../route-context.ts';
import { runIdOf } from './run-routes.ts';
import type { RunReference } from './run-routes.ts';
import { runArtifactUri } from './run-place.ts';
import { sendFile } from './send-file.ts';
import { placed, readableKey, tooLarge, writableFile } from './run-files.ts';
import type { RunFile } from './run-files.ts';
import { trackedRun } from './tracking-access.ts';
import { uploadPartRoute } from './upload-routes.ts';
import { versionFiles, versionPlace } from './version-artifacts.ts';
import { LIST_ARTIFACTS } from './wire-schemas.ts';

const ARTIFACTS = '/api/2.0/mlflow-artifacts/artifacts';

type Wildcard = { readonly '*': string };

const documented = (operationId: string, summary: string): object => ({
  operationId,
  summary,
  tags: ['mlflow artifacts'],
});

/** Artifacts of runs: bytes pass through, hashed on the way, and are never held here. */
export const artifactRoutes = (app: FastifyInstance, context: RouteContext): void => {
  app.register(async (scope) => {
    // Whatever its type, a body is bytes: none is parsed, and none is read before it is allowed.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null));
    // Closing is the only way not to read the rest of a body that was refused.
    scope.addHook('onSend', async (request, reply) => {
      if (!request.raw.complete) void reply.header('connection', 'close');
    });
    uploadRoute(scope, context);
    uploadPartRoute(scope, context);
    downloadRoute(scope, context);
    deleteRoute(scope, context);
  });
  listRoutes(app, context);
};

const uploadRoute = (app: FastifyInstance, context: RouteContext): void => {
  app.put<{ Params: Wildcard }>(
    `${ARTIFACTS}/*`,
    {
      schema: {
        ...documented('uploadArtifact', 'Store one file of a run'),
        response: { 200: { type: 'object' } },
      },
      config: {
        requestBody: { type: 'string', format: 'binary' },
        requestMediaType: 'application/octet-stream',
      },
    },
    async (request) => {
      const { run, path, key } = await writableFile(context, request, request.params['*']);
      const { maxArtifactBytes: maxBytes } = context.config;
      const declared = Number(request.headers['content-length'] ?? 0);
      if (declared > maxBytes) throw tooLarge(path, declared, maxBytes);
      const contentType = request.headers['content-type'];
      const stored = await context.artifacts.put(key, request.raw, {
        maxBytes,
        ...(contentType === undefined ? {} : { contentType }),
      });
      const record = artifactTagValue({ path, ...stored });
      await context.runs.logBatch(run.runId, { tags: { [artifactTagKey(path)]: record } });
      return {};
    },
  );
};

const downloadRoute = (app: FastifyInstance, context: RouteContext): void => {
  app.get<{ Params: Wildcard }>(
    `${ARTIFACTS}/*`,
    {
      schema: {
        ...documented('downloadArtifact', 'Read one file of a run'),
        response: { 200: { type: 'string', format: 'binary' } },
      },
      config: { responseMediaType: 'application/octet-stream' },
    },
    async (request, reply) => {
      const key = await readableKey(context, request, request.params['*']);
      return sendFile(context, request, reply, key);
    },
  );
};

const deleteRoute = (app: FastifyInstance, context: RouteContext): void => {
  app.delete<{ Params: Wildcard }>(
    `${ARTIFACTS}/*`,
    {
      schema: {
        ...documented('deleteArtifacts', 'Delete a file or folder of a run'),
        response: { 204: { type: 'null' } },
      },
    },
    async (request, reply): Promise<FastifyReply> => {
      const { run, path } = await placed(context, request, request.params['*'], 'write');
      const key = keyOf(run, path);
      if (path !== '') await context.artifacts.delete(key.replace(/\/$/, ''));
      await context.artifacts.deletePrefix(key);
      for (const tag of artifactTagsBelow(run.tags, path)) {
        await context.runs.deleteTag(run.runId, tag);
      }
      return reply.code(204).send();
    },
  );
};

const listRoutes = (app: FastifyInstance, context: RouteContext): void => {
  app.get<{ Querystring: { readonly path?: string } }>(
    ARTIFACTS,
    {
      schema: {
        ...documented('listArtifacts', 'What lies in a folder, named relative to it'),
        querystring: { type: 'object', properties: { path: { type: 'string', maxLength: 1024 } } },
        response: { 200: { type: 'object' } },
      },
    },
    async (request) => {
      const location = request.query.path ?? '';
      const ofVersion = await versionPlace(context, request, location);
      if (ofVersion !== undefined) return { files: await versionFiles(context, ofVersion) };
      const { run, path } = await placed(context, request, location, 'read');
      return { files: await filesOf(context, { run, path }, keyOf(run, path)) };
    },
  );
  app.get<{ Querystring: RunReference & { readonly path?: string } }>(
    '/api/2.0/mlflow/artifacts/list',
    {
      schema: {
        ...documented(
          'listRunArtifacts',
          'What lies in a folder of a run, named relative to the run',
        ),
        querystring: LIST_ARTIFACTS,
        response: { 200: { type: 'object' } },
      },
    },
    async (request) => {
      const run = await trackedRun(context, request, runIdOf(request.query), 'read');
      const path = request.query.path ? cleanArtifactPath(request.query.path) : '';
      return {
        root_uri: runArtifactUri(run),
        files: await filesOf(context, { run, path }, keyOf(run, '')),
      };
    },
  );
};

/** Key prefix of a folder of a run, with the slash at its end. */
const keyOf = ({ experiment, runId }: Run, path: string): string =>
  path === ''
    ? runPrefix(experiment.namespace, runId)
    : `${runArtifactKey(experiment.namespace, runId, path)}/`;

/** What lies directly in the folder, by its name below `root`. */
const filesOf = async (
  { artifacts }: RouteContext,
  { run, path }: RunFile,
  root: string,
): Promise<readonly object[]> => {
  const { files, folders } = await artifacts.listFolder(keyOf(run, path));
  return [
    ...folders.map((key) => ({ path: key.slice(root.length, -1), is_dir: true })),
    ...files.map(({ key, sizeBytes }) => ({
      path: key.slice(root.length),
      is_dir: false,
      file_size: sizeBytes,
    })),
  ];
};
