import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { KubernetesObject } from '../../runtime/resource-type.ts';
import { identityOf } from '../route-context.ts';
import type { RouteContext } from '../route-context.ts';
import { allExperiments } from './experiment-directory.ts';
import type { ExperimentDirectory } from './experiment-directory.ts';
import { MlflowError } from './mlflow-error.ts';
import { inOrder, parseFilter, parseOrder } from './run-filter.ts';
import type { Searchable } from './run-filter.ts';
import { slice } from './slice.ts';
import { experimentArtifactUri } from './run-wire.ts';
import { mayTrack, namespaceOf, requireNamespace, requireTracking } from './tracking-access.ts';
import type { TrackingMode } from './tracking-access.ts';
import {
  CREATE_EXPERIMENT,
  EXPERIMENT_BY_ID,
  EXPERIMENT_BY_NAME,
  SEARCH_EXPERIMENTS,
} from './wire-schemas.ts';

const BASE = '/api/2.0/mlflow';
const DEFAULT_RESULTS = 1000;

export type TrackingContext = RouteContext & { readonly experiments: ExperimentDirectory };

const documented = (operationId: string, summary: string): object => ({
  operationId,
  summary,
  tags: ['mlflow experiments'],
  response: { 200: { type: 'object' } },
});

const NOT_CREATED =
  'A tracking client cannot create Experiments, because they say what to run: create it with ' +
  'kubectl apply or the REST API, then name it here.';

/** Experiments as MLflow clients see them: the id is the object's uid, the workspace its namespace. */
export const experimentRoutes = (app: FastifyInstance, context: TrackingContext): void => {
  app.get<{ Querystring: { readonly experiment_name: string } }>(
    `${BASE}/experiments/get-by-name`,
    {
      schema: {
        ...documented('getExperimentByName', 'An Experiment by its name'),
        querystring: EXPERIMENT_BY_NAME,
      },
    },
    async (request) => ({
      experiment: experimentToWire(await named(context, request, request.query.experiment_name)),
    }),
  );
  app.get<{ Querystring: { readonly experiment_id: string } }>(
    `${BASE}/experiments/get`,
    {
      schema: {
        ...documented('getExperimentById', 'An Experiment by its uid'),
        querystring: EXPERIMENT_BY_ID,
      },
    },
    async (request) => {
      const id = request.query.experiment_id;
      return {
        experiment: experimentToWire(await requiredExperiment(context, request, id, 'read')),
      };
    },
  );
  app.post<{ Body: { readonly name: string } }>(
    `${BASE}/experiments/create`,
    {
      schema: {
        ...documented('createExperimentByName', 'Refused: Experiments are created as objects'),
        body: CREATE_EXPERIMENT,
      },
    },
    async (request) => {
      const message = `There is no Experiment "${request.body.name}" that you may track. ${NOT_CREATED}`;
      throw new MlflowError('INVALID_PARAMETER_VALUE', message);
    },
  );
  searchRoute(app, context);
};

const named = async (
  context: TrackingContext,
  request: FastifyRequest,
  name: string,
): Promise<KubernetesObject> => {
  const namespace = requireNamespace(request);
  const missing = `Could not find Experiment "${name}" in namespace ${namespace}.`;
  const place = { namespace, name };
  // What is no name of an object may not become part of a request's path.
  const found = OBJECT_NAME.test(name) && (await context.experiments.byName(namespace, name));
  if (!found) throw new MlflowError('RESOURCE_DOES_NOT_EXIST', missing);
  await requireTracking(context, identityOf(request), place, { mode: 'read', missing });
  return found;
};

const OBJECT_NAME = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

/** The Experiment with this uid, when the caller may do this with its runs. */
export const requiredExperiment = async (
  context: TrackingContext,
  request: FastifyRequest,
  id: string,
  mode: TrackingMode,
): Promise<KubernetesObject> => {
  const missing =
    `No Experiment with id=${id} exists, or it is not yours to see. ` +
    'Set MLFLOW_EXPERIMENT_NAME, or call mlflow.set_experiment, with the name of one that exists.';
  const found = await context.experiments.byId(id);
  if (found === undefined) throw new MlflowError('RESOURCE_DOES_NOT_EXIST', missing);
  const { name, namespace = '' } = found.metadata;
  await requireTracking(context, identityOf(request), { namespace, name }, { mode, missing });
  return found;
};

type Search = {
  readonly filter?: string;
  readonly order_by?: readonly string[];
  readonly max_results?: number;
  readonly page_token?: string;
  readonly view_type?: string;
};

const searchRoute = (app: FastifyInstance, context: TrackingContext): void => {
  app.post<{ Body: Search | null }>(
    `${BASE}/experiments/search`,
    {
      schema: {
        ...documented('searchExperiments', 'Experiments the caller may track'),
        body: SEARCH_EXPERIMENTS,
      },
    },
    async (request) => {
      const search = request.body ?? {};
      const matches = parseFilter(search.filter ?? '');
      const orders = (search.order_by ?? []).map(parseOrder);
      const visible =
        search.view_type === 'DELETED_ONLY' ? [] : await visibleExperiments(context, request);
      const found = visible.filter((each) => matches(searchable(each)));
      const { items, next } = slice(
        inOrder(found, orders, searchable),
        search.page_token,
        search.max_results ?? DEFAULT_RESULTS,
      );
      return { experiments: items.map(experimentToWire), ...next };
    },
  );
};

const visibleExperiments = async (
  context: TrackingContext,
  request: FastifyRequest,
): Promise<readonly KubernetesObject[]> => {
  const identity = identityOf(request);
  const visible: KubernetesObject[] = [];
  const listable = new Map<string, Promise<boolean>>();
  const mayList = (namespace: string): Promise<boolean> => {
    const known =
      listable.get(namespace) ??
      context.access.allowed(identity, { verb: 'list', resource: 'experiments', namespace });
    listable.set(namespace, known);
    return known;
  };
  for await (const object of allExperiments(context.cluster, namespaceOf(request))) {
    const { name, namespace = '' } = object.metadata;
    const may =
      (await mayList(namespace)) ||
      (await mayTrack(context, identity, { namespace, name }, 'read'));
    if (may) visible.push(object);
  }
  return visible;
};

const timestamp = (text: string | undefined): number => (text === undefined ? 0 : Date.parse(text));

const searchable = ({ metadata }: KubernetesObject): Searchable => ({
  attributes: {
    name: metadata.name,
    experiment_id: metadata.uid,
    creation_time: timestamp(metadata.creationTimestamp),
    last_update_time: timestamp(metadata.creationTimestamp),
  },
  metrics: {},
  params: {},
  tags: metadata.labels ?? {},
});

export const experimentToWire = ({ metadata }: KubernetesObject): object => ({
  experiment_id: metadata.uid,
  name: metadata.name,
  artifact_location: experimentArtifactUri(metadata.namespace ?? ''),
  lifecycle_stage: metadata.deletionTimestamp === undefined ? 'active' : 'deleted',
  creation_time: timestamp(metadata.creationTimestamp),
  last_update_time: timestamp(metadata.creationTimestamp),
  tags: Object.entries(metadata.labels ?? {}).map(([key, value]) => ({ key, value })),
  workspace: metadata.namespace,
});
