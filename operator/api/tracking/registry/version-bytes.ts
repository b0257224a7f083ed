import { modelFileKey, modelVersionPrefix, parseStorageUri } from '../../../artifacts/locations.ts';
import type { ModelVersion } from '../../../../crds/schema/model-version.ts';
import { readRunArtifact } from '../../../kinds/experiment/run-artifact.ts';
import type { RunArtifact } from '../../../kinds/experiment/run-artifact.ts';
import type { RouteContext } from '../../route-context.ts';
import { MlflowError } from '../mlflow-error.ts';
import type { Source } from './version-source.ts';

type Name = { readonly namespace: string; readonly model: string; readonly version: string };

type Format = 'onnx' | 'mlflow' | 'other';

/** The part of a ModelVersion's spec that says which bytes it has. */
export type Bytes = {
  readonly storageUri: string;
  readonly modelFormat: { readonly name: Format };
  readonly verification?: { readonly digest: string };
  readonly deletionPolicy: 'Retain' | 'Delete';
};

/**
 * Copies what a run logged, or another version's bytes, into the version's own folder of the bundled
 * store, inside the store. What lies elsewhere stays there.
 */
export const bytesOf = async (
  context: RouteContext,
  source: Source,
  name: Name,
  number: number,
): Promise<Bytes> => {
  if (source.is === 'elsewhere') return unread(source.uri);
  if (source.is === 'version') return ofVersion(context, source.version, name, number);
  const { run, path } = source;
  const place = { namespace: run.experiment.namespace, runId: run.runId, path, tags: run.tags };
  const { signal } = new AbortController();
  const whole = await readRunArtifact(context.artifacts, place, signal);
  if ('missing' in whole) {
    throw new MlflowError(
      'RESOURCE_DOES_NOT_EXIST',
      whole.missing.replace(' (spec.register.artifactPath)', ''),
    );
  }
  const folder = await copied(context, whole.files, name, number);
  const graph = graphOf(whole);
  if (graph === undefined) {
    const file = whole.folder ? '' : (whole.files[0]?.path ?? '');
    return stored(folder + file, whole.digest, formatOf(whole));
  }
  const one = await readRunArtifact(
    context.artifacts,
    { ...place, path: whole.folder ? `${path}/${graph}` : path },
    signal,
  );
  return stored(folder + graph, 'missing' in one ? whole.digest : one.digest, 'onnx');
};

const stored = (storageUri: string, digest: string, name: Format): Bytes => ({
  storageUri,
  modelFormat: { name },
  verification: { digest },
  deletionPolicy: 'Delete',
});

const unread = (uri: string): Bytes => ({
  storageUri: uri,
  modelFormat: { name: uri.endsWith('.onnx') ? 'onnx' : 'mlflow' },
  deletionPolicy: 'Retain',
});

/** The one ONNX graph of a model, which is what can be served of it; MLflow's wrapper is not. */
const graphOf = ({ files }: Pick<RunArtifact, 'files'>): string | undefined => {
  const graphs = files.filter(({ path }) => path.endsWith('.onnx'));
  // Weights beside the graph belong to it: then the folder is the model.
  const whole = files.every(({ path }) => !/\.onnx[._]data$|\.data$/.test(path));
  return graphs.length === 1 && whole ? graphs[0]?.path : undefined;
};

const formatOf = ({ files }: Pick<RunArtifact, 'files'>): Format =>
  files.some(({ path }) => path === 'MLmodel') ? 'mlflow' : 'other';

/** The folder of what was registered under this number, as a URI with a slash at its end. */
const copied = async (
  { artifacts, config }: RouteContext,
  files: RunArtifact['files'],
  name: Name,
  number: number,
): Promise<string> => {
  for (const { path, key } of files) {
    await artifacts.copy(key, modelFileKey(name, `mlflow-${number}/${path}`));
  }
  return `s3://${config.bundledBucket}/${folderOf(name, number)}`;
};

const folderOf = (name: Name, number: number): string =>
  `${modelVersionPrefix(name)}mlflow-${number}/`;

/** Takes back what `bytesOf` copied, when somebody else got the version. */
export const forgetBytes = async (
  { artifacts }: RouteContext,
  name: Name,
  number: number,
): Promise<void> => {
  await artifacts.deletePrefix(folderOf(name, number));
};

const ofVersion = async (
  context: RouteContext,
  version: ModelVersion,
  name: Name,
  number: number,
): Promise<Bytes> => {
  const { storageUri, modelFormat, verification } = version.spec;
  const digest = verification?.digest ?? version.status?.digest;
  const root = rootOf(version, context.config.bundledBucket);
  if (root === undefined) {
    return { ...unread(storageUri), modelFormat: { name: modelFormat.name } };
  }
  const files: { path: string; key: string }[] = [];
  for await (const { key } of context.artifacts.list(root.prefix)) {
    if (root.only === undefined || root.only === key) {
      files.push({ path: key.slice(root.prefix.length), key });
    }
  }
  const folder = await copied(context, files, name, number);
  const bucket = `s3://${context.config.bundledBucket}/`;
  return {
    storageUri: folder + storageUri.slice(bucket.length + root.prefix.length),
    modelFormat: { name: modelFormat.name },
    ...(digest === undefined ? {} : { verification: { digest } }),
    deletionPolicy: 'Delete',
  };
};

/** Where the files of a version lie in the bundled store; one of them alone where it is a file. */
export type VersionRoot = { readonly prefix: string; readonly only?: string };

/** Undefined where the bytes are not in the bundled store. */
export const rootOf = (
  { metadata, spec }: ModelVersion,
  bucket: string,
): VersionRoot | undefined => {
  const { namespace } = metadata;
  const location = parseStorageUri(spec.storageUri, {
    namespace,
    bucket,
    ownCredentials: spec.secretRef !== undefined,
  });
  if (location.scheme !== 's3' || !location.bundled) return undefined;
  const own = modelVersionPrefix({ namespace, model: spec.modelRef.name, version: spec.version });
  const ofClient = /^mlflow-\d+\//.exec(
    location.key.startsWith(own) ? `${location.key.slice(own.length)}/` : '',
  )?.[0];
  if (ofClient !== undefined) return { prefix: own + ofClient };
  if (location.folder) return { prefix: `${location.key.replace(/\/$/, '')}/` };
  return { prefix: location.key.slice(0, location.key.lastIndexOf('/') + 1), only: location.key };
};
