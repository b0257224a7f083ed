import { LogController, fastify } from 'fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import { createAccess } from './access.ts';
import { asProblem } from './as-problem.ts';
import { createAuthenticator } from './auth.ts';
import { openApiDocument } from './openapi.ts';
import { createPodGrants } from './pod-grants.ts';
import { Problem, problemDocument } from './problem.ts';
import { requireToken } from './require-token.ts';
import { resourceReads } from './resource-reads.ts';
import { resourceWrites } from './resource-writes.ts';
import type { ApiPorts, ApiRoutes, RouteContext } from './route-context.ts';
import { searchRoutes } from './search-routes.ts';
import { trackingRoutes } from './tracking/tracking-routes.ts';

const BODY_LIMIT = 1024 * 1024;

/**
 * The REST API, not yet listening. `kindRoutes` are what kinds add to the routes all of them have.
 */
export const createServer = (
  ports: ApiPorts,
  kindRoutes: readonly ApiRoutes[] = [],
): FastifyInstance => {
  const app = fastify({
    loggerInstance: ports.log,
    genReqId: () => ports.newId(),
    logController: new LogController({ disableRequestLogging: true }),
    // Metric values are numbers, or strings where JSON has no number for them.
    ajv: { customOptions: { allowUnionTypes: true } },
    bodyLimit: BODY_LIMIT,
    // A HEAD would read all that a GET sends, to throw it away.
    exposeHeadRoutes: false,
    forceCloseConnections: 'idle',
    // Long names and artifact paths; the routes have limits of their own.
    routerOptions: { maxParamLength: 1024 },
  });
  // Response schemas are documentation: objects go out as the cluster has them, unknown fields too.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  app.decorateRequest('identity', undefined);
  app.removeContentTypeParser('text/plain');
  const routes: RouteOptions[] = [];
  app.addHook('onRoute', (route) => void routes.push(route));
  answers(app);
  const context: RouteContext = {
    ...ports,
    access: createAccess(ports.cluster, ports.now),
    podGrants: createPodGrants(ports.cluster),
  };
  const authenticate = createAuthenticator(ports.cluster, ports.now);
  openApiRoute(app, ports, routes);
  app.register(async (scope) => {
    requireToken(scope, authenticate);
    for (const kind of ports.kinds) {
      resourceReads(scope, kind, context);
      resourceWrites(scope, kind, context);
    }
    searchRoutes(scope, context);
    for (const add of kindRoutes) add(scope, context);
  });
  app.register(async (scope) => trackingRoutes(scope, context, authenticate));
  return app;
};

const openApiRoute = (
  app: FastifyInstance,
  { kinds }: ApiPorts,
  routes: readonly RouteOptions[],
): void => {
  let document: string | undefined;
  app.get(
    '/openapi.json',
    {
      schema: {
        operationId: 'getOpenApi',
        summary: 'This document',
        tags: ['api'],
        response: { 200: { type: 'object' } },
      },
      config: { auth: 'none' },
    },
    async (_request, reply) => {
      document ??= JSON.stringify(openApiDocument(routes, kinds));
      return reply.type('application/json; charset=utf-8').send(document);
    },
  );
};

const answers = (app: FastifyInstance): void => {
  app.addHook('onSend', async (request, reply) => {
    void reply.header('x-request-id', request.id).header('x-content-type-options', 'nosniff');
    // Answers depend on who asks.
    if (!reply.hasHeader('cache-control')) void reply.header('cache-control', 'no-store');
  });
  app.addHook('onResponse', async (request, reply) => {
    const fields = {
      method: request.method,
      route: request.routeOptions.url,
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime),
      user: request.identity?.username,
    };
    request.log.debug(fields, 'Request answered');
  });
  app.setNotFoundHandler((request, reply) => {
    const detail = `There is no ${request.method} ${request.url.split('?')[0] ?? ''}; /openapi.json lists what there is.`;
    return sendProblem(request, reply, new Problem('NotFound', detail));
  });
  app.setErrorHandler((error, request, reply) => {
    const problem = asProblem(error);
    if (problem.status === 500) request.log.error({ err: error }, 'Request failed');
    if (problem.status === 503)
      request.log.warn({ err: error, code: problem.code }, 'Request failed');
    return sendProblem(request, reply, problem);
  });
};

const sendProblem = (
  request: FastifyRequest,
  reply: FastifyReply,
  problem: Problem,
): FastifyReply => {
  if (problem.status === 401) void reply.header('www-authenticate', 'Bearer');
  if (problem.retryAfterSeconds !== undefined) {
    void reply.header('retry-after', String(problem.retryAfterSeconds));
  }
  return reply
    .code(problem.status)
    .type('application/problem+json; charset=utf-8')
    .send(problemDocument(problem, request.id));
};
