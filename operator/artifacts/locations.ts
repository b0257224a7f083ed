import { cleanArtifactPath, pathFault } from './artifact-path.ts';

/** Everything of one tenant in the bundled store; deleting it empties the tenant. */
export const namespacePrefix = (namespace: string): string => `${segment(namespace)}/`;

export const runPrefix = (namespace: string, runId: string): string =>
  `${namespacePrefix(namespace)}runs/${segment(runId)}/artifacts/`;

export const runArtifactKey = (namespace: string, runId: string, path: string): string =>
  runPrefix(namespace, runId) + cleanArtifactPath(path);

export type ModelVersionName = {
  readonly namespace: string;
  readonly model: string;
  readonly version: string;
};

export const modelVersionPrefix = ({ namespace, model, version }: ModelVersionName): string =>
  `${namespacePrefix(namespace)}models/${segment(model)}/${segment(version)}/`;

export const modelFileKey = (version: ModelVersionName, file: string): string =>
  modelVersionPrefix(version) + cleanArtifactPath(file);

/** Names here were checked by the API server; a slash would still reach into another's room. */
const segment = (name: string): string => {
  if (!/^[A-Za-z0-9][A-Za-z0-9.+_-]*$/.test(name))
    throw new Error(`"${name}" cannot be part of an artifact key.`);
  return name;
};

export type StorageLocation =
  | {
      readonly scheme: 's3';
      readonly bucket: string;
      readonly key: string;
      /** The URI ends in `/`: all objects below the key. */
      readonly folder: boolean;
      /** In the bundled store, which the operator reads itself. */
      readonly bundled: true;
    }
  | {
      readonly scheme: 's3';
      readonly bucket: string;
      readonly key: string;
      readonly folder: boolean;
      /** In a bucket of the user's own, which only a pod with the user's Secret reads. */
      readonly bundled: false;
    }
  | { readonly scheme: 'https'; readonly url: string; readonly host: string }
  | { readonly scheme: 'pvc'; readonly claim: string; readonly path: string };

export type LocationRefusal = {
  readonly scheme: 'refused';
  readonly reason:
    | 'Malformed'
    | 'UnsupportedScheme'
    | 'UnsafePath'
    | 'CredentialsInUri'
    | 'OtherBucket'
    | 'OtherNamespace';
  readonly message: string;
};

export type StorageScope = {
  readonly namespace: string;
  /** The bundled store's bucket. */
  readonly bucket: string;
  /** The object names a Secret of its own; then any bucket goes, read with that Secret. */
  readonly ownCredentials: boolean;
};

const refuse = (reason: LocationRefusal['reason'], message: string): LocationRefusal => ({
  scheme: 'refused',
  reason,
  message,
});

/**
 * Reads `spec.storageUri` (`s3://bucket/key`, `https://host/path`, `pvc://claim/path`) for an object
 * in `scope.namespace`, refusing whatever could mean another place than it seems to.
 */
export const parseStorageUri = (
  uri: string,
  scope: StorageScope,
): StorageLocation | LocationRefusal => {
  const match = /^([a-z][a-z0-9+.-]*):\/\/([^/]*)(?:\/(.*))?$/s.exec(uri);
  if (!match)
    return refuse('Malformed', 'spec.storageUri must look like s3://bucket/folder/model.onnx.');
  const [, scheme = '', authority = '', path = ''] = match;
  if (authority.includes('@'))
    return refuse(
      'CredentialsInUri',
      'spec.storageUri holds credentials; put them into a Secret and name it in spec.secretRef.',
    );
  switch (scheme) {
    case 's3':
      return parseS3(authority, path, scope);
    case 'https':
      return parseHttps(uri);
    case 'pvc':
      return parsePvc(authority, path);
    default:
      return refuse(
        'UnsupportedScheme',
        `spec.storageUri starts with ${scheme}://; use s3://, https:// or pvc://.`,
      );
  }
};

const unsafe = (path: string): LocationRefusal | undefined => {
  const fault = pathFault(path.endsWith('/') ? path.slice(0, -1) : path);
  return fault && refuse('UnsafePath', `spec.storageUri is refused: ${fault.message}.`);
};

const parseS3 = (
  bucket: string,
  key: string,
  scope: StorageScope,
): StorageLocation | LocationRefusal => {
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket))
    return refuse('Malformed', `"${bucket}" in spec.storageUri is not a bucket name.`);
  if (/[?#]/.test(key))
    return refuse(
      'Malformed',
      'spec.storageUri must not hold ? or #; a key is taken as it stands.',
    );
  const fault = unsafe(key);
  if (fault) return fault;
  if (!scope.ownCredentials && bucket !== scope.bucket)
    return refuse(
      'OtherBucket',
      `Bucket "${bucket}" is not the bundled store's ("${scope.bucket}"); ` +
        'to read a bucket of your own, name its credentials in spec.secretRef.',
    );
  if (!scope.ownCredentials && !key.startsWith(namespacePrefix(scope.namespace)))
    return refuse(
      'OtherNamespace',
      `Keys of namespace "${scope.namespace}" in the bundled store start with ` +
        `${scope.namespace}/; spec.storageUri points elsewhere.`,
    );
  return { scheme: 's3', bucket, key, folder: key.endsWith('/'), bundled: !scope.ownCredentials };
};

/** The host is still a name here; before connecting, its addresses go through `public-address.ts`. */
const parseHttps = (uri: string): StorageLocation | LocationRefusal => {
  // WHATWG parsing silently drops tabs and newlines and folds backslashes into slashes.
  const path = /^https:\/\/[^/?#]*([^?#]*)/.exec(uri)?.[1] ?? '';
  if (/^https:\/\/\/|[\s\\#]/.test(uri) || !URL.canParse(uri))
    return refuse('Malformed', 'spec.storageUri is not a valid https URL.');
  const url = new URL(uri);
  if (url.username !== '' || url.password !== '')
    return refuse('CredentialsInUri', 'spec.storageUri holds credentials; use spec.secretRef.');
  if (path === '' || path === '/')
    return refuse('Malformed', 'spec.storageUri names a host but no file on it.');
  const fault = /%(2e|2f|5c|00)/i.test(path) ? encodedRefusal : unsafe(decodedPath(path));
  if (fault) return fault;
  return { scheme: 'https', url: url.href, host: url.hostname };
};

const encodedRefusal = refuse(
  'UnsafePath',
  'spec.storageUri is refused: the path holds an encoded dot, slash, backslash or NUL.',
);

/** `a%20b` is a fine name in a URL; what is left encoded after one decode is not. */
const decodedPath = (path: string): string => {
  try {
    return decodeURIComponent(path.slice(1));
  } catch {
    return `${path.slice(1)}\u0000`; // undecodable: fails the check for control characters
  }
};

const parsePvc = (claim: string, path: string): StorageLocation | LocationRefusal => {
  if (!/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/.test(claim))
    return refuse('Malformed', `"${claim}" in spec.storageUri is not a volume claim's name.`);
  const fault = unsafe(path);
  return fault ?? { scheme: 'pvc', claim, path };
};
