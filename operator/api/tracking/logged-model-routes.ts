import type { FastifyInstance, FastifyRequest } from 'fastify';
import { MODEL_TAG } from '../../kinds/experiment/artifact-record.ts';
import type { Run } from '../../kinds/experiment/run-store.ts';
import type { RouteContext } from '../route-context.ts';
import { allRuns } from './all-runs.ts';
import { requiredExperiment } from './experiment-routes.ts';
import type { TrackingContext } from './experiment-routes.ts';
import {
  folderFor,
  modelOf,
  modelTag,
  modelsOf,
  modelToWire,
  newModelId,
  runIdOfModel,
} from './logged-model.ts';
import type { LoggedModel } from './logged-model.ts';
import { MlflowError } from './mlflow-error.ts';
import { inOrder, parseFilter, parseOrder } from './run-filter.ts';
import type { Searchable } from './run-filter.ts';
import { runIdOf } from './run-routes.ts';
import type { RunReference } from './run-routes.ts';
import { recordFromWire } from './run-wire.ts';
import type { KeyValue } from './run-wire.ts';
import { slice } from './slice.ts';
import { trackedRun } from './tracking-access.ts';
import type { TrackingMode } from './tracking-access.ts';
import {
  CREATE_MODEL,
  FINALIZE_MODEL,
  LOG_OUTPUTS,
  MODEL_PARAMS,
  PARAMETERS_OF_MODEL,
  SEARCH_MODELS,
  TAG_MODEL,
} from './wire-schemas.ts';

const MODELS = '/api/2.0/mlflow/logged-models';

type ModelParams = { readonly modelId: string };

const documented = (operationId: string, summary: string): object => ({
  operationId,
  summary,
  tags: ['mlflow logged models'],
  response: { 200: { type: 'object' } },
});

/** What `log_model` of MLflow 3 calls, for models that a run makes. */
export const loggedModelRoutes = (app: FastifyInstance, context: TrackingContext): void => {
  createRoute(app, context);
  oneModel(app, context);
  changeModel(app, context);
  outputsRoute(app, context);
  searchRoute(app, context);
};

type CreateModel = {
  readonly experiment_id: string;
  readonly name?: string;
  readonly model_type?: string;
  readonly source_run_id?: string;
  readonly params?: readonly KeyValue[];
  readonly tags?: readonly KeyValue[];
};

const createRoute = (app: FastifyInstance, context: RouteContext): void => {
  app.post<{ Body: CreateModel }>(
    MODELS,
    {
      schema: {
        ...documented('createLoggedModel', 'Announce a model that a run makes'),
        body: CREATE_MODEL,
      },
    },
    async (request) => {
      const { body } = request;
      if (!body.source_run_id) {
        throw new MlflowError(
          'INVALID_PARAMETER_VALUE',
          'A model is logged by a run: call log_model between mlflow.start_run and mlflow.end_run.',
        );
      }
      const run = await trackedRun(context, request, body.source_run_id, 'write');
      const id = newModelId(run.runId, context.newId());
      const name = body.name || 'model';
      const model: LoggedModel = {
        id,
        name,
        folder: folderFor(run, name, id),
        modelType: body.model_type ?? '',
        status: 'LOGGED_MODEL_PENDING',
        createdAt: context.now(),
        updatedAt: context.now(),
        params: ownParams(run, body.params),
        tags: recordFromWire(body.tags),
      };
      return saved(context, run, model);
    },
  );
};

/** The client repeats the run's params; those are read from the run. */
const ownParams = (run: Run, params: readonly KeyValue[] = []): Readonly<Record<string, string>> =>
  recordFromWire(params.filter(({ key, value }) => run.params[key] !== (value ?? '')));

const saved = async (context: RouteContext, run: Run, model: LoggedModel): Promise<object> => {
  await context.runs.logBatch(run.runId, { tags: modelTag(model) });
  return { model: modelToWire(run, model) };
};

const found = async (
  context: RouteContext,
  request: FastifyRequest,
  modelId: string,
  mode: TrackingMode,
): Promise<{ readonly run: Run; readonly model: LoggedModel }> => {
  const run = await trackedRun(context, request, runIdOfModel(modelId), mode);
  return { run, model: modelOf(run, modelId) };
};

