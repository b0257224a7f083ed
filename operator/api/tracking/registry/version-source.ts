import type { ModelVersion } from '../../../../crds/schema/model-version.ts';
import type { Run } from '../../../kinds/experiment/run-store.ts';
import { identityOf } from '../../route-context.ts';
import { modelOf, runIdOfModel } from '../logged-model.ts';
import { MlflowError } from '../mlflow-error.ts';
import type { Call } from '../object-writes.ts';
import { requireNamespace, trackedRun } from '../tracking-access.ts';
import { MODEL_VERSION, registered, requireVersion } from './registry-objects.ts';
import { aliasNamed } from './aliases.ts';

/** What a version is made of; the caller may read it. */
export type Source =
  | { readonly is: 'run'; readonly run: Run; readonly path: string }
  | { readonly is: 'version'; readonly version: ModelVersion }
  | { readonly is: 'elsewhere'; readonly uri: string };

const RUN_ARTIFACT = /^mlflow-artifacts:\/(?:\/[^/]*\/)?([^/]+)\/runs\/([^/]+)\/artifacts\/(.+)$/s;
const VERSION_ARTIFACT = /^mlflow-artifacts:\/(?:\/[^/]*\/)?([^/]+)\/versions\/([^/]+)\/?$/;
const RUN = /^runs:\/+([^/]+)\/(.+)$/s;
const LOGGED_MODEL = /^models:\/+(m-[0-9a-f]+)$/;
const REGISTERED = /^models:\/+([^/@]+)(?:\/(\d+)|@(.+))$/s;

/** Reads `source` of a new version as clients write it. */
export const sourceOf = async (call: Call, source: string): Promise<Source> => {
  const [, namespace, runId = '', artifact = ''] = RUN_ARTIFACT.exec(source) ?? [];
  if (namespace !== undefined) return ofRun(call, runId, artifact, namespace);
  const [, id, path = ''] = RUN.exec(source) ?? [];
  if (id !== undefined) return ofRun(call, id, path);
  const modelId = LOGGED_MODEL.exec(source)?.[1];
  if (modelId !== undefined) {
    const run = await trackedRun(call.context, call.request, runIdOfModel(modelId), 'read');
    return { is: 'run', run, path: modelOf(run, modelId).folder };
  }
  return (await ofVersion(call, source)) ?? elsewhere(source);
};

const ofRun = async (
  { context, request }: Call,
  runId: string,
  path: string,
  namespace?: string,
): Promise<Source> => {
  const run = await trackedRun(context, request, runId, 'read');
  if (namespace !== undefined && run.experiment.namespace !== namespace) {
    throw new MlflowError(
      'RESOURCE_DOES_NOT_EXIST',
      `Run with id=${runId} not found, or not yours to see.`,
    );
  }
  return { is: 'run', run, path };
};

const ofVersion = async (call: Call, source: string): Promise<Source | undefined> => {
  const { context, request } = call;
  const [, place, object = ''] = VERSION_ARTIFACT.exec(source) ?? [];
  let version: ModelVersion | undefined;
  if (place !== undefined) {
    await readable(call, { namespace: place, name: object });
    version = await context.cluster.get<ModelVersion>(MODEL_VERSION, {
      namespace: place,
      name: object,
    });
    if (version === undefined) {
      throw new MlflowError('RESOURCE_DOES_NOT_EXIST', `There is no ModelVersion ${object}.`);
    }
    return { is: 'version', version };
  }
  const [, name, number, alias] = REGISTERED.exec(source) ?? [];
  if (name === undefined) return undefined;
  version =
    alias === undefined
      ? (await requireVersion(call, name, number)).found.object
      : aliasNamed(await registered(call, name), alias).object;
  await readable(call, { namespace: requireNamespace(request), name: version.metadata.name });
  return { is: 'version', version };
};

/** The bytes of a version are more than its record: they need a permission of their own. */
const readable = async (
  { context, request }: Call,
  key: { readonly namespace: string; readonly name: string },
): Promise<void> =>
  context.access.require(identityOf(request), {
    verb: 'get',
    resource: MODEL_VERSION.plural,
    subresource: 'artifact',
    ...key,
  });

const elsewhere = (uri: string): Source => {
  if (/^(s3|https|pvc):\/\/[^/\s]+\/\S+$/.test(uri)) return { is: 'elsewhere', uri };
  throw new MlflowError(
    'INVALID_PARAMETER_VALUE',
    `Invalid model version source: '${uri.slice(0, 512)}'. Register what a run logged (runs:/<run>/<path>), ` +
      'another version (models:/<name>/<version>), or a place that pods can read (s3://, https:// or pvc://).',
  );
};
