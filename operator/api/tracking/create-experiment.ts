import type { FastifyRequest } from 'fastify';
import { ANNOTATIONS } from '../../../crds/schema/names.ts';
import { isAlreadyExists } from '../../runtime/cluster.ts';
import type { KubernetesObject } from '../../runtime/resource-type.ts';
import type { RouteContext } from '../route-context.ts';
import { EXPERIMENT } from './experiment-directory.ts';
import { MlflowError } from './mlflow-error.ts';
import { EXPERIMENT_NAME, hashedName, nameMarks, objectNameFor } from './object-names.ts';
import { createObject, objectNamed } from './object-writes.ts';
import { recordFromWire } from './run-wire.ts';
import type { KeyValue } from './run-wire.ts';
import { requireNamespace } from './tracking-access.ts';

/**
 * It is suspended and its template has no container: only clients log to it. Whoever wants the
 * operator to train in it has to write a template first.
 */
const TRACKED_ONLY = {
  suspend: true,
  trialTemplate: {
    trialSpec: {
      apiVersion: 'batch/v1',
      kind: 'Job',
      spec: { template: { spec: { containers: [] } } },
    },
  },
};

/**
 * Creates an Experiment for clients to log to, as the caller. Throws `RESOURCE_ALREADY_EXISTS`.
 */
export const createExperiment = async (
  context: RouteContext,
  request: FastifyRequest,
  name: string,
  tags: readonly KeyValue[] = [],
): Promise<KubernetesObject> => {
  if (name.trim() === '' || !name.isWellFormed() || name.includes('\u0000')) {
    throw new MlflowError(
      'INVALID_PARAMETER_VALUE',
      'Invalid experiment name: it has to hold more than spaces, and no NUL.',
    );
  }
  const namespace = requireNamespace(request);
  const place = { namespace, name, rule: EXPERIMENT_NAME };
  const taken = new MlflowError(
    'RESOURCE_ALREADY_EXISTS',
    `Experiment '${name}' already exists in namespace ${namespace}.`,
  );
  if ((await objectNamed(context, EXPERIMENT, place)) !== undefined) throw taken;
  for (const objectName of [
    objectNameFor(name, EXPERIMENT_NAME),
    hashedName(name, EXPERIMENT_NAME),
  ]) {
    const marks = nameMarks(name, objectName);
    const metadata = {
      namespace,
      name: objectName,
      ...marks,
      annotations: {
        ...marks.annotations,
        // Also what tells the controller that clients log here.
        [ANNOTATIONS.mlflowTags]: JSON.stringify(recordFromWire(tags)),
      },
    };
    try {
      return await createObject({ context, request }, EXPERIMENT, { metadata, spec: TRACKED_ONLY });
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      if ((await objectNamed(context, EXPERIMENT, place)) !== undefined) throw taken;
    }
  }
  throw taken;
};
