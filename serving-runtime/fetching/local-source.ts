/** A model's bytes on a mounted volume: one file, or a folder with all its files. */
import { createReadStream } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import type { OpenedSource, SourceFile } from './model-source.ts';
import { SourceError } from './source-error.ts';

export async function openPath(path: string): Promise<OpenedSource> {
  try {
    const root = await realpath(path);
    const isFolder = (await stat(root)).isDirectory();
    const files = isFolder ? await listFolder(root) : [await localFile(root, 'model.onnx')];
    return { files, isFolder, announcedDigest: undefined };
  } catch (error) {
    if (error instanceof SourceError) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    throw new SourceError(
      code === 'EACCES' || code === 'EPERM' ? 'NotAuthorized' : 'ArtifactNotFound',
      'refused',
      `${path} cannot be read (${code ?? String(error)}); check the volume and its subpath`,
      error,
    );
  }
}

async function localFile(absolute: string, path: string): Promise<SourceFile> {
  const { size } = await stat(absolute);
  return { path, sizeBytes: size, open: () => createReadStream(absolute) };
}

async function listFolder(root: string): Promise<readonly SourceFile[]> {
  const files: SourceFile[] = [];
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    // `..data` and its kind are how Kubernetes swaps a projected volume's files: the same files twice.
    const path = relative(root, join(entry.parentPath, entry.name)).split(sep).join('/');
    if (path.startsWith('..') || entry.isDirectory()) continue;
    const target = await realpath(join(root, path));
    if (!target.startsWith(root + sep)) {
      throw new SourceError(
        'InvalidModel',
        'final',
        `${path} is a link that leaves the model's folder; put the file itself there`,
      );
    }
    if ((await stat(target)).isFile()) files.push(await localFile(target, path));
  }
  return files;
}
