import { createHash } from 'node:crypto';

/**
 * Facts about a run that the protocol has no place for are kept as tags of its row, so they live
 * and die with it; clients do not see them.
 */
const PREFIX = 'mlops.record.';
const ARTIFACT = `${PREFIX}artifact.`;
export const MODEL_TAG = `${PREFIX}model.`;
/** Hashes of the tokens that may track this run alone. */
export const TOKEN_TAG = `${PREFIX}token.`;
/** What a run read, in pieces that fit into tags. */
export const INPUT_TAG = `${PREFIX}input.`;

export const isRecordTag = (key: string): boolean => key.startsWith(PREFIX);

/** What passed by when an artifact was uploaded. */
export type ArtifactRecord = {
  /** Relative to the run's artifact folder. */
  readonly path: string;
  /** `sha256:<hex>` */
  readonly digest: string;
  readonly sizeBytes: number;
  /** Of an upload in parts: which one, so that completing it twice is one completion. */
  readonly uploadId?: string;
};

/** The tag of one artifact; paths may hold what keys may not, so the key holds the path's hash. */
export const artifactTagKey = (path: string): string =>
  ARTIFACT + createHash('sha256').update(path).digest('hex').slice(0, 32);

export const artifactTagValue = (record: ArtifactRecord): string => JSON.stringify(record);

/** What was recorded when this artifact of the run was last uploaded through the API. */
export const artifactRecord = (
  tags: Readonly<Record<string, string>>,
  path: string,
): ArtifactRecord | undefined => {
  const value = tags[artifactTagKey(path)];
  return value === undefined ? undefined : (JSON.parse(value) as ArtifactRecord);
};

/** Tag keys of everything recorded at this path or below it; '' is all of the run. */
export const artifactTagsBelow = (
  tags: Readonly<Record<string, string>>,
  path: string,
): readonly string[] =>
  Object.entries(tags)
    .filter(([key]) => key.startsWith(ARTIFACT))
    .map(([key, value]) => ({ key, record: JSON.parse(value) as ArtifactRecord }))
    .filter(
      ({ record }) => path === '' || record.path === path || record.path.startsWith(`${path}/`),
    )
    .map(({ key }) => key);
