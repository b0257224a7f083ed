import type { FastifyInstance } from 'fastify';
import type { RouteContext } from '../../api/route-context.ts';
import { OBJECT_PARAMS } from '../../api/schemas.ts';
import type { ObjectKey } from '../../runtime/resource-type.ts';
import { RUN_COMPARISON } from './compare-schema.ts';
import { MOST_METRICS, compareRuns } from './compare-runs.ts';
import { MOST_COMPARED, chosenRuns } from './compare-selection.ts';
import { uidOf } from './required-experiment.ts';

type Query = {
  readonly run?: readonly string[];
  readonly parent?: readonly string[];
  readonly groupBy?: string;
  readonly pairBy?: readonly string[];
  readonly metric?: readonly string[];
  readonly confidence: number;
};

const RUN_ID = { type: 'string', pattern: '^[0-9a-f]{32}$' } as const;
const KEY = { type: 'string', minLength: 1, maxLength: 250 } as const;

const QUERY = {
  type: 'object',
  properties: {
    run: {
      type: 'array',
      items: RUN_ID,
      maxItems: MOST_COMPARED,
      description: 'Runs to compare. Without run and parent: all of the Experiment.',
    },
    parent: {
      type: 'array',
      items: RUN_ID,
      maxItems: MOST_COMPARED,
      description: 'Runs whose nested runs (tag mlflow.parentRunId) are compared, as groups.',
    },
    groupBy: {
      ...KEY,
      description:
        'Runs with the same value of this param, or else tag, are one group. Default: nested runs of one parent; other runs are groups by themselves.',
    },
    pairBy: {
      type: 'array',
      items: KEY,
      maxItems: 5,
      description:
        'Params or tags that together say which repetition a run is. Default: fold and seed, those a run has.',
    },
    metric: {
      type: 'array',
      items: KEY,
      maxItems: MOST_METRICS,
      description: 'Metrics to compare. Default: all that a chosen run has.',
    },
    confidence: { type: 'number', minimum: 0.5, maximum: 0.999, default: 0.95 },
  },
} as const;

/** Groups of runs of one Experiment against one another. */
export const compareRoute = (app: FastifyInstance, context: RouteContext): void => {
  app.get<{ Params: ObjectKey; Querystring: Query }>(
    '/api/v1/namespaces/:namespace/experiments/:name/runs/compare',
    {
      schema: {
        operationId: 'compareExperimentRuns',
        summary: 'In what runs of one Experiment differ, and how much of it may be chance',
        tags: ['experiments'],
        params: OBJECT_PARAMS,
        querystring: QUERY,
        response: { 200: RUN_COMPARISON },
      },
    },
    async (request) => {
      const { run, parent, metric, ...query } = request.query;
      const uid = await uidOf(request, context);
      const runs = await chosenRuns(context.runs, uid, {
        ...(run === undefined ? {} : { run }),
        ...(parent === undefined ? {} : { parent }),
      });
      return compareRuns(runs, { ...query, ...(metric === undefined ? {} : { metrics: metric }) });
    },
  );
};
