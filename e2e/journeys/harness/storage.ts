import { createHash } from 'node:crypto';
import {
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

import { SYSTEM_NAMESPACE } from '../../demo/install.ts';
import { kubectl } from './kubectl.ts';

/** Name of the bundled store's bucket. */
export const BUCKET = 'mlops';

/** The bucket as a folder of the node: the bundled S3 server keeps each object as one file. */
const bucketFolder = async (): Promise<string> => {
  const claim = ['get', 'pvc', '-n', SYSTEM_NAMESPACE, 'data-mlops-operator-s3-0'];
  const volume = await kubectl([...claim, '-o', 'jsonpath={.spec.volumeName}']);
  const path = 'jsonpath={.spec.local.path}{.spec.hostPath.path}';
  return join(await kubectl(['get', 'pv', volume, '-o', path]), 'objects', BUCKET);
};

/** Puts a file behind the server's back, as a damaged disk or an operator of the storage would. */
export const putObject = async (key: string, bytes: Uint8Array): Promise<void> => {
  writeFileSync(await placeFor(key), bytes);
};

/** A file of any size that takes no room on the disk. */
export const putSparseObject = async (key: string, sizeBytes: number): Promise<void> => {
  const file = await placeFor(key);
  writeFileSync(file, '');
  truncateSync(file, sizeBytes);
};

/** Changes one bit of one byte and nothing else. */
export const flipByte = async (key: string, position: number): Promise<void> => {
  const file = join(await bucketFolder(), key);
  const bytes = readFileSync(file);
  bytes.writeUInt8(bytes.readUInt8(position) ^ 1, position);
  writeFileSync(file, bytes);
};

/** Paths of all objects below a folder of the bucket; what old versions are kept is not among them. */
export const liveObjects = async (folder: string): Promise<readonly string[]> => {
  const root = join(await bucketFolder(), folder);
  if (!existsSync(root)) return [];
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1));
};

export const digestOf = (bytes: Uint8Array): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** Makes the folders of a key, as the server's own user. */
const placeFor = async (key: string): Promise<string> => {
  const bucket = await bucketFolder();
  const { uid, gid } = statSync(bucket);
  const file = join(bucket, key);
  const missing: string[] = [];
  for (let folder = dirname(file); !existsSync(folder); folder = dirname(folder)) {
    missing.unshift(folder);
  }
  for (const folder of missing) {
    mkdirSync(folder);
    chownSync(folder, uid, gid);
  }
  writeFileSync(file, '');
  chownSync(file, uid, gid);
  return file;
};
