/** Where a model's bytes are, and how that is written. Pure. */
export type ModelSource =
  | { readonly kind: 'artifact'; readonly url: string; readonly tokenFile: string }
  | { readonly kind: 'url'; readonly url: string }
  | {
      readonly kind: 's3';
      readonly bucket: string;
      readonly key: string;
      readonly credentialsDir: string;
    }
  | { readonly kind: 'path'; readonly path: string };

export type SourceSettings = {
  readonly tokenFile: string | undefined;
  readonly credentialsDir: string | undefined;
};

/** Adds to `faults` where it is none. */
export function parseSource(
  value: string,
  { tokenFile, credentialsDir }: SourceSettings,
  faults: string[],
): ModelSource | undefined {
  const fault = (text: string): undefined => {
    faults.push(text);
  };
  if (/^artifact\+https?:\/\//.test(value)) {
    if (tokenFile === undefined) {
      return fault('MLOPS_TOKEN_FILE is missing: the artifact endpoint wants a token');
    }
    return { kind: 'artifact', url: value.slice('artifact+'.length), tokenFile };
  }
  if (/^https?:\/\//.test(value)) return { kind: 'url', url: value };
  const [, bucket, key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(value) ?? [];
  if (bucket !== undefined && key !== undefined) {
    if (credentialsDir !== undefined) return { kind: 's3', bucket, key, credentialsDir };
    return fault('MLOPS_S3_CREDENTIALS_DIR is missing: mount the Secret with the keys there');
  }
  if (value.startsWith('/')) return { kind: 'path', path: value };
  return fault(
    'the model source is not artifact+http(s)://…, http(s)://…, s3://<bucket>/<key> or an absolute path; check MLOPS_MODEL_SOURCE, MLOPS_MODEL_S3_URI and MLOPS_MODEL_PATH',
  );
}
