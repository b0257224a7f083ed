import type { FailureReason } from '../protocol/termination-message.ts';

/**
 * One attempt at the bytes failed. `retry` says how often it is worth trying again: `refused` once
 * more (a token or presigned URL may just have expired), `unavailable` until the time is up, `final`
 * never.
 */
export class SourceError extends Error {
  readonly code: FailureReason;
  readonly retry: 'refused' | 'unavailable' | 'final';

  constructor(
    code: FailureReason,
    retry: 'refused' | 'unavailable' | 'final',
    message: string,
    cause?: unknown,
  ) {
    super(message, { cause });
    this.name = 'SourceError';
    this.code = code;
    this.retry = retry;
  }
}

/** The error an HTTP answer other than 200 stands for. */
export function sourceErrorOfStatus(status: number, who: string, detail: string): SourceError {
  const message = `${who} answered ${String(status)}${detail === '' ? '' : `: ${detail}`}`;
  if (status === 401 || status === 403) return new SourceError('NotAuthorized', 'refused', message);
  if (status === 404 || status === 410) {
    return new SourceError('ArtifactNotFound', 'refused', message);
  }
  if (status === 413) return new SourceError('TooLarge', 'final', message);
  return new SourceError('ArtifactUnavailable', 'unavailable', message);
}
