/** Codes that callers may rely on; each belongs to one HTTP status. */
export const PROBLEM_STATUS = {
  InvalidRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  Conflict: 409,
  AlreadyExists: 409,
  NotReady: 409,
  UriNotAllowed: 409,
  NotBundled: 409,
  TooLarge: 413,
  UnsupportedMediaType: 415,
  Invalid: 422,
  TooManyRequests: 429,
  Internal: 500,
  ClusterUnavailable: 503,
  DatabaseUnavailable: 503,
  ArtifactStoreUnavailable: 503,
} as const;

export type ProblemCode = keyof typeof PROBLEM_STATUS;

/** One fault of the request: a JSON pointer into it and what to do about it. */
export type Fault = { readonly pointer: string; readonly detail: string };

export type ProblemOptions = {
  readonly faults?: readonly Fault[];
  readonly retryAfterSeconds?: number | undefined;
  readonly cause?: unknown;
};

/** An answer that is no success; `detail` says what is wrong, where, and what to do. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly code: ProblemCode;
  readonly faults: readonly Fault[];
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ProblemCode, detail: string, options: ProblemOptions = {}) {
    super(detail, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.faults = options.faults ?? [];
    this.retryAfterSeconds = options.retryAfterSeconds;
  }

  get status(): number {
    return PROBLEM_STATUS[this.code];
  }
}

/** RFC 9457, with `code` and `errors` as extension members. */
export type ProblemDocument = {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ProblemCode;
  readonly instance: string;
  readonly errors?: readonly Fault[];
};

export const problemDocument = (problem: Problem, requestId: string): ProblemDocument => ({
  // A tag URI (RFC 4151): an identifier that promises no page behind it.
  type: `tag:mlops.pynomaly.io,2026:problem/${problem.code}`,
  title: problem.code.replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' '),
  status: problem.status,
  detail: problem.message,
  code: problem.code,
  instance: `urn:request:${requestId}`,
  ...(problem.faults.length === 0 ? {} : { errors: problem.faults }),
});
