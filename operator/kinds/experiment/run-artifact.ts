import { createHash } from 'node:crypto';

import { folderManifest } from '../../../serving-runtime/protocol/folder-manifest.ts';
import type { ArtifactStore } from '../../artifacts/artifact-store.ts';
import { digestOf } from '../../artifacts/inspect.ts';
import { runArtifactKey, runPrefix } from '../../artifacts/locations.ts';
import { artifactRecord } from './artifact-record.ts';

/** What a run left at `register.artifactPath`: one file, or the files of a folder. */
export type RunArtifact = {
  readonly folder: boolean;
  /** Path inside the version's folder, and key in the store. */
  readonly files: readonly { readonly path: string; readonly key: string }[];
  /** Of the file, or of a folder the list of its files. */
  readonly digest: string;
};

/** Nothing is there: a sentence with what the run did log. */
export type NoArtifact = { readonly missing: string };

export type Place = {
  readonly namespace: string;
  readonly runId: string;
  /** `register.artifactPath` */
  readonly path: string;
  /** Tags of the run, where the digests of its uploads are recorded. */
  readonly tags: Readonly<Record<string, string>>;
};

/**
 * Finds a run's artifact and its digest: the one that was recorded while the bytes were uploaded, so
 * that a change since then does not go unnoticed; where there is none, the bytes are read.
 */
export const readRunArtifact = async (
  store: ArtifactStore,
  place: Place,
  signal: AbortSignal,
): Promise<RunArtifact | NoArtifact> => {
  const key = runArtifactKey(place.namespace, place.runId, place.path);
  if ((await store.stat(key)) !== undefined) {
    const path = key.slice(key.lastIndexOf('/') + 1);
    return {
      folder: false,
      files: [{ path, key }],
      digest: await digestAt(store, place, key, signal),
    };
  }
  const files: { path: string; key: string }[] = [];
  for await (const found of store.list(`${key}/`)) {
    files.push({ path: found.key.slice(key.length + 1), key: found.key });
  }
  if (files.length === 0) return { missing: await whatIsThere(store, place) };
  const entries: { path: string; sha256: string }[] = [];
  for (const file of files) {
    const digest = await digestAt(store, place, file.key, signal);
    entries.push({ path: file.path, sha256: digest.slice('sha256:'.length) });
  }
  const digest = createHash('sha256').update(folderManifest(entries)).digest('hex');
  return { folder: true, files, digest: `sha256:${digest}` };
};

const digestAt = async (
  store: ArtifactStore,
  { namespace, runId, tags }: Place,
  key: string,
  signal: AbortSignal,
): Promise<string> => {
  const recorded = artifactRecord(tags, key.slice(runPrefix(namespace, runId).length));
  if (recorded !== undefined) return recorded.digest;
  const { stream } = await store.read(key, { signal });
  return (await digestOf(stream)).digest;
};

const whatIsThere = async (
  store: ArtifactStore,
  { namespace, runId, path }: Place,
): Promise<string> => {
  const prefix = runPrefix(namespace, runId);
  const { files, folders } = await store.listFolder(prefix);
  const names = [...folders, ...files.map(({ key }) => key)].map((key) => key.slice(prefix.length));
  const listed =
    names.length === 0 ? 'it logged no artifacts' : `it logged ${names.slice(0, 20).join(', ')}`;
  return `The run logged no artifact ${path} (spec.register.artifactPath); ${listed}. Log it with mlflow.log_artifact("${path.slice(path.lastIndexOf('/') + 1)}").`;
};
