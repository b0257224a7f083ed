import { deployment as definition, type Deployment } from '../../../crds/schema/deployment.ts';
import { Problem } from '../../api/problem.ts';
import { requiredObject } from '../../api/required-object.ts';
import { identityOf } from '../../api/route-context.ts';
import type { ApiRoutes } from '../../api/route-context.ts';
import { OBJECT_PARAMS } from '../../api/schemas.ts';
import { ownType } from '../../runtime/own-type.ts';
import type { ObjectKey } from '../../runtime/resource-type.ts';
import { reportOf } from './shadow.ts';
import type { ShadowStore } from './shadow-store.ts';

const DEPLOYMENT = ownType(definition);

const A_DAY_MS = 86_400_000;

const VERSION = { type: 'string', minLength: 1, maxLength: 63 } as const;

const SIDE = {
  type: 'object',
  required: ['version', 'errors'],
  properties: {
    version: { type: 'string' },
    errors: { type: 'integer', description: 'Answers of the pairs with a status of 400 and more.' },
    p50Ms: { type: 'number' },
    p99Ms: { type: 'number' },
    meanMs: { type: 'number' },
  },
} as const;

const REPORT = {
  type: 'object',
  description: 'Answers of two versions to the same requests, paired by x-request-id.',
  required: ['since', 'pairs', 'compared', 'agreeing', 'stable', 'candidate', 'outputs'],
  properties: {
    since: { type: 'string', format: 'date-time' },
    pairs: { type: 'integer', description: 'Ids that each of the two answered once.' },
    stableOnly: { type: 'integer' },
    candidateOnly: { type: 'integer' },
    ambiguous: { type: 'integer', description: 'Ids that one of the two answered more than once.' },
    truncated: { type: 'boolean', description: 'There are older requests, which are left out.' },
    stable: SIDE,
    candidate: SIDE,
    compared: {
      type: 'integer',
      description: 'Of the latest pairs, those with answers to compare.',
    },
    incomparable: { type: 'integer' },
    agreeing: {
      type: 'integer',
      description: 'Of the compared: all outputs within the tolerance.',
    },
    agreement: { type: 'number', description: 'The share of them, from 0 to 1.' },
    tolerance: {
      type: 'object',
      description: '|a - b| <= absolute + relative * |a|; whole numbers and texts must be equal.',
      properties: { absolute: { type: 'number' }, relative: { type: 'number' } },
    },
    outputs: {
      type: 'array',
      items: {
        type: 'object',
        required: ['name', 'datatype', 'values', 'equal', 'withinTolerance'],
        properties: {
          name: { type: 'string' },
          datatype: { type: 'string' },
          values: { type: 'integer' },
          equal: { type: 'integer' },
          withinTolerance: { type: 'integer' },
          maxAbsolute: { type: 'number' },
          meanAbsolute: { type: 'number' },
          maxRelative: { type: 'number' },
          meanRelative: { type: 'number' },
        },
      },
    },
  },
} as const;

type Query = { readonly stable?: string; readonly candidate?: string; readonly since?: string };

/** What a version that gets copies of requests would have answered, beside what was answered. */
export const shadowRoutes =
  (store: ShadowStore): ApiRoutes =>
  (app, { access, cluster, now }) => {
    app.get<{ Params: ObjectKey; Querystring: Query }>(
      '/api/v1/namespaces/:namespace/modeldeployments/:name/shadow-report',
      {
        schema: {
          operationId: 'readShadowReport',
          summary: 'Compares what two versions answered to the same requests',
          tags: [DEPLOYMENT.plural],
          params: OBJECT_PARAMS,
          querystring: {
            type: 'object',
            properties: {
              stable: { ...VERSION, description: 'Default: the version that serves.' },
              candidate: { ...VERSION, description: 'Default: the one that comes up, or failed.' },
              since: { type: 'string', format: 'date-time', description: 'Default: a day ago.' },
            },
          },
          response: { 200: REPORT },
        },
      },
      async (request) => {
        const { namespace, name } = request.params;
        const action = { verb: 'get', resource: DEPLOYMENT.plural, namespace, name } as const;
        // Sums and differences, no request of anybody's: who may see the Deployment may see them.
        await access.require(identityOf(request), action);
        const found = await requiredObject<Deployment>({ cluster }, DEPLOYMENT, request.params);
        const since = request.query.since ?? new Date(now() - A_DAY_MS).toISOString();
        const versions = versionsOf(found, request.query);
        const where = { namespace: found.metadata.namespace, deployment: name };
        return reportOf(await store.pairing({ ...where, ...versions, since }), since);
      },
    );
  };

const versionsOf = (
  { status }: Deployment,
  query: Query,
): { readonly stable: string; readonly candidate: string } => {
  const stable = query.stable ?? status?.servedVersion;
  const candidate = query.candidate ?? status?.candidateVersion ?? status?.lastFailureInfo?.version;
  if (stable !== undefined && candidate !== undefined) return { stable, candidate };
  const what = stable === undefined ? 'serves' : 'is coming up';
  throw new Problem(
    'InvalidRequest',
    `No version ${what} just now; name both with ?stable=1.0.0&candidate=1.1.0.`,
  );
};
