import type { FastifyInstance } from 'fastify';
import type { Metric } from '../../kinds/experiment/run-store.ts';
import type { RouteContext } from '../route-context.ts';
import { MlflowError } from './mlflow-error.ts';
import { metricToWire } from './run-wire.ts';
import { trackedRun } from './tracking-access.ts';

const MAX_RUNS = 100;
const MAX_POINTS = 25_000;

type Query = {
  readonly run_id?: string | readonly string[];
  readonly run_ids?: string | readonly string[];
  readonly metric_key: string;
  readonly start_step?: number;
  readonly end_step?: number;
  readonly max_results?: number;
};

const QUERY = {
  type: 'object',
  required: ['metric_key'],
  properties: {
    run_id: { type: 'array', items: { type: 'string', maxLength: 256 }, maxItems: 1000 },
    run_ids: { type: 'array', items: { type: 'string', maxLength: 256 }, maxItems: 1000 },
    metric_key: { type: 'string', minLength: 1, maxLength: 250 },
    start_step: { type: 'integer' },
    end_step: { type: 'integer' },
    max_results: { type: 'integer', minimum: 1, maximum: MAX_POINTS },
  },
} as const;

/** One metric of several runs, as charts that compare runs ask for it. */
export const metricHistoryRoutes = (app: FastifyInstance, context: RouteContext): void => {
  for (const [path, operationId] of [
    ['get-history-bulk', 'getMetricHistoryBulk'],
    ['get-history-bulk-interval', 'getMetricHistoryBulkInterval'],
  ] as const) {
    app.get<{ Querystring: Query }>(
      `/api/2.0/mlflow/metrics/${path}`,
      {
        schema: {
          operationId,
          summary: 'Values of one metric of several runs',
          tags: ['mlflow runs'],
          querystring: QUERY,
          response: { 200: { type: 'object' } },
        },
      },
      async (request) => {
        const { query } = request;
        const runIds = [query.run_id ?? query.run_ids ?? []].flat();
        if (runIds.length === 0 || runIds.length > MAX_RUNS) {
          throw new MlflowError(
            'INVALID_PARAMETER_VALUE',
            `Name 1 to ${MAX_RUNS} runs, each as run_id; there are ${runIds.length}.`,
          );
        }
        const limit = query.max_results ?? MAX_POINTS;
        const metrics: object[] = [];
        for (const runId of runIds) {
          await trackedRun(context, request, runId, 'read');
          const points = (await allPoints(context, runId, query.metric_key)).filter(
            ({ step }) =>
              step >= (query.start_step ?? -Infinity) && step <= (query.end_step ?? Infinity),
          );
          const shown =
            path === 'get-history-bulk' ? points.slice(0, limit) : thinned(points, limit);
          metrics.push(...shown.map((metric) => ({ ...metricToWire(metric), run_id: runId })));
        }
        return { metrics: path === 'get-history-bulk' ? metrics.slice(0, limit) : metrics };
      },
    );
  }
};

const allPoints = async (
  { runs }: RouteContext,
  runId: string,
  key: string,
): Promise<readonly Metric[]> =>
  (await runs.metricHistory(runId, key, { limit: MAX_POINTS })).metrics;

/** At most `limit` points, evenly over the steps, the first and the last among them. */
export const thinned = (points: readonly Metric[], limit: number): readonly Metric[] => {
  if (points.length <= limit) return points;
  if (limit === 1) return points.slice(-1);
  return Array.from(
    { length: limit },
    (_, at) => points[Math.round((at * (points.length - 1)) / (limit - 1))],
  ).filter((point) => point !== undefined);
};
