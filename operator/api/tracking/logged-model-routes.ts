import type { FastifyInstance, FastifyRequest } from 'fastify';
import { MODEL_TAG } from '../../kinds/experiment/artifact-record.ts';
import type { Run } from '../../kinds/experiment/run-store.ts';
import type { RouteContext } from '../route-context.ts';
import type { TrackingContext } from './experiment-routes.ts';
import {
  folderFor,
  modelOf,
  modelTag,
  modelToWire,
  newModelId,
  runIdOfModel,
} from './logged-model.ts';
import type { LoggedModel } from './logged-model.ts';
import { loggedModelSearch } from './logged-model-search.ts';
import { MlflowError } from './mlflow-error.ts';
import { runIdOf } from './run-routes.ts';
import type { RunReference } from './run-routes.ts';
import { recordFromWire } from './run-wire.ts';
import type { KeyValue } from './run-wire.ts';
import { trackedRun } from './tracking-access.ts';
import type { TrackingMode } from './tracking-access.ts';
import {
  CREATE_MODEL,
  FINALIZE_MODEL,
  LOG_OUTPUTS,
  MODEL_PARAMS,
  PARAMETERS_OF_MODEL,
  TAG_MODEL,
} from './wire-schemas.ts';
import { operationsOf } from './operation.ts';

const MODELS = '/api/2.0/mlflow/logged-models';

type ModelParams = { readonly modelId: string };

const documented = operationsOf('mlflow logged models');

/** What `log_model` of MLflow 3 calls, for models that a run makes. */
export const loggedModelRoutes = (app: FastifyInstance, context: TrackingContext): void => {
  createRoute(app, context);
  oneModel(app, context);
  changeModel(app, context);
  outputsRoute(app, context);
  loggedModelSearch(app, context);
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
    async (request) => {
      const added = recordFromWire(request.body.tags);
      await change(request, ({ tags }) => ({ tags: { ...tags, ...added } }));
      return {};
    },
  );
  app.delete<{ Params: ModelParams & { readonly key: string } }>(
    `${MODELS}/:modelId/tags/:key`,
    {
      schema: {
        ...documented('deleteLoggedModelTag', 'Untag a logged model'),
        params: {
          type: 'object',
          required: ['modelId', 'key'],
          properties: { ...MODEL_PARAMS.properties, key: { type: 'string', maxLength: 250 } },
        },
      },
    },
    async (request) => {
      const { key } = request.params;
      await change(request, ({ tags }) => {
        const { [key]: gone, ...rest } = tags;
        if (gone !== undefined) return { tags: rest };
        throw new MlflowError(
          'RESOURCE_DOES_NOT_EXIST',
          `No tag with key ${key} on the logged model ${request.params.modelId}.`,
        );
      });
      return {};
    },
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
