import type { FastifyInstance } from 'fastify';
import { experiment } from '../../../crds/schema/experiment.ts';
import { Problem } from '../../api/problem.ts';
import { identityOf } from '../../api/route-context.ts';
import type { RouteContext } from '../../api/route-context.ts';
import { CURSOR, OBJECT_PARAMS, pageOf } from '../../api/schemas.ts';
import { ownType } from '../../runtime/own-type.ts';
import type { ObjectKey } from '../../runtime/resource-type.ts';
import { isRecordTag } from './artifact-record.ts';
import type { Run } from './run-store.ts';

const EXPERIMENT = ownType(experiment);

const RUN = {
  type: 'object',
  description: 'One run; times in ms since 1970. NaN and infinite values are strings.',
  required: ['runId', 'name', 'status', 'params', 'tags', 'metrics'],
  properties: {
    runId: { type: 'string' },
    trialNumber: { type: 'integer' },
    name: { type: 'string' },
    userId: { type: 'string' },
    status: { enum: ['SCHEDULED', 'RUNNING', 'FINISHED', 'FAILED', 'KILLED'] },
    startTime: { type: 'integer' },
    endTime: { type: 'integer' },
    params: { type: 'object', additionalProperties: { type: 'string' } },
    tags: { type: 'object', additionalProperties: { type: 'string' } },
    metrics: { type: 'array', items: { type: 'object' } },
  },
} as const;

type Query = { readonly limit?: number; readonly cursor?: string };

/** Trials and runs of one Experiment, newest start first. */
export const experimentRoutes = (app: FastifyInstance, context: RouteContext): void => {
  app.get<{ Params: ObjectKey; Querystring: Query }>(
    '/api/v1/namespaces/:namespace/experiments/:name/runs',
    {
      schema: {
        operationId: 'listExperimentRuns',
        summary: 'Trials and runs of one Experiment, newest start first',
        tags: ['experiments'],
        params: OBJECT_PARAMS,
        querystring: {
          type: 'object',
          properties: { limit: { type: 'integer', minimum: 1, maximum: 1000 }, cursor: CURSOR },
        },
        response: { 200: pageOf(RUN) },
      },
    },
    async (request) => {
      const { namespace, name } = request.params;
      const action = { verb: 'get', resource: EXPERIMENT.plural, namespace, name } as const;
      await context.access.require(identityOf(request), action);
      const uid = (await context.cluster.get(EXPERIMENT, request.params))?.metadata.uid;
      if (uid === undefined) {
        throw new Problem(
          'NotFound',
          `There is no Experiment "${name}" in namespace ${namespace}; ` +
            `"kubectl get experiments -n ${namespace}" shows those there are.`,
        );
      }
      const page = await context.runs.listRuns({ experimentUids: [uid], ...request.query });
      return {
        items: page.runs.map(shown),
        ...(page.nextCursor === undefined ? {} : { nextCursor: page.nextCursor }),
      };
    },
  );
};

const shown = ({ experiment: _experiment, tags, metrics, ...run }: Run): object => ({
  ...run,
  tags: Object.fromEntries(Object.entries(tags).filter(([key]) => !isRecordTag(key))),
  metrics: metrics.map((metric) => ({
    ...metric,
    value: Number.isFinite(metric.value) ? metric.value : String(metric.value),
  })),
});
