import type { FastifyInstance } from 'fastify';
import { identityOf } from '../route-context.ts';
import type { RouteContext } from '../route-context.ts';
import { MlflowError } from './mlflow-error.ts';
import { runTokenOf, tokenTag, tokenTags } from './run-token.ts';
import { trackedRun } from './tracking-access.ts';

/** More than that many at once push the oldest out. */
const MAX_TOKENS = 10;

/** Exchanges a token of the cluster for one of a run. */
export const runTokenRoutes = (app: FastifyInstance, context: RouteContext): void => {
  app.post<{ Params: { readonly runId: string } }>(
    '/api/2.0/mlops/runs/:runId/token',
    {
      schema: {
        operationId: 'createRunToken',
        summary:
          'A token that can only track this run, for as long as it runs (MLFLOW_TRACKING_TOKEN)',
        tags: ['mlflow runs'],
        params: {
          type: 'object',
          required: ['runId'],
          properties: { runId: { type: 'string', maxLength: 64 } },
        },
        response: { 200: { type: 'object', properties: { token: { type: 'string' } } } },
      },
    },
    async (request) => {
      if (identityOf(request).run !== undefined) {
        throw new MlflowError(
          'PERMISSION_DENIED',
          'A run token cannot make another one: show a Kubernetes token.',
        );
      }
      const run = await trackedRun(context, request, request.params.runId, 'write');
      const ended = run.status !== 'RUNNING' && run.status !== 'SCHEDULED';
      if (ended || run.lifecycleStage === 'deleted') {
        throw new MlflowError(
          'INVALID_PARAMETER_VALUE',
          `Run ${run.runId} has ended or is deleted; only a run that goes on has tokens.`,
        );
      }
      const secret = context.newId() + context.newId();
      for (const key of tokenTags(run).slice(
        0,
        Math.max(0, tokenTags(run).length + 1 - MAX_TOKENS),
      )) {
        await context.runs.deleteTag(run.runId, key);
      }
      await context.runs.logBatch(run.runId, { tags: tokenTag(secret, context.now()) });
      return { token: runTokenOf(run.runId, secret) };
    },
  );
};
