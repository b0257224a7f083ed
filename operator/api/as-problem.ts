import { ArtifactError } from '../artifacts/artifact-errors.ts';
import { InvalidArtifactPath } from '../artifacts/artifact-path.ts';
import { InvalidRunInput, RunNotFound } from '../kinds/experiment/run-store.ts';
import { ApiError } from '../runtime/cluster.ts';
import { DatabaseUnavailable } from '../store/database-error.ts';
import { InvalidQuery } from '../store/search.ts';
import { Problem } from './problem.ts';
import type { Fault, ProblemCode } from './problem.ts';

const RETRY_AFTER_SECONDS = 5;

const UNAVAILABLE = { retryAfterSeconds: RETRY_AFTER_SECONDS };

/** What a caller is told of an error, whichever room it comes from. */
export const asProblem = (error: unknown): Problem => {
  if (error instanceof Problem) return error;
  if (error instanceof ApiError) return fromCluster(error);
  if (error instanceof DatabaseUnavailable) {
    return new Problem(
      'DatabaseUnavailable',
      'The database does not answer just now; objects can still be read and changed. Try again.',
      { ...UNAVAILABLE, cause: error },
    );
  }
  if (error instanceof InvalidQuery) {
    return new Problem('InvalidRequest', error.message, {
      faults: [{ pointer: `/query/${error.field}`, detail: error.message }],
      cause: error,
    });
  }
  if (error instanceof ArtifactError) return fromArtifacts(error);
  if (error instanceof RunNotFound) return new Problem('NotFound', error.message, { cause: error });
  if (error instanceof InvalidArtifactPath || error instanceof InvalidRunInput) {
    return new Problem('InvalidRequest', error.message, { cause: error });
  }
  return fromFramework(error);
};

const CLUSTER_CODES: Readonly<Record<number, ProblemCode>> = {
  400: 'InvalidRequest',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  410: 'InvalidRequest',
  413: 'TooLarge',
  422: 'Invalid',
};

const fromCluster = (error: ApiError): Problem => {
  if (error.reason === 'AlreadyExists') {
    return new Problem('AlreadyExists', error.message, { cause: error });
  }
  if (error.code === 409) {
    return new Problem(
      'Conflict',
      `${error.message} Read the object again and repeat the change on what it holds now.`,
      { cause: error },
    );
  }
  if (isOurOwnRefusal(error)) return refusedToUs(error);
  const code = CLUSTER_CODES[error.code];
  // The cluster's own words: they quote our CEL messages, quotas and admission policies.
  if (code !== undefined) return new Problem(code, error.message, { cause: error });
  return new Problem(
    'ClusterUnavailable',
    'The Kubernetes API does not answer just now. Try again.',
    {
      retryAfterSeconds: error.retryAfterSeconds ?? RETRY_AFTER_SECONDS,
      cause: error,
    },
  );
};

/**
 * RBAC said no to this program, not to the caller. An API server that has just started says so for
 * seconds, until it has read its roles; a caller told "forbidden" would give up for good.
 */
const isOurOwnRefusal = ({ code, message }: ApiError): boolean =>
  code === 403 && /\bUser "[^"]*" cannot \w+ resource /.test(message);

const refusedToUs = (error: ApiError): Problem =>
  new Problem(
    'ClusterUnavailable',
    'The Kubernetes API does not let this API ask it. It does so for seconds after a start: try again; if it lasts, roles of the installation are missing.',
    { ...UNAVAILABLE, cause: error },
  );

const fromArtifacts = (error: ArtifactError): Problem => {
  switch (error.code) {
    case 'ArtifactNotFound':
      return new Problem('NotFound', error.message, { cause: error });
    case 'ArtifactTooLarge':
      return new Problem('TooLarge', error.message, { cause: error });
    case 'UploadNotFound':
      return new Problem('NotFound', error.message, { cause: error });
    case 'UploadRefused':
      return new Problem('InvalidRequest', error.message, { cause: error });
    case 'DigestMismatch':
      return new Problem('Conflict', error.message, { cause: error });
    case 'ArtifactStoreUnavailable':
      return new Problem(
        'ArtifactStoreUnavailable',
        'The artifact store does not answer. Try again.',
        {
          ...UNAVAILABLE,
          cause: error,
        },
      );
  }
};

type FrameworkError = Error & {
  readonly statusCode?: number;
  readonly validation?: readonly { readonly instancePath: string; readonly message?: string }[];
  readonly validationContext?: string;
};

const FRAMEWORK_CODES: Readonly<Record<number, ProblemCode>> = {
  404: 'NotFound',
  405: 'MethodNotAllowed',
  413: 'TooLarge',
  415: 'UnsupportedMediaType',
};

const fromFramework = (error: unknown): Problem => {
  if (!(error instanceof Error)) return new Problem('Internal', INTERNAL, { cause: error });
  const { statusCode = 500, validation, validationContext = 'body' } = error as FrameworkError;
  if (validation !== undefined) {
    const faults = validation.map((each): Fault => ({
      pointer: `/${validationContext}${each.instancePath}`,
      detail: each.message ?? 'is not valid',
    }));
    return new Problem('InvalidRequest', `The request is not valid: ${error.message}.`, { faults });
  }
  if (statusCode >= 500) return new Problem('Internal', INTERNAL, { cause: error });
  const code = FRAMEWORK_CODES[statusCode] ?? 'InvalidRequest';
  return new Problem(code, `${error.message}.`, { cause: error });
};

const INTERNAL =
  'Something went wrong here that is not of your making. The log holds more under this request id.';
