/** A model's bytes in S3 storage of the user's own, read with the Secret that is mounted. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openUrl } from './http-source.ts';
import type { OpenedSource } from './model-source.ts';
import { encodeKey, presignGet } from './s3-signature.ts';
import type { StorageCredentials } from './storage-credentials.ts';
import { notUsable, readStorageCredentials } from './storage-credentials.ts';

export type S3Object = { readonly bucket: string; readonly key: string };

/** Longer than the largest model takes, whose last range is asked for near the end. */
const expiresSeconds = 6 * 3600;

/** `credentialsDir`: where the Secret is mounted. It is read each time, so that a new key is found. */
export async function openS3(
  object: S3Object,
  credentialsDir: string,
  signal: AbortSignal,
): Promise<OpenedSource> {
  const credentials = readStorageCredentials(await readSecret(credentialsDir), object.bucket);
  const { region } = credentials;
  const url = presignGet(objectUrl(object, credentials), credentials, {
    region,
    now: new Date(),
    expiresSeconds,
  });
  return openUrl(url, signal);
}

/** Amazon wants the bucket in the host's name, unless a dot there would break its certificate. */
export function objectUrl(
  { bucket, key }: S3Object,
  { endpoint, region }: Pick<StorageCredentials, 'endpoint' | 'region'>,
): string {
  if (endpoint !== undefined) return `${endpoint}/${bucket}/${encodeKey(key)}`;
  const domain = `s3.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;
  return bucket.includes('.')
    ? `https://${domain}/${bucket}/${encodeKey(key)}`
    : `https://${bucket}.${domain}/${encodeKey(key)}`;
}

async function readSecret(folder: string): Promise<Readonly<Record<string, string>>> {
  try {
    const entries = await readdir(folder);
    // Names with two dots are how Kubernetes swaps a volume's files.
    const names = entries.filter((name) => !name.startsWith('..'));
    const read = async (name: string) =>
      [name, (await readFile(join(folder, name), 'utf8')).trim()] as const;
    return Object.fromEntries(await Promise.all(names.map(read)));
  } catch (error) {
    throw notUsable(`it is not mounted at ${folder}`, error);
  }
}
