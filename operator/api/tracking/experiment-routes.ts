import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { KubernetesObject } from '../../runtime/resource-type.ts';
import { identityOf } from '../route-context.ts';
import type { RouteContext } from '../route-context.ts';
import { ANNOTATIONS, LABELS } from '../../../crds/schema/names.ts';
import { createExperiment } from './create-experiment.ts';
import { EXPERIMENT, allExperiments } from './experiment-directory.ts';
import type { ExperimentDirectory } from './experiment-directory.ts';
import { MlflowError } from './mlflow-error.ts';
import { inOrder, parseFilter, parseOrder } from './run-filter.ts';
import type { Searchable } from './run-filter.ts';
import { EXPERIMENT_NAME, clientNameOf } from './object-names.ts';
import { objectNamed } from './object-writes.ts';
import { slice } from './slice.ts';
import { experimentArtifactUri } from './run-place.ts';
import { updatedAt } from './object-times.ts';
import { mayTrack, namespaceOf, requireNamespace, requireTracking } from './tracking-access.ts';
import type { TrackingMode } from './tracking-access.ts';
import { EXPERIMENT_BY_ID, EXPERIMENT_BY_NAME, SEARCH_EXPERIMENTS } from './wire-schemas.ts';
import { operationsOf } from './operation.ts';

const BASE = '/api/2.0/mlflow';
const DEFAULT_RESULTS = 1000;

export type TrackingContext = RouteContext & { readonly experiments: ExperimentDirectory };

const documented = operationsOf('mlflow experiments');

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
  searchRoute(app, context);
};

const named = async (
  context: TrackingContext,
  request: FastifyRequest,
  name: string,
): Promise<KubernetesObject> => {
  const namespace = requireNamespace(request);
  const missing = `Could not find Experiment "${name}" in namespace ${namespace}.`;
  const found = await objectNamed(context, EXPERIMENT, { namespace, name, rule: EXPERIMENT_NAME });
  if (found === undefined) throw new MlflowError('RESOURCE_DOES_NOT_EXIST', missing);
  const place = { namespace, name: found.metadata.name };
  await requireTracking(context, identityOf(request), place, { mode: 'read', missing });
  context.experiments.remember(found);
  return found;
};

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
  const found =
    id === UNNAMED
      ? await unnamedExperiment(context, request, mode)
      : await context.experiments.byId(id);
  if (found === undefined) throw new MlflowError('RESOURCE_DOES_NOT_EXIST', missing);
  const { name, namespace = '' } = found.metadata;
  await requireTracking(context, identityOf(request), { namespace, name }, { mode, missing });
  return found;
};

/** The id clients use when nobody named an experiment. */
const UNNAMED = '0';
const UNNAMED_NAME = 'Default';

/** Made when the first run is logged to it, by who may create Experiments. */
const unnamedExperiment = async (
  context: TrackingContext,
  request: FastifyRequest,
  mode: TrackingMode,
): Promise<KubernetesObject | undefined> => {
  const namespace = namespaceOf(request);
  if (namespace === undefined) return undefined;
  const place = { namespace, name: UNNAMED_NAME, rule: EXPERIMENT_NAME };
  const found = await objectNamed(context, EXPERIMENT, place);
  if (found !== undefined || mode === 'read') return found;
  const action = { verb: 'create', resource: EXPERIMENT.plural, namespace } as const;
  if (!(await context.access.allowed(identityOf(request), action))) return undefined;
  try {
    return await createExperiment(context, request, UNNAMED_NAME);
  } catch (error) {
    // Somebody else's first run was a moment earlier.
    if (error instanceof MlflowError && error.code === 'RESOURCE_ALREADY_EXISTS') {
      return objectNamed(context, EXPERIMENT, place);
    }
    throw error;
  }
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
      const matches = parseFilter(search.filter ?? '', EXPERIMENT_FIELDS);
      const orders = [...(search.order_by ?? []), 'creation_time DESC', 'experiment_id DESC'].map(
        parseOrder,
      );
      const { view_type: view = 'ACTIVE_ONLY' } = search;
      const found = (await visibleExperiments(context, request)).filter(
        (each) =>
          (view === 'ALL' || isDeleted(each) === (view === 'DELETED_ONLY')) &&
          matches(searchable(each)),
      );
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

const EXPERIMENT_FIELDS = {
  attributes: ['name', 'creation_time', 'last_update_time', 'experiment_id'],
  entities: ['tags'],
} as const;

export const isDeleted = ({ metadata }: KubernetesObject): boolean =>
  metadata.deletionTimestamp !== undefined ||
  metadata.annotations?.[ANNOTATIONS.mlflowDeleted] !== undefined;

/** Tags that clients set. */
export const experimentTags = ({
  metadata,
}: KubernetesObject): Readonly<Record<string, string>> => {
  const text = metadata.annotations?.[ANNOTATIONS.mlflowTags];
  if (text === undefined) return {};
  try {
    const tags: unknown = JSON.parse(text);
    return typeof tags === 'object' && tags !== null ? (tags as Record<string, string>) : {};
  } catch (cause) {
    throw new MlflowError(
      'RESOURCE_CONFLICT',
      `The annotation ${ANNOTATIONS.mlflowTags} of Experiment ${metadata.name} is no JSON; correct or remove it.`,
      { cause },
    );
  }
};

const tagsOf = (object: KubernetesObject): Readonly<Record<string, string>> => {
  const { [LABELS.mlflowName]: _hash, ...labels } = object.metadata.labels ?? {};
  return { ...labels, ...experimentTags(object) };
};

const searchable = (object: KubernetesObject): Searchable => ({
  attributes: {
    name: clientNameOf(object),
    experiment_id: object.metadata.uid,
    creation_time: timestamp(object.metadata.creationTimestamp),
    last_update_time: updatedAt(object),
  },
  metrics: {},
  params: {},
  tags: tagsOf(object),
});

export const experimentToWire = (object: KubernetesObject): object => ({
  experiment_id: object.metadata.uid,
  name: clientNameOf(object),
  artifact_location: experimentArtifactUri(object.metadata.namespace ?? ''),
  lifecycle_stage: isDeleted(object) ? 'deleted' : 'active',
  creation_time: timestamp(object.metadata.creationTimestamp),
  last_update_time: updatedAt(object),
  tags: Object.entries(tagsOf(object)).map(([key, value]) => ({ key, value })),
  workspace: object.metadata.namespace,
});
