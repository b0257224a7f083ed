export type SearchEngineErrorCode = 'Unavailable' | 'ProtocolFault';

/** Why the search service gave no answer that can be used. Nothing was decided. */
export class SearchEngineError extends Error {
  override readonly name = 'SearchEngineError';
  /** Unavailable: ask again later; ProtocolFault: a bug, or another service. */
  readonly code: SearchEngineErrorCode;

  constructor(code: SearchEngineErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}
