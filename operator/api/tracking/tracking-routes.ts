import type { FastifyInstance } from 'fastify';
import type { Authenticator } from '../auth.ts';
import { requireToken } from '../require-token.ts';
import type { RouteContext } from '../route-context.ts';
import { artifactRoutes } from './artifact-routes.ts';
import { createExperimentDirectory } from './experiment-directory.ts';
import { experimentChanges } from './experiment-changes.ts';
import { experimentRoutes } from './experiment-routes.ts';
import { loggedModelRoutes } from './logged-model-routes.ts';
import { MlflowError, asMlflowError } from './mlflow-error.ts';
import { registryRoutes } from './registry/registry-routes.ts';
import { runRoutes } from './run-routes.ts';
import { metricHistoryRoutes } from './metric-history.ts';
import { runInputRoutes } from './run-input-routes.ts';
import { runSearchRoutes } from './run-search.ts';
import { presignedRoutes } from './presigned-routes.ts';
import { uploadRoutes } from './upload-routes.ts';
import { runTokenRoutes } from './run-token-routes.ts';
import { webhookRoutes } from './webhooks/webhook-routes.ts';
import { withRunTokens } from './run-token.ts';

/** The MLflow release whose protocol this is; clients decide by it what to send. */
export const MLFLOW_VERSION = '3.17.2';

/** The part of MLflow's REST API that tracking clients need, with its own kind of errors. */
export const trackingRoutes = (
  app: FastifyInstance,
  routeContext: RouteContext,
  authenticate: Authenticator,
): void => {
  app.setErrorHandler((error, request, reply) => {
    const answer = asMlflowError(error);
    // A client that went away in the middle is nobody's fault here.
    const cut = request.raw.destroyed && !request.raw.complete;
    if (answer.status === 500 && !cut) request.log.error({ err: error }, 'Request failed');
    if (answer.status === 503) request.log.warn({ err: error }, 'Request failed');
    if (answer.status === 401) void reply.header('www-authenticate', 'Bearer');
    if (answer.retryAfterSeconds !== undefined) {
      void reply.header('retry-after', String(answer.retryAfterSeconds));
    }
    return reply
      .code(answer.status)
      .type('application/json; charset=utf-8')
      .send({ error_code: answer.code, message: answer.message });
  });
  // As protocol buffers are written: what is empty is left out.
  app.addHook('preSerialization', async (_request, _reply, payload) => withoutEmptyLists(payload));
  requireToken(app, withRunTokens(authenticate, routeContext.runs, routeContext.now));
  aboutRoutes(app);
  const context = {
    ...routeContext,
    experiments: createExperimentDirectory(routeContext.cluster, routeContext.now),
  };
  experimentRoutes(app, context);
  experimentChanges(app, context);
  runRoutes(app, context);
  runSearchRoutes(app, context);
  runInputRoutes(app, context);
  runTokenRoutes(app, context);
  metricHistoryRoutes(app, context);
  loggedModelRoutes(app, context);
  artifactRoutes(app, context);
  uploadRoutes(app, context);
  presignedRoutes(app, context);
  registryRoutes(app, context);
  webhookRoutes(app, context);
  for (const url of [
    '/api/2.0/mlflow/*',
    '/api/3.0/mlflow/*',
    '/api/2.0/mlflow-artifacts/*',
    '/v1/traces',
  ]) {
    app.all(url, { config: { hidden: true } }, notOffered);
  }
};

const withoutEmptyLists = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withoutEmptyLists);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, each]) => !Array.isArray(each) || each.length > 0)
      .map(([key, each]) => [key, withoutEmptyLists(each)]),
  );
};

const notOffered = async (request: {
  readonly method: string;
  readonly url: string;
}): Promise<never> => {
  throw new MlflowError(
    'ENDPOINT_NOT_FOUND',
    `${request.method} ${request.url.split('?')[0] ?? ''} is not part of the MLflow protocol that ` +
      'this API offers: experiments, runs, artifacts, logged models, the model registry and its webhooks.',
  );
};

const aboutRoutes = (app: FastifyInstance): void => {
  app.get(
    '/version',
    {
      schema: {
        operationId: 'getMlflowVersion',
        summary: "The release of MLflow's protocol that is spoken here",
        tags: ['mlflow'],
        response: { 200: { type: 'string' } },
      },
      config: { auth: 'none', responseMediaType: 'text/plain' },
    },
    async (_request, reply) => reply.type('text/plain; charset=utf-8').send(MLFLOW_VERSION),
  );
  app.get(
    '/api/3.0/mlflow/server-info',
    {
      schema: {
        operationId: 'getServerInfo',
        summary: 'What clients may use: workspaces are namespaces',
        tags: ['mlflow'],
        response: { 200: { type: 'object' } },
      },
      config: { auth: 'none' },
    },
    async () => ({
      store_type: 'SqlStore',
      workspaces_enabled: true,
      trace_archival_enabled: false,
      multipart_uploads_enabled: true,
      // It would double the requests for small files; clients that want it say so themselves.
      multipart_downloads_enabled: false,
      presigned_upload_run_id_supported: false,
      presigned_upload_model_id_supported: false,
    }),
  );
};
