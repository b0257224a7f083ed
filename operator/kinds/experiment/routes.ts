import type { FastifyInstance } from 'fastify';
import type { ApiRoutes, RouteContext } from '../../api/route-context.ts';
import { CURSOR, OBJECT_PARAMS, pageOf } from '../../api/schemas.ts';
import type { ObjectKey } from '../../runtime/resource-type.ts';
import { isRecordTag } from './artifact-record.ts';
import { compareRoute } from './compare-route.ts';
import { uidOf } from './required-experiment.ts';
import type { Run } from './run-store.ts';
import type { Trial, TrialStore } from './trial-store.ts';

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
    image: { type: 'string', description: 'What its primary container ran, with its digest.' },
    params: { type: 'object', additionalProperties: { type: 'string' } },
    tags: { type: 'object', additionalProperties: { type: 'string' } },
    metrics: { type: 'array', items: { type: 'object' } },
  },
} as const;

type Query = { readonly limit?: number; readonly cursor?: string };

/** Trials and runs of one Experiment, newest start first. */
export const experimentRoutes = (app: FastifyInstance, context: RouteContext): void => {
  compareRoute(app, context);
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
      const uid = await uidOf(request, context);
      const page = await context.runs.listRuns({ experimentUids: [uid], ...request.query });
      return {
        items: page.runs.map(shown),
        ...(page.nextCursor === undefined ? {} : { nextCursor: page.nextCursor }),
      };
    },
  );
};

const TRIAL = {
  type: 'object',
  description: 'One trial of a search; times in ms since 1970.',
  required: ['number', 'runId', 'state', 'attempts', 'parameters'],
  properties: {
    number: { type: 'integer' },
    runId: { type: 'string' },
    state: { enum: ['open', 'complete', 'pruned', 'failed', 'stopped'] },
    attempts: { type: 'integer', description: 'How many Jobs it was given.' },
    parameters: { type: 'object', additionalProperties: { type: 'string' } },
    values: {
      type: 'array',
      items: { type: 'number' },
      description: 'What a complete trial reached, in the order of the objectives.',
    },
    reason: { type: 'string', description: 'Why it failed, was stopped or was started again.' },
    message: { type: 'string', description: 'About that, with the last lines of its log.' },
    startTime: { type: 'integer' },
    endTime: { type: 'integer' },
    image: { type: 'string', description: 'What its primary container ran, with its digest.' },
  },
} as const;

/** Trials of one search, by number. */
export const trialRoutes =
  (trials: TrialStore): ApiRoutes =>
  (app, context) => {
    app.get<{ Params: ObjectKey; Querystring: Query }>(
      '/api/v1/namespaces/:namespace/experiments/:name/trials',
      {
        schema: {
          operationId: 'listExperimentTrials',
          summary: 'Trials of one search, by number',
          tags: ['experiments'],
          params: OBJECT_PARAMS,
          querystring: {
            type: 'object',
            properties: { limit: { type: 'integer', minimum: 1, maximum: 1000 }, cursor: CURSOR },
          },
          response: { 200: pageOf(TRIAL) },
        },
      },
      async (request) => {
        const page = await trials.list(await uidOf(request, context), request.query);
        return {
          items: page.trials.map(shownTrial),
          ...(page.nextCursor === undefined ? {} : { nextCursor: page.nextCursor }),
        };
      },
    );
  };

const shownTrial = (trial: Trial): object => ({
  number: trial.number,
  runId: trial.runId,
  state: trial.phase,
  attempts: trial.started + 1,
  parameters: Object.fromEntries(trial.assignments.map(({ name, value }) => [name, value])),
  values: trial.values,
  reason: trial.reason,
  message: trial.message,
  startTime: trial.startTime,
  endTime: trial.endTime,
  image: trial.image,
});

const shown = ({ experiment: _experiment, tags, metrics, ...run }: Run): object => ({
  ...run,
  tags: Object.fromEntries(Object.entries(tags).filter(([key]) => !isRecordTag(key))),
  metrics: metrics.map((metric) => ({
    ...metric,
    value: Number.isFinite(metric.value) ? metric.value : String(metric.value),
  })),
});
