import type { FastifyRequest } from 'fastify';
import type { ExperimentIdentity, Run } from '../../kinds/experiment/run-store.ts';
import type { Identity } from '../identity.ts';
import { identityOf } from '../route-context.ts';
import type { RouteContext } from '../route-context.ts';
import { DNS_LABEL } from '../schemas.ts';
import { MlflowError } from './mlflow-error.ts';
import { isOwnRun } from './run-token.ts';

export type TrackingMode = 'read' | 'write';

type Place = Pick<ExperimentIdentity, 'namespace' | 'name'>;

/**
 * A trial's pod may track the runs of its own Experiment, a run's own token those of them that are
 * its; everybody else needs `get` on the
 * Experiment to read its runs and `update` to write them.
 */
export const mayTrack = async (
  context: RouteContext,
  identity: Identity,
  { namespace, name }: Place,
  mode: TrackingMode,
): Promise<boolean> => {
  if (identity.run !== undefined) {
    return identity.namespace === namespace && identity.run.experiment === name;
  }
  const grants = await context.podGrants(identity);
  if (grants?.namespace === namespace && grants.experiment === name) return true;
  const verb = mode === 'read' ? 'get' : 'update';
  return context.access.allowed(identity, { verb, resource: 'experiments', namespace, name });
};

/**
 * Throws when the caller may not track this Experiment. Whoever may not even read it is told the
 * same as if it did not exist: `missing`.
 */
export const requireTracking = async (
  context: RouteContext,
  identity: Identity,
  place: Place,
  { mode, missing }: { readonly mode: TrackingMode; readonly missing: string },
): Promise<void> => {
  if (await mayTrack(context, identity, place, mode)) return;
  const readable = mode === 'write' && (await mayTrack(context, identity, place, 'read'));
  if (!readable) throw new MlflowError('RESOURCE_DOES_NOT_EXIST', missing);
  throw new MlflowError(
    'PERMISSION_DENIED',
    `"${identity.username}" may read but not write the runs of Experiment ` +
      `${place.namespace}/${place.name}: that needs the verb update on experiments.mlops.pynomaly.io.`,
  );
};

/** The run, when it exists and the caller may do this with it. */
export const trackedRun = async (
  context: RouteContext,
  request: FastifyRequest,
  runId: string,
  mode: TrackingMode,
): Promise<Run> => {
  const missing = `Run with id=${runId} not found, or not yours to see.`;
  const run = RUN_ID.test(runId) ? await context.runs.getRun(runId) : undefined;
  if (run === undefined || !isOwnRun(identityOf(request), run)) {
    throw new MlflowError('RESOURCE_DOES_NOT_EXIST', missing);
  }
  await requireTracking(context, identityOf(request), run.experiment, { mode, missing });
  return run;
};

const RUN_ID = /^[0-9a-f]{32}$/;
const NAMESPACE = new RegExp(DNS_LABEL.pattern);

/** The namespace a request is about: MLflow's workspace, else that of the caller's service account. */
export const namespaceOf = (request: FastifyRequest): string | undefined => {
  const header = request.headers['x-mlflow-workspace'];
  if (header === undefined) return identityOf(request).namespace;
  if (
    typeof header === 'string' &&
    header.length <= DNS_LABEL.maxLength &&
    NAMESPACE.test(header)
  ) {
    return header;
  }
  throw new MlflowError(
    'INVALID_PARAMETER_VALUE',
    'The workspace is no name of a namespace: set MLFLOW_WORKSPACE to the namespace of your Experiments.',
  );
};

export const requireNamespace = (request: FastifyRequest): string => {
  const namespace = namespaceOf(request);
  if (namespace !== undefined) return namespace;
  throw new MlflowError(
    'INVALID_PARAMETER_VALUE',
    'An Experiment has a name only within its namespace: set MLFLOW_WORKSPACE to that namespace.',
  );
};
