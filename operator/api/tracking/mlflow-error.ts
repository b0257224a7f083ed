import { asProblem } from '../as-problem.ts';
import type { ProblemCode } from '../problem.ts';

/** Error codes of the MLflow protocol (databricks.proto) and the HTTP status each goes with. */
const MLFLOW_STATUS = {
  INVALID_PARAMETER_VALUE: 400,
  RESOURCE_ALREADY_EXISTS: 400,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  RESOURCE_DOES_NOT_EXIST: 404,
  ENDPOINT_NOT_FOUND: 404,
  RESOURCE_CONFLICT: 409,
  INTERNAL_ERROR: 500,
  TEMPORARILY_UNAVAILABLE: 503,
} as const;

export type MlflowErrorCode = keyof typeof MLFLOW_STATUS;

export type MlflowErrorOptions = {
  /** Where the protocol's codes are too few for what HTTP can say. */
  readonly status?: number;
  readonly retryAfterSeconds?: number | undefined;
  readonly cause?: unknown;
};

/** What an MLflow client is told. */
export class MlflowError extends Error {
  override readonly name = 'MlflowError';
  readonly code: MlflowErrorCode;
  readonly status: number;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: MlflowErrorCode, message: string, options: MlflowErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.status = options.status ?? MLFLOW_STATUS[code];
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

const CODES: Readonly<Record<ProblemCode, MlflowErrorCode>> = {
  InvalidRequest: 'INVALID_PARAMETER_VALUE',
  Unauthorized: 'UNAUTHENTICATED',
  Forbidden: 'PERMISSION_DENIED',
  NotFound: 'RESOURCE_DOES_NOT_EXIST',
  MethodNotAllowed: 'ENDPOINT_NOT_FOUND',
  Conflict: 'RESOURCE_CONFLICT',
  AlreadyExists: 'RESOURCE_ALREADY_EXISTS',
  NotReady: 'RESOURCE_CONFLICT',
  UriNotAllowed: 'PERMISSION_DENIED',
  NotBundled: 'RESOURCE_CONFLICT',
  TooLarge: 'INVALID_PARAMETER_VALUE',
  UnsupportedMediaType: 'INVALID_PARAMETER_VALUE',
  Invalid: 'INVALID_PARAMETER_VALUE',
  TooManyRequests: 'TEMPORARILY_UNAVAILABLE',
  Internal: 'INTERNAL_ERROR',
  ClusterUnavailable: 'TEMPORARILY_UNAVAILABLE',
  DatabaseUnavailable: 'TEMPORARILY_UNAVAILABLE',
  ArtifactStoreUnavailable: 'TEMPORARILY_UNAVAILABLE',
};

export const asMlflowError = (error: unknown): MlflowError => {
  if (error instanceof MlflowError) return error;
  const problem = asProblem(error);
  // The client prints only the message, so the faults' places are in it.
  const places = problem.faults.map(({ pointer, detail }) => ` ${pointer}: ${detail}.`).join('');
  return new MlflowError(CODES[problem.code], `${problem.message}${places}`, {
    status: problem.status,
    retryAfterSeconds: problem.retryAfterSeconds,
    cause: error,
  });
};
