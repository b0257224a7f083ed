import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ANNOTATIONS, LABELS } from '../../../crds/schema/names.ts';
import { keyOf } from '../../runtime/resource-type.ts';
import type { KubernetesObject } from '../../runtime/resource-type.ts';
import { identityOf } from '../route-context.ts';
import { allRuns } from './all-runs.ts';
import { createExperiment } from './create-experiment.ts';
import { EXPERIMENT } from './experiment-directory.ts';
import { experimentTags, requiredExperiment } from './experiment-routes.ts';
import type { TrackingContext } from './experiment-routes.ts';
import { MlflowError } from './mlflow-error.ts';
import { EXPERIMENT_NAME, nameLabel } from './object-names.ts';
import { changeObject, objectNamed, patchObject, set, unset } from './object-writes.ts';
import type { Change } from './object-writes.ts';
import type { KeyValue } from './run-wire.ts';
import {
  CREATE_EXPERIMENT,
  EXPERIMENT_BY_ID,
  EXPERIMENT_TAG,
  UPDATE_EXPERIMENT,
} from './wire-schemas.ts';
import { operationsOf } from './operation.ts';

const BASE = '/api/2.0/mlflow/experiments';

const documented = operationsOf('mlflow experiments');

type ById = { readonly experiment_id: string };

/** What clients change of Experiments; each change is a write to the object, as the caller. */
export const experimentChanges = (app: FastifyInstance, context: TrackingContext): void => {
  app.post<{ Body: { readonly name: string; readonly tags?: readonly KeyValue[] } }>(
    `${BASE}/create`,
    {
      schema: {
        ...documented('createExperimentByName', 'Create an Experiment that runs nothing itself'),
        body: CREATE_EXPERIMENT,
      },
    },
    async (request) => {
      const created = await createExperiment(
        context,
        request,
        request.body.name,
        request.body.tags,
      );
      context.experiments.remember(created);
      return { experiment_id: created.metadata.uid };
    },
  );
  app.post<{ Body: ById }>(
    `${BASE}/delete`,
    {
      schema: {
        ...documented('deleteExperimentById', 'Mark an Experiment and its runs as deleted'),
        body: EXPERIMENT_BY_ID,
      },
    },
    async (request) => setStage(context, request, 'deleted'),
  );
  app.post<{ Body: ById }>(
    `${BASE}/restore`,
    {
      schema: {
        ...documented('restoreExperimentById', 'Take the mark away again'),
        body: EXPERIMENT_BY_ID,
      },
    },
    async (request) => setStage(context, request, 'active'),
  );
  app.post<{ Body: ById & { readonly new_name: string } }>(
    `${BASE}/update`,
    {
      schema: {
        ...documented('updateExperiment', 'Let clients know an Experiment by another name'),
        body: UPDATE_EXPERIMENT,
      },
    },
    async (request) => rename(context, request, request.body),
  );
  tagRoutes(app, context);
};

const setStage = async (
  context: TrackingContext,
  request: FastifyRequest<{ Body: ById }>,
  stage: 'active' | 'deleted',
): Promise<object> => {
  const id = request.body.experiment_id;
  const experiment = await requiredExperiment(context, request, id, 'read');
  const key = keyOf(experiment);
  await context.access.require(identityOf(request), {
    verb: 'delete',
    resource: EXPERIMENT.plural,
    ...key,
  });
  const is = experiment.metadata.annotations?.[ANNOTATIONS.mlflowDeleted] !== undefined;
  if (is === (stage === 'deleted')) {
    throw new MlflowError(
      'RESOURCE_DOES_NOT_EXIST',
      `No ${stage === 'deleted' ? 'active' : 'deleted'} experiment with id=${id} exists.`,
    );
  }
  await patchObject({ context, request }, EXPERIMENT, key, () => [
    stage === 'deleted'
      ? set('/metadata/annotations', ANNOTATIONS.mlflowDeleted, String(context.now()))
      : unset('/metadata/annotations', ANNOTATIONS.mlflowDeleted),
  ]);
  const view = stage === 'deleted' ? 'active' : 'deleted';
  for (const { runId } of await allRuns(context.runs, { experimentUids: [id], view })) {
    await (stage === 'deleted' ? context.runs.deleteRun(runId) : context.runs.restoreRun(runId));
  }
  return {};
};

const rename = async (
  context: TrackingContext,
  request: FastifyRequest,
  { experiment_id: id, new_name: name }: ById & { readonly new_name: string },
): Promise<object> => {
  const experiment = await activeExperiment(context, request, id);
  const key = keyOf(experiment);
  const place = { namespace: key.namespace, name, rule: EXPERIMENT_NAME };
  const holder = await objectNamed(context, EXPERIMENT, place);
  if (holder !== undefined && holder.metadata.uid !== id) {
    throw new MlflowError('RESOURCE_ALREADY_EXISTS', `Experiment '${name}' already exists.`);
  }
  await changeObject({ context, request }, EXPERIMENT, key, ({ metadata }) => [
    set('/metadata/labels', LABELS.mlflowName, nameLabel(name)),
    set('/metadata/annotations', ANNOTATIONS.mlflowName, name),
    ...(metadata.annotations?.[ANNOTATIONS.mlflowTags] === undefined
      ? [set('/metadata/annotations', ANNOTATIONS.mlflowTags, '{}')]
      : []),
  ]);
  return {};
};

/** Whoever may write runs may not yet write the object: the change itself asks for `patch`. */
const activeExperiment = async (
  context: TrackingContext,
  request: FastifyRequest,
  id: string,
): Promise<KubernetesObject> => {
  const experiment = await requiredExperiment(context, request, id, 'read');
  if (experiment.metadata.annotations?.[ANNOTATIONS.mlflowDeleted] === undefined) return experiment;
  throw new MlflowError(
    'INVALID_PARAMETER_VALUE',
    `The experiment ${id} must be in the 'active' state. Current state is deleted.`,
  );
};

type TagBody = ById & { readonly key: string; readonly value?: string };

const tagRoutes = (app: FastifyInstance, context: TrackingContext): void => {
  const retag = async (
    request: FastifyRequest<{ Body: TagBody }>,
    changed: (tags: Record<string, string>) => Readonly<Record<string, string>>,
  ): Promise<object> => {
    const experiment = await activeExperiment(context, request, request.body.experiment_id);
    const change: Change = (live) => [
      set(
        '/metadata/annotations',
        ANNOTATIONS.mlflowTags,
        JSON.stringify(changed({ ...experimentTags(live) })),
      ),
    ];
    await changeObject({ context, request }, EXPERIMENT, keyOf(experiment), change);
    return {};
  };
  app.post<{ Body: TagBody }>(
    `${BASE}/set-experiment-tag`,
    { schema: { ...documented('setExperimentTag', 'Tag an Experiment'), body: EXPERIMENT_TAG } },
    async (request) => {
      const { key, value = '' } = request.body;
      return retag(request, (tags) => ({ ...tags, [key]: value }));
    },
  );
  app.post<{ Body: TagBody }>(
    `${BASE}/delete-experiment-tag`,
    {
      schema: { ...documented('deleteExperimentTag', 'Untag an Experiment'), body: EXPERIMENT_TAG },
    },
    async (request) => {
      const { key } = request.body;
      return retag(request, ({ [key]: gone, ...tags }) => {
        if (gone !== undefined) return tags;
        throw new MlflowError(
          'RESOURCE_DOES_NOT_EXIST',
          `No tag with name: ${key} in experiment with id ${request.body.experiment_id}`,
        );
      });
    },
  );
};
