import type { FastifyInstance } from 'fastify';
import type { Run } from '../../kinds/experiment/run-store.ts';
import { identityOf } from '../route-context.ts';
import { allRuns } from './all-runs.ts';
import { requiredExperiment } from './experiment-routes.ts';
import type { TrackingContext } from './experiment-routes.ts';
import { modelToWire, modelsOf } from './logged-model.ts';
import type { LoggedModel } from './logged-model.ts';
import { inOrder, parseFilter, parseOrder } from './run-filter.ts';
import type { Searchable } from './run-filter.ts';
import { isOwnRun } from './run-token.ts';
import { slice } from './slice.ts';
import { SEARCH_MODELS } from './wire-schemas.ts';

const MODELS = '/api/2.0/mlflow/logged-models';

type Search = {
  readonly experiment_ids: readonly string[];
  readonly filter?: string;
  readonly order_by?: readonly { readonly field_name: string; readonly ascending?: boolean }[];
  readonly max_results?: number;
  readonly page_token?: string;
};

type Found = { readonly run: Run; readonly model: LoggedModel };

const DEFAULT_RESULTS = 100;

/** Logged models of Experiments, in MLflow's filter grammar. */
export const loggedModelSearch = (app: FastifyInstance, context: TrackingContext): void => {
  app.post<{ Body: Search }>(
    `${MODELS}/search`,
    {
      schema: {
        operationId: 'searchLoggedModels',
        summary: 'Logged models of Experiments',
        tags: ['mlflow logged models'],
        response: { 200: { type: 'object' } },
        body: SEARCH_MODELS,
      },
    },
    async (request) => {
      const { body } = request;
      const experimentUids: string[] = [];
      for (const id of body.experiment_ids) {
        const experiment = await requiredExperiment(context, request, id, 'read');
        experimentUids.push(experiment.metadata.uid ?? '');
      }
      const matches = parseFilter(body.filter ?? '');
      const orders = (body.order_by ?? []).map(({ field_name: field, ascending }) => ({
        ...parseOrder(field),
        descending: ascending === false,
      }));
      const runs =
        experimentUids.length === 0 ? [] : await allRuns(context.runs, { experimentUids });
      const models = runs
        .filter((run) => isOwnRun(identityOf(request), run))
        .flatMap((run) => modelsOf(run).map((model): Found => ({ run, model })));
      const { items, next } = slice(
        inOrder(
          models.filter((each) => matches(searchable(each))),
          orders,
          searchable,
        ),
        body.page_token,
        body.max_results ?? DEFAULT_RESULTS,
      );
      return { models: items.map(({ run, model }) => modelToWire(run, model)), ...next };
    },
  );
};

const searchable = ({ run, model }: Found): Searchable => ({
  attributes: {
    name: model.name,
    model_id: model.id,
    model_type: model.modelType,
    status: model.status.replace('LOGGED_MODEL_', ''),
    source_run_id: run.runId,
    creation_timestamp: model.createdAt,
    creation_time: model.createdAt,
    last_updated_timestamp: model.updatedAt,
  },
  metrics: {},
  params: { ...run.params, ...model.params },
  tags: model.tags,
});
