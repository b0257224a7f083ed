import type { FastifyRequest } from 'fastify';
import type { ModelVersion } from '../../../crds/schema/model-version.ts';
import { cleanArtifactPath } from '../../artifacts/artifact-path.ts';
import { identityOf } from '../route-context.ts';
import type { RouteContext } from '../route-context.ts';
import { MlflowError } from './mlflow-error.ts';
import { MODEL_VERSION } from './registry/registry-objects.ts';
import { rootOf } from './registry/version-bytes.ts';
import type { VersionRoot } from './registry/version-bytes.ts';

const VERSION_PATH = /^([^/]+)\/versions\/([^/]+)(?:\/(.*))?$/s;
const OBJECT_NAME = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

/** A place among the files of a registered version, which can only be read. */
export type VersionPlace = { readonly root: VersionRoot; readonly path: string };

/** Reads `<namespace>/versions/<ModelVersion>/<path>`; undefined for another kind of path. */
export const versionPlace = async (
  context: RouteContext,
  request: FastifyRequest,
  location: string,
): Promise<VersionPlace | undefined> => {
  const [, namespace = '', name = '', path = ''] = VERSION_PATH.exec(location) ?? [];
  if (name === '') return undefined;
  const missing = new MlflowError(
    'RESOURCE_DOES_NOT_EXIST',
    `There is no ModelVersion "${name}" in namespace ${namespace}, or its bytes are not in the bundled store.`,
  );
  if (!OBJECT_NAME.test(name) || !OBJECT_NAME.test(namespace)) throw missing;
  const key = { namespace, name };
  await context.access.require(identityOf(request), {
    verb: 'get',
    resource: MODEL_VERSION.plural,
    subresource: 'artifact',
    ...key,
  });
  const version = await context.cluster.get<ModelVersion>(MODEL_VERSION, key);
  const root = version && rootOf(version, context.config.bundledBucket);
  if (root === undefined) throw missing;
  return { root, path: path === '' ? '' : cleanArtifactPath(path) };
};

/** The key of one file of a version. */
export const versionFileKey = ({ root, path }: VersionPlace): string => {
  const key = root.prefix + path;
  if (path !== '' && (root.only === undefined || root.only === key)) return key;
  throw new MlflowError('RESOURCE_DOES_NOT_EXIST', `The version has no file "${path}".`);
};

/** What lies directly in a folder of a version, named relative to it. */
export const versionFiles = async (
  { artifacts }: RouteContext,
  { root, path }: VersionPlace,
): Promise<readonly object[]> => {
  const prefix = path === '' ? root.prefix : `${root.prefix}${path}/`;
  const { files, folders } = await artifacts.listFolder(prefix);
  const name = (key: string): string => key.slice(prefix.length);
  const shown = files.filter(({ key }) => root.only === undefined || root.only === key);
  return [
    ...(root.only === undefined ? folders : []).map((key) => ({
      path: name(key).slice(0, -1),
      is_dir: true,
    })),
    ...shown.map(({ key, sizeBytes }) => ({
      path: name(key),
      is_dir: false,
      file_size: sizeBytes,
    })),
  ];
};
