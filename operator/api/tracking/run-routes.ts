import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { RunStatus } from '../../kinds/experiment/run-store.ts';
import { identityOf } from '../route-context.ts';
import type { RouteContext } from '../route-context.ts';
import { experimentIdentity } from './experiment-directory.ts';
import { isDeleted, requiredExperiment } from './experiment-routes.ts';
import type { TrackingContext } from './experiment-routes.ts';
import { MlflowError } from './mlflow-error.ts';
import { isOwnRun } from './run-token.ts';
import { trackedRun } from './tracking-access.ts';
import {
  MAX_PARAM,
  cut,
  metricFromWire,
  metricToWire,
  recordFromWire,
  runInfoToWire,
  runToWire,
  tagsFromWire,
} from './run-wire.ts';
import type { KeyValue, WireMetric } from './run-wire.ts';
import {
  CREATE_RUN,
  DELETE_TAG,
  GET_RUN,
  LOG_BATCH,
  LOG_METRIC,
  LOG_PARAMETER,
  METRIC_HISTORY,
  SET_TAG,
  UPDATE_RUN,
} from './wire-schemas.ts';
import { operationsOf } from './operation.ts';

const BASE = '/api/2.0/mlflow';

export type RunReference = { readonly run_id?: string; readonly run_uuid?: string };

/** Older clients send only run_uuid. */
export const runIdOf = ({ run_id: id, run_uuid: uuid }: RunReference): string => {
  const runId = id ?? uuid;
  if (runId !== undefined && runId !== '') return runId;
  throw new MlflowError('INVALID_PARAMETER_VALUE', 'Say which run: run_id is missing.');
};

const documented = operationsOf('mlflow runs');

export const runRoutes = (app: FastifyInstance, context: TrackingContext): void => {
  createRun(app, context);
  readRuns(app, context);
  changeRuns(app, context);
  logToRuns(app, context);
};

type CreateRun = {
  readonly experiment_id: string;
  readonly user_id?: string;
  readonly run_name?: string;
  readonly start_time?: number;
  readonly tags?: readonly KeyValue[];
};

const createRun = (app: FastifyInstance, context: TrackingContext): void => {
  app.post<{ Body: CreateRun }>(
    `${BASE}/runs/create`,
    {
      schema: {
        ...documented('createRun', 'Open a run of an existing Experiment'),
        body: CREATE_RUN,
      },
    },
    async (request) => {
      const { body } = request;
      const experiment = await requiredExperiment(context, request, body.experiment_id, 'write');
      if (isDeleted(experiment)) {
        throw new MlflowError(
          'INVALID_PARAMETER_VALUE',
          `The experiment ${body.experiment_id} must be in the 'active' state. Current state is deleted.`,
        );
      }
      const tags = tagsFromWire(body.tags);
      const runId = context.newId();
      if (!isOwnRun(identityOf(request), { runId, tags })) {
        throw new MlflowError(
          'PERMISSION_DENIED',
          'This token belongs to one run: it opens only runs that are nested in it (mlflow.start_run(nested=True)).',
        );
      }
      const run = await context.runs.createRun({
        runId,
        experiment: experimentIdentity(experiment),
        name: body.run_name || tags['mlflow.runName'] || `run-${runId.slice(0, 8)}`,
        userId: body.user_id || identityOf(request).username,
        startTime: body.start_time ?? context.now(),
        tags,
      });
      // A new run has none, and is answered without.
      const { outputs: _outputs, ...created } = runToWire(run);
      return { run: created };
    },
  );
};

const readRuns = (app: FastifyInstance, context: RouteContext): void => {
  app.get<{ Querystring: RunReference }>(
    `${BASE}/runs/get`,
    {
      schema: { ...documented('getRun', 'A run with what was logged last'), querystring: GET_RUN },
    },
    async (request) => {
      const run = await trackedRun(context, request, runIdOf(request.query), 'read');
      return { run: runToWire(run) };
    },
  );
  type History = RunReference & {
    readonly metric_key: string;
    readonly max_results?: number;
    readonly page_token?: string;
  };
  app.get<{ Querystring: History }>(
    `${BASE}/metrics/get-history`,
    {
      schema: {
        ...documented('getMetricHistory', 'Every value of one metric, by step'),
        querystring: METRIC_HISTORY,
      },
    },
    async (request) => {
      const { query } = request;
      const { runId } = await trackedRun(context, request, runIdOf(query), 'read');
      const page = await context.runs.metricHistory(runId, query.metric_key, {
        ...(query.max_results === undefined ? {} : { limit: query.max_results }),
        ...(query.page_token ? { cursor: query.page_token } : {}),
      });
      return {
        metrics: page.metrics.map(metricToWire),
        ...(page.nextCursor === undefined ? {} : { next_page_token: page.nextCursor }),
      };
    },
  );
};

