export type ArtifactErrorCode =
  | 'ArtifactNotFound'
  | 'ArtifactTooLarge'
  | 'DigestMismatch'
  | 'UploadNotFound'
  | 'UploadRefused'
  | 'ArtifactStoreUnavailable';

/** What every failure of an artifact store is; `code` is stable and safe to show to callers. */
export class ArtifactError extends Error {
  override readonly name: string = 'ArtifactError';
  readonly code: ArtifactErrorCode;

  constructor(code: ArtifactErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

export class ArtifactNotFound extends ArtifactError {
  override readonly name = 'ArtifactNotFound';
  constructor(key: string, cause?: unknown) {
    super('ArtifactNotFound', `Nothing is stored at "${key}"; check the path and the run.`, cause);
  }
}

export class ArtifactTooLarge extends ArtifactError {
  override readonly name = 'ArtifactTooLarge';
  readonly maxBytes: number;
  constructor(key: string, maxBytes: number) {
    super(
      'ArtifactTooLarge',
      `"${key}" is larger than the ${maxBytes} bytes allowed; nothing was stored. ` +
        'Upload a smaller file or ask the administrator to raise the artifact limit.',
    );
    this.maxBytes = maxBytes;
  }
}

export class DigestMismatch extends ArtifactError {
  override readonly name = 'DigestMismatch';
  readonly expected: string;
  readonly actual: string;
  constructor(key: string, expected: string, actual: string) {
    super(
      'DigestMismatch',
      `"${key}" should have digest ${expected} but the bytes received have ${actual}; ` +
        'nothing was stored. The file changed or was damaged on its way: send it again.',
    );
    this.expected = expected;
    this.actual = actual;
  }
}

export class UploadNotFound extends ArtifactError {
  override readonly name = 'UploadNotFound';
  constructor(key: string, cause?: unknown) {
    super(
      'UploadNotFound',
      `No upload of "${key}" is open under this upload_id: it is another's, was completed or ` +
        'aborted, or took longer than a day. Create a new upload.',
      cause,
    );
  }
}

export class UploadRefused extends ArtifactError {
  override readonly name = 'UploadRefused';
  constructor(key: string, why: string, cause?: unknown) {
    super(
      'UploadRefused',
      `The upload of "${key}" cannot be completed: ${why}. Send that part again, or abort it.`,
      cause,
    );
  }
}

/** The store did not answer, or refused us: worth retrying later. */
export class ArtifactStoreUnavailable extends ArtifactError {
  override readonly name = 'ArtifactStoreUnavailable';
  constructor(what: string, cause?: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super('ArtifactStoreUnavailable', `The artifact store could not ${what}: ${reason}`, cause);
  }
}
