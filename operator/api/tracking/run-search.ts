import type { FastifyInstance, FastifyRequest } from 'fastify';
import { requiredExperiment } from './experiment-routes.ts';
import type { TrackingContext } from './experiment-routes.ts';
import { allRuns } from './all-runs.ts';
import { inOrder, parseFilter, parseOrder, searchableRun } from './run-filter.ts';
import { identityOf } from '../route-context.ts';
import { isOwnRun } from './run-token.ts';
import { runToWire } from './run-wire.ts';
import { slice } from './slice.ts';
import { SEARCH_RUNS } from './wire-schemas.ts';

type Search = {
  readonly experiment_ids: readonly string[];
  readonly filter?: string;
  readonly order_by?: readonly string[];
  readonly max_results?: number;
  readonly page_token?: string;
  readonly run_view_type?: 'ACTIVE_ONLY' | 'DELETED_ONLY' | 'ALL';
};

const DEFAULT_RESULTS = 1000;

const RUN_FIELDS = {
  attributes: [
    ...['run_id', 'run_name', 'status', 'artifact_uri', 'user_id', 'start_time', 'end_time'],
    ...['created', 'experiment_id'],
  ],
  entities: ['metrics', 'params', 'tags', 'datasets'],
} as const;

const VIEWS = { ACTIVE_ONLY: 'active', DELETED_ONLY: 'deleted', ALL: 'all' } as const;

export const runSearchRoutes = (app: FastifyInstance, context: TrackingContext): void => {
  app.post<{ Body: Search }>(
    '/api/2.0/mlflow/runs/search',
    {
      schema: {
        operationId: 'searchRuns',
        summary: "Runs of Experiments, in MLflow's filter grammar",
        tags: ['mlflow runs'],
        body: SEARCH_RUNS,
        response: { 200: { type: 'object' } },
      },
    },
    async (request) => search(context, request, request.body),
  );
};

const search = async (
  context: TrackingContext,
  request: FastifyRequest,
  body: Search,
): Promise<object> => {
  const experimentUids: string[] = [];
  for (const id of body.experiment_ids) {
    const experiment = await requiredExperiment(context, request, id, 'read');
    experimentUids.push(experiment.metadata.uid ?? '');
  }
  const matches = parseFilter(body.filter ?? '', RUN_FIELDS);
  const orders = (body.order_by ?? []).map(parseOrder);
  if (experimentUids.length === 0) return { runs: [] };
  const view = VIEWS[body.run_view_type ?? 'ACTIVE_ONLY'];
  const runs = await allRuns(context.runs, { experimentUids, view });
  const identity = identityOf(request);
  const found = runs.filter((run) => isOwnRun(identity, run) && matches(searchableRun(run)));
  const { items, next } = slice(
    inOrder(found, orders, searchableRun),
    body.page_token,
    body.max_results ?? DEFAULT_RESULTS,
  );
  return { runs: items.map(runToWire), ...next };
};