const oneModel = (app: FastifyInstance, context: RouteContext): void => {
  app.get<{ Params: ModelParams }>(
    `${MODELS}/:modelId`,
    { schema: { ...documented('getLoggedModel', 'A logged model'), params: MODEL_PARAMS } },
    async (request) => {
      const { run, model } = await found(context, request, request.params.modelId, 'read');
      return { model: modelToWire(run, model) };
    },
  );
  app.delete<{ Params: ModelParams }>(
    `${MODELS}/:modelId`,
    {
      schema: {
        ...documented('deleteLoggedModel', 'Forget a logged model; its files stay'),
        params: MODEL_PARAMS,
      },
    },
    async (request) => {
      const { run, model } = await found(context, request, request.params.modelId, 'write');
      await context.runs.deleteTag(run.runId, MODEL_TAG + model.id);
      return {};
    },
  );
};

type ModelChange = {
  readonly status?: string;
  readonly tags?: readonly KeyValue[];
  readonly params?: readonly KeyValue[];
};

const changeModel = (app: FastifyInstance, context: RouteContext): void => {
  const change = async (
    request: FastifyRequest<{ Params: ModelParams }>,
    changed: (model: LoggedModel, run: Run) => Partial<LoggedModel>,
  ): Promise<object> => {
    const { run, model } = await found(context, request, request.params.modelId, 'write');
    return saved(context, run, { ...model, ...changed(model, run), updatedAt: context.now() });
  };
  app.patch<{ Params: ModelParams; Body: ModelChange }>(
    `${MODELS}/:modelId`,
    {
      schema: {
        ...documented('finalizeLoggedModel', 'State that a logged model is complete, or failed'),
        params: MODEL_PARAMS,
        body: FINALIZE_MODEL,
      },
    },
    async (request) =>
      change(request, (model) => ({ status: request.body.status ?? model.status })),
  );
  app.patch<{ Params: ModelParams; Body: ModelChange }>(
    `${MODELS}/:modelId/tags`,
    {
      schema: {
        ...documented('setLoggedModelTags', 'Tag a logged model'),
        params: MODEL_PARAMS,
        body: TAG_MODEL,
      },
    },
    async (request) =>
      change(request, ({ tags }) => ({ tags: { ...tags, ...recordFromWire(request.body.tags) } })),
  );
  app.post<{ Params: ModelParams; Body: ModelChange }>(
    `${MODELS}/:modelId/params`,
    {
      schema: {
        ...documented('logLoggedModelParams', 'Add parameters to a logged model'),
        params: MODEL_PARAMS,
        body: PARAMETERS_OF_MODEL,
      },
    },
    async (request) =>
      change(request, ({ params }, run) => ({
        params: { ...params, ...ownParams(run, request.body.params) },
      })),
  );
};

type Outputs = RunReference & {
  readonly models?: readonly { readonly model_id: string; readonly step?: number }[];
};

const outputsRoute = (app: FastifyInstance, context: RouteContext): void => {
  app.post<{ Body: Outputs }>(
    '/api/2.0/mlflow/runs/outputs',
    { schema: { ...documented('logOutputs', 'Name the models a run made'), body: LOG_OUTPUTS } },
    async (request) => {
      const run = await trackedRun(context, request, runIdOf(request.body), 'write');
      for (const { model_id: modelId, step = 0 } of request.body.models ?? []) {
        await saved(context, run, { ...modelOf(run, modelId), step });
      }
      return {};
    },
  );
};

type Search = {
  readonly experiment_ids: readonly string[];
  readonly filter?: string;
  readonly order_by?: readonly { readonly field_name: string; readonly ascending?: boolean }[];
  readonly max_results?: number;
  readonly page_token?: string;
};

type Found = { readonly run: Run; readonly model: LoggedModel };

const DEFAULT_RESULTS = 100;

const searchRoute = (app: FastifyInstance, context: TrackingContext): void => {
  app.post<{ Body: Search }>(
    `${MODELS}/search`,
    {
      schema: {
        ...documented('searchLoggedModels', 'Logged models of Experiments'),
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
      const models = runs.flatMap((run) => modelsOf(run).map((model): Found => ({ run, model })));
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
