/** Why a request was refused; stable, for clients and metrics. */
export type ProtocolErrorCode =
  | 'InvalidRequest'
  | 'UnknownModel'
  | 'NotFound'
  | 'Forbidden'
  | 'MethodNotAllowed'
  | 'RequestTimeout'
  | 'Conflict'
  | 'BodyTooLarge'
  | 'UnsupportedEncoding'
  | 'NotRepresentable'
  | 'LoadFailed'
  | 'TooManyRequests'
  | 'TooManyHeaders'
  | 'InferenceFailed'
  | 'NotReady'
  | 'CircuitOpen'
  | 'DeadlineExceeded';

const statuses: Readonly<Record<ProtocolErrorCode, number>> = {
  InvalidRequest: 400,
  Forbidden: 403,
  UnknownModel: 404,
  NotFound: 404,
  MethodNotAllowed: 405,
  RequestTimeout: 408,
  Conflict: 409,
  BodyTooLarge: 413,
  UnsupportedEncoding: 415,
  NotRepresentable: 422,
  LoadFailed: 422,
  TooManyRequests: 429,
  TooManyHeaders: 431,
  InferenceFailed: 500,
  NotReady: 503,
  CircuitOpen: 503,
  DeadlineExceeded: 504,
};

/** A request that gets an answer other than 2xx; the message is the `error` of the answer's body. */
export class ProtocolError extends Error {
  readonly code: ProtocolErrorCode;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: ProtocolErrorCode,
    message: string,
    options: { cause?: unknown; headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = 'ProtocolError';
    this.code = code;
    this.status = statuses[code];
    this.headers = options.headers ?? {};
  }
}

/** The commonest refusal: the request itself is wrong (400). */
export function invalidRequest(message: string): ProtocolError {
  return new ProtocolError('InvalidRequest', message);
}
