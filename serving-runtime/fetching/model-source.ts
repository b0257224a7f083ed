import type { ModelSource } from './source-setting.ts';
import { openArtifact, openUrl } from './http-source.ts';
import { openPath } from './local-source.ts';
import { openS3 } from './s3-source.ts';

export type SourceFile = {
  /** Relative to the model's folder, with `/`. */
  readonly path: string;
  readonly sizeBytes: number | undefined;
  open(): AsyncIterable<Uint8Array>;
};

export type OpenedSource = {
  readonly files: readonly SourceFile[];
  /** True when the digest is of the folder's manifest, not of its one file. */
  readonly isFolder: boolean;
  /** What the artifact endpoint says of the bytes; verified like any other digest. */
  readonly announcedDigest: string | undefined;
};

/**
 * Opens a model's bytes, wherever they are. Throws SourceError. `signal` ends what is under way; abort
 * it when done with the source.
 */
export function openSource(source: ModelSource, signal: AbortSignal): Promise<OpenedSource> {
  switch (source.kind) {
    case 'artifact':
      return openArtifact(source.url, source.tokenFile, signal);
    case 'url':
      return openUrl(source.url, signal);
    case 's3':
      return openS3(source, source.credentialsDir, signal);
    case 'path':
      return openPath(source.path);
  }
}
