/** What a mounted Secret says about S3 storage of the user's own. */
import type { S3Keys } from './s3-signature.ts';
import { SourceError } from './source-error.ts';

export type StorageCredentials = S3Keys & {
  readonly region: string;
  /** Where the storage answers; `undefined`: Amazon S3. */
  readonly endpoint: string | undefined;
};

type Fields = Readonly<Record<string, string | undefined>>;

const defaultRegion = 'us-east-1';

/**
 * Reads the files of a Secret, by key. Three ways to write one are understood: the variables of AWS's
 * own tools (AWS_ACCESS_KEY_ID …), KServe's awsAccessKeyID and awsSecretAccessKey, and KServe's
 * storage-config, each key of which holds a JSON document. Throws SourceError `NotAuthorized`, which
 * names what is missing and never a value.
 */
export function readStorageCredentials(files: Fields, bucket: string): StorageCredentials {
  const fields = fromVariables(files) ?? fromDocuments(files, bucket);
  if (fields === undefined) {
    throw notUsable(
      'it holds neither AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY nor a JSON document with access_key_id and secret_access_key',
    );
  }
  const { accessKeyId, secretAccessKey, sessionToken, region, endpoint } = fields;
  if (!isSet(accessKeyId) || !isSet(secretAccessKey)) {
    throw notUsable('one of the access key and the secret access key is missing');
  }
  if (isSet(endpoint) && !(/^https?:\/\//.test(endpoint) && URL.canParse(endpoint))) {
    throw notUsable('its endpoint is not an http(s) URL such as https://minio.example.com:9000');
  }
  return {
    accessKeyId,
    secretAccessKey,
    sessionToken: isSet(sessionToken) ? sessionToken : undefined,
    region: isSet(region) ? region : defaultRegion,
    endpoint: isSet(endpoint) ? endpoint.replace(/\/+$/, '') : undefined,
  };
}

function isSet(value: string | undefined): value is string {
  return value !== undefined && value !== '';
}

function fromVariables(files: Fields): Fields | undefined {
  const accessKeyId = files['AWS_ACCESS_KEY_ID'] ?? files['awsAccessKeyID'];
  const secretAccessKey = files['AWS_SECRET_ACCESS_KEY'] ?? files['awsSecretAccessKey'];
  if (accessKeyId === undefined && secretAccessKey === undefined) return undefined;
  return {
    accessKeyId,
    secretAccessKey,
    sessionToken: files['AWS_SESSION_TOKEN'],
    region: files['AWS_REGION'] ?? files['AWS_DEFAULT_REGION'],
    endpoint: files['AWS_ENDPOINT_URL_S3'] ?? files['AWS_ENDPOINT_URL'],
  };
}

/** The document for the bucket, else the one KServe takes without being told, else the only one. */
function fromDocuments(files: Fields, bucket: string): Fields | undefined {
  const documents = Object.entries(files).flatMap(([name, text]) => {
    const document = parsed(text);
    return document?.['type'] === 's3' ? [{ name, document }] : [];
  });
  const named = (wanted: string) => documents.find(({ name }) => name === wanted);
  const chosen =
    documents.find(({ document }) => document['bucket'] === bucket) ??
    named('default_s3') ??
    named('default') ??
    (documents.length === 1 ? documents[0] : undefined);
  if (chosen === undefined) return undefined;
  const { document } = chosen;
  return {
    accessKeyId: document['access_key_id'],
    secretAccessKey: document['secret_access_key'],
    sessionToken: document['session_token'],
    region: document['region'],
    endpoint: document['endpoint_url'],
  };
}

function parsed(text: string | undefined): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text ?? '');
    if (typeof value !== 'object' || value === null) return undefined;
    const texts = Object.entries(value).filter(([, each]) => typeof each === 'string');
    return Object.fromEntries(texts);
  } catch {
    // Not a document; the Secret may hold other things beside it.
    return undefined;
  }
}

export function notUsable(why: string, cause?: unknown): SourceError {
  return new SourceError(
    'NotAuthorized',
    'refused',
    `the Secret that spec.secretRef names cannot be used: ${why}`,
    cause,
  );
}
