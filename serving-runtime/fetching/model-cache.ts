/** Verified models on disk: `<cache>/<sha256>/…`, complete as soon as the folder is there. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { ModelFailure } from '../model-failure.ts';
import { folderManifest } from '../protocol/folder-manifest.ts';

export type FetchedModel = {
  /** The ONNX file to load; its other files lie beside it. */
  readonly path: string;
  readonly digest: string;
  readonly sizeBytes: number;
};

export type HashedFile = {
  readonly path: string;
  readonly sha256: string;
  readonly sizeBytes: number;
};

const partial = '.part-';
/** A download that has not written for so long was left by a process that was killed. */
const abandonedMs = 10 * 60_000;

/**
 * An empty folder to download into; what a killed container left of earlier ones is removed. In a cache that
 * is shared they may be downloads of others, so those only that nobody goes on with.
 */
export async function newPartialFolder(cacheDir: string, isShared = false): Promise<string> {
  try {
    await mkdir(cacheDir, { recursive: true });
    for (const name of await readdir(cacheDir)) {
      const folder = join(cacheDir, name);
      if (name.startsWith(partial) && (!isShared || (await isAbandoned(folder)))) {
        await rm(folder, { recursive: true, force: true });
      }
    }
    return await mkdtemp(join(cacheDir, partial));
  } catch (error) {
    throw diskFailure(error, cacheDir);
  }
}

/** Other pods of the node may download into the same cache just now. */
async function isAbandoned(folder: string): Promise<boolean> {
  const names = await readdir(folder).catch(() => []);
  const times = await Promise.all(
    ['.', ...names].map(
      async (name) => (await stat(join(folder, name)).catch(() => undefined))?.mtimeMs ?? 0,
    ),
  );
  return Math.max(...times) < Date.now() - abandonedMs;
}

/** Why the cache cannot be written, in terms of what a user can change. */
export function diskFailure(error: unknown, cacheDir: string): ModelFailure {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new ModelFailure(
      'TooLarge',
      `the cache ${cacheDir} has no room for the model (${code}); raise its size limit`,
      { cause: error },
    );
  }
  return new ModelFailure(
    'InvalidConfig',
    `the cache ${cacheDir} cannot be written (${code ?? String(error)}); mount a writable volume there or set MLOPS_CACHE_DIR`,
    { cause: error },
  );
}

/** `sha256:…` of a model: of its one file, or of its folder's manifest. */
export function digestOf(files: readonly HashedFile[], isFolder: boolean): string {
  const [only] = files;
  if (!isFolder && only !== undefined) return `sha256:${only.sha256}`;
  return `sha256:${createHash('sha256').update(folderManifest(files)).digest('hex')}`;
}

/** Moves a verified folder to its final name. */
export async function keepFolder(
  folder: string,
  cacheDir: string,
  digest: string,
): Promise<string> {
  const final = folderOf(cacheDir, digest);
  try {
    await rename(folder, final);
  } catch (error) {
    if (!isTaken(error)) throw error;
    // Another pod of the node was faster; what it left is checked like what any other left.
    if ((await findCached(cacheDir, digest)) === undefined) await rename(folder, final);
  }
  return final;
}

const isTaken = (error: unknown): boolean =>
  ['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '');

/**
 * The model with this digest if an earlier container of the pod left it whole; it is hashed again, as
 * disks and neighbours change files. A damaged copy is removed.
 */
export async function findCached(
  cacheDir: string,
  digest: string,
): Promise<FetchedModel | undefined> {
  const folder = folderOf(cacheDir, digest);
  const files = await hashFolder(folder);
  if (files.length === 0) return undefined;
  if (digestOf(files, false) === digest || digestOf(files, true) === digest) {
    return describeModel(folder, files, digest);
  }
  await rm(folder, { recursive: true, force: true });
  return undefined;
}

/** Makes room; a model that is open is in memory. */
export async function dropCached(cacheDir: string, digest: string): Promise<void> {
  await rm(folderOf(cacheDir, digest), { recursive: true, force: true });
}

function folderOf(cacheDir: string, digest: string): string {
  return join(cacheDir, digest.slice('sha256:'.length));
}

async function hashFolder(folder: string): Promise<readonly HashedFile[]> {
  const found = await stat(folder).catch(() => undefined);
  if (!found?.isDirectory()) return [];
  const files: HashedFile[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const absolute = join(entry.parentPath, entry.name);
    const hash = createHash('sha256');
    let sizeBytes = 0;
    for await (const chunk of createReadStream(absolute) as AsyncIterable<Buffer>) {
      sizeBytes += chunk.byteLength;
      hash.update(chunk);
    }
    const path = relative(folder, absolute).split(sep).join('/');
    files.push({ path, sha256: hash.digest('hex'), sizeBytes });
  }
  return files;
}

/** Throws ModelFailure `InvalidModel` when it is not clear which file is the model. */
export function describeModel(
  folder: string,
  files: readonly HashedFile[],
  digest: string,
): FetchedModel {
  const sizeBytes = files.reduce((total, file) => total + file.sizeBytes, 0);
  return { path: join(folder, findOnnxFile(files)), digest, sizeBytes };
}

function findOnnxFile(files: readonly HashedFile[]): string {
  const paths = files.map((file) => file.path);
  if (paths.includes('model.onnx')) return 'model.onnx';
  const candidates = paths.filter((path) => path.endsWith('.onnx'));
  const [only] = candidates;
  if (candidates.length === 1 && only !== undefined) return only;
  throw new ModelFailure(
    'InvalidModel',
    `the folder has ${String(candidates.length)} .onnx files and no model.onnx; name the one to serve model.onnx`,
  );
}
