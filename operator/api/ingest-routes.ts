import type { FastifyInstance } from 'fastify';
import {
  batchIdHeader,
  batchLimits,
  batchMediaType,
} from '../../serving-runtime/protocol/prediction-record.ts';
import type { PredictionStore } from '../store/predictions.ts';
import type { Identity } from './identity.ts';
import { parseBatch, readLines } from './prediction-batch.ts';
import { Problem } from './problem.ts';
import { identityOf } from './route-context.ts';
import type { ApiRoutes, RouteContext } from './route-context.ts';
import { LIMIT, OBJECT_PARAMS } from './schemas.ts';

type Key = { readonly namespace: string; readonly name: string };

const PATH = '/api/v1/namespaces/:namespace/modeldeployments/:name/predictions';
/** Unpacking and writing these at once takes some 100 MB at worst; further ones are asked to wait. */
const MAX_BATCHES_AT_WORK = 8;
const BUSY_SECONDS = 1;

/** Where serving pods send what they log, and people read it. */
export const ingestRoutes =
  (store: PredictionStore): ApiRoutes =>
  (app, context) => {
    void app.register(async (scope) => {
      takeBatches(scope, store, context);
    });
    readPredictions(app, store, context);
  };

const takeBatches = (
  scope: FastifyInstance,
  store: PredictionStore,
  context: RouteContext,
): void => {
  // Unpacked by the route itself, within bounds of its own.
  scope.addContentTypeParser(batchMediaType, { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, body),
  );
  let atWork = 0;
  scope.post<{ Params: Key; Body: Buffer; Headers: Readonly<Record<string, string>> }>(
    PATH,
    {
      bodyLimit: batchLimits.takenBytes,
      schema: {
        operationId: 'appendPredictions',
        summary: 'Takes a batch of logged requests from a serving pod, once for each batch id',
        tags: ['modeldeployments'],
        params: OBJECT_PARAMS,
        headers: {
          type: 'object',
          required: [batchIdHeader],
          properties: {
            [batchIdHeader]: { type: 'string', pattern: '^[A-Za-z0-9_-]{8,64}$' },
          },
        },
        response: { 200: TAKEN },
      },
      config: { requestBody: { type: 'string' }, requestMediaType: batchMediaType },
      // Before the body is read, so that nobody else can make the API read one.
      preParsing: async (request) => requireIngest(context, identityOf(request), request.params),
    },
    async (request) => {
      if (atWork >= MAX_BATCHES_AT_WORK) throw busy();
      atWork++;
      try {
        const lines = await readLines(request.body, request.headers['content-encoding']);
        const rows = parseBatch(lines);
        const batchId = request.headers[batchIdHeader] ?? '';
        const isNew = await store.append(request.params, { batchId, ...rows });
        return { records: lines.length, duplicate: !isNew };
      } finally {
        atWork--;
      }
    },
  );
};

const TAKEN = {
  type: 'object',
  required: ['records', 'duplicate'],
  properties: {
    records: { type: 'integer' },
    duplicate: { type: 'boolean', description: 'The batch was here before; nothing was written.' },
  },
} as const;

const busy = (): Problem =>
  new Problem('TooManyRequests', 'Too many batches are being written just now. Try again.', {
    retryAfterSeconds: BUSY_SECONDS,
  });

/** A pod that serves this Deployment may; everybody else needs a role that says so. */
const requireIngest = async (
  { access, podGrants }: RouteContext,
  identity: Identity,
  { namespace, name }: Key,
): Promise<void> => {
  const grants = await podGrants(identity);
  if (grants?.namespace === namespace && grants.deployment === name) return;
  await access.require(identity, {
    verb: 'create',
    resource: 'modeldeployments',
    subresource: 'predictions',
    namespace,
    name,
  });
};

const readPredictions = (
  app: FastifyInstance,
  store: PredictionStore,
  { access }: RouteContext,
): void => {
  app.get<{ Params: Key; Querystring: { readonly limit?: number } }>(
    PATH,
    {
      schema: {
        operationId: 'listPredictions',
        summary: 'The latest logged requests, newest first',
        tags: ['modeldeployments'],
        params: OBJECT_PARAMS,
        querystring: { type: 'object', properties: { limit: LIMIT } },
        response: {
          200: {
            type: 'object',
            properties: { items: { type: 'array', items: { type: 'object' } } },
          },
        },
      },
    },
    async (request, reply) => {
      const { namespace, name } = request.params;
      await access.require(identityOf(request), {
        verb: 'get',
        resource: 'modeldeployments',
        subresource: 'predictions',
        namespace,
        name,
      });
      const records = await store.latest({ namespace, name }, request.query.limit ?? 100);
      // Never parsed here, so that numbers keep every digit.
      return reply
        .type('application/json; charset=utf-8')
        .serializer((text: string) => text)
        .send(`{"items":[${records.join(',')}]}`);
    },
  );
};
