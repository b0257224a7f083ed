import type { FastifyInstance } from 'fastify';
import type { RouteContext } from '../route-context.ts';
import { MlflowError } from './mlflow-error.ts';
import { inputTags } from './run-inputs.ts';
import type { DatasetInput, ModelInput } from './run-inputs.ts';
import { runIdOf } from './run-routes.ts';
import type { RunReference } from './run-routes.ts';
import { trackedRun } from './tracking-access.ts';
import { LOG_INPUTS } from './wire-schemas.ts';

type Inputs = RunReference & {
  readonly datasets?: readonly DatasetInput[];
  readonly models?: readonly ModelInput[];
};

/** Tags that one batch of the store takes. */
const BATCH = 100;

/** What a run read: datasets and models. */
export const runInputRoutes = (app: FastifyInstance, context: RouteContext): void => {
  app.post<{ Body: Inputs }>(
    '/api/2.0/mlflow/runs/log-inputs',
    {
      schema: {
        operationId: 'logInputs',
        summary: 'Name the datasets and models a run read',
        tags: ['mlflow runs'],
        body: LOG_INPUTS,
        response: { 200: { type: 'object' } },
      },
    },
    async (request) => {
      const { datasets = [], models = [] } = request.body;
      const run = await trackedRun(context, request, runIdOf(request.body), 'write');
      const tags = Object.entries({
        ...Object.assign({}, ...datasets.map((dataset) => inputTags({ dataset }))),
        ...Object.assign({}, ...models.map((model) => inputTags({ model }))),
      } as Record<string, string>);
      for (let at = 0; at < tags.length; at += BATCH) {
        const batch = Object.fromEntries(tags.slice(at, at + BATCH));
        await context.runs.logBatch(run.runId, { tags: batch });
      }
      return {};
    },
  );
  app.post<{ Body: RunReference & { readonly model_json?: string } }>(
    '/api/2.0/mlflow/runs/log-model',
    {
      schema: {
        operationId: 'logModelOfRun',
        summary: 'Add to the history of models a run logged (clients before MLflow 3)',
        tags: ['mlflow runs'],
        body: LOG_MODEL,
        response: { 200: { type: 'object' } },
      },
    },
    async (request) => {
      const run = await trackedRun(context, request, runIdOf(request.body), 'write');
      const known = run.tags[MODEL_HISTORY];
      const history: unknown[] = known === undefined ? [] : (JSON.parse(known) as unknown[]);
      const value = JSON.stringify([...history, modelOf(request.body.model_json ?? '')]);
      await context.runs.logBatch(run.runId, { tags: { [MODEL_HISTORY]: value } });
      return {};
    },
  );
};

/** The tag in which MLflow 2 keeps what `log_model` made. */
const MODEL_HISTORY = 'mlflow.log-model.history';

const LOG_MODEL = {
  type: 'object',
  properties: {
    run_id: { type: 'string', maxLength: 256 },
    run_uuid: { type: 'string', maxLength: 256 },
    model_json: { type: 'string', maxLength: 65_536 },
  },
} as const;

const modelOf = (text: string): object => {
  let model: unknown;
  try {
    model = JSON.parse(text);
  } catch {
    model = undefined;
  }
  const wanted = ['artifact_path', 'flavors', 'utc_time_created', 'run_id'];
  if (typeof model === 'object' && model !== null && wanted.every((key) => key in model)) {
    return model;
  }
  throw new MlflowError(
    'INVALID_PARAMETER_VALUE',
    `Malformed model info in 'model_json': it is a JSON object with ${wanted.join(', ')}.`,
  );
};