type UpdateRun = RunReference & {
  readonly status?: RunStatus;
  readonly end_time?: number;
  readonly run_name?: string;
};

const changeRuns = (app: FastifyInstance, context: RouteContext): void => {
  app.post<{ Body: UpdateRun }>(
    `${BASE}/runs/update`,
    { schema: { ...documented('updateRun', 'State how a run goes'), body: UPDATE_RUN } },
    async (request) => {
      const { status, end_time: endTime, run_name: name } = request.body;
      const { runId } = await trackedRun(context, request, runIdOf(request.body), 'write');
      const run = await context.runs.updateRun(runId, {
        ...(status === undefined ? {} : { status }),
        ...(endTime === undefined ? {} : { endTime }),
        ...(name ? { name } : {}),
      });
      return { run_info: runInfoToWire(run) };
    },
  );
  for (const [verb, change] of [
    ['delete', (runId: string) => context.runs.deleteRun(runId)],
    ['restore', (runId: string) => context.runs.restoreRun(runId)],
  ] as const) {
    app.post<{ Body: RunReference }>(
      `${BASE}/runs/${verb}`,
      { schema: { ...documented(`${verb}Run`, `Mark a run: ${verb}d`), body: GET_RUN } },
      async (request) => {
        const { runId } = await trackedRun(context, request, runIdOf(request.body), 'write');
        await change(runId);
        return {};
      },
    );
  }
};

type Batch = {
  readonly metrics?: readonly WireMetric[];
  readonly params?: readonly KeyValue[];
  readonly tags?: readonly KeyValue[];
};

const logToRuns = (app: FastifyInstance, context: RouteContext): void => {
  const log = async (request: FastifyRequest, run: RunReference, batch: Batch): Promise<object> => {
    const { runId } = await trackedRun(context, request, runIdOf(run), 'write');
    await context.runs.logBatch(runId, {
      metrics: (batch.metrics ?? []).map(metricFromWire),
      params: cut(paramsFromWire(runId, batch.params), MAX_PARAM),
      tags: tagsFromWire(batch.tags),
    });
    return {};
  };
  app.post<{ Body: RunReference & KeyValue }>(
    `${BASE}/runs/log-parameter`,
    { schema: { ...documented('logParameter', 'Log a parameter, once'), body: LOG_PARAMETER } },
    async (request) => log(request, request.body, { params: [request.body] }),
  );
  app.post<{ Body: RunReference & WireMetric }>(
    `${BASE}/runs/log-metric`,
    { schema: { ...documented('logMetric', 'Log a value of a metric'), body: LOG_METRIC } },
    async (request) => log(request, request.body, { metrics: [request.body] }),
  );
  app.post<{ Body: RunReference & KeyValue }>(
    `${BASE}/runs/set-tag`,
    { schema: { ...documented('setTag', 'Set a tag'), body: SET_TAG } },
    async (request) => log(request, request.body, { tags: [request.body] }),
  );
  app.post<{ Body: RunReference & Batch }>(
    `${BASE}/runs/log-batch`,
    { schema: { ...documented('logBatch', 'Log all of it or nothing'), body: LOG_BATCH } },
    async (request) => log(request, request.body, request.body),
  );
  app.post<{ Body: RunReference & { readonly key: string } }>(
    `${BASE}/runs/delete-tag`,
    { schema: { ...documented('deleteTag', 'Remove a tag'), body: DELETE_TAG } },
    async (request) => {
      const { key } = request.body;
      const run = await trackedRun(context, request, runIdOf(request.body), 'write');
      const { runId, tags } = run;
      tagsFromWire([{ key }]);
      if (tags[key] === undefined) {
        throw new MlflowError(
          'RESOURCE_DOES_NOT_EXIST',
          `No tag with name: ${key} in run with id ${runId}`,
        );
      }
      await context.runs.deleteTag(runId, key);
      return {};
    },
  );
};

/** One batch may say the same thing twice, but not two things. */
const paramsFromWire = (
  runId: string,
  params: readonly KeyValue[] = [],
): Readonly<Record<string, string>> => {
  const record = recordFromWire(params);
  for (const { key, value = '' } of params) {
    if (record[key] === value) continue;
    throw new MlflowError(
      'INVALID_PARAMETER_VALUE',
      `The batch for run ID='${runId}' gives param '${key}' two different values; a param is logged once.`,
    );
  }
  return record;
};
