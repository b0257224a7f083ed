import type { BackoffOptions } from './backoff.ts';
import { ApiError, isConflict } from './cluster.ts';

/** The server, or the way to it, is in trouble: what was asked may work as it is a moment later. */
const TROUBLE: BackoffOptions = { baseMs: 50, maxMs: 10_000 };
/** Something else went wrong, and will most likely go wrong again. */
const FAULT: BackoffOptions = { baseMs: 250, maxMs: 60_000 };

/** Error codes of sockets and of undici: `ECONNRESET`, `EPIPE`, `UND_ERR_SOCKET`, … */
const NETWORK_CODE = /^(E[A-Z]+|UND_ERR_[A-Z_]+)$/;

/**
 * Whether the same call may succeed soon without anybody's help: a conflict, a server that is
 * overloaded or failing, a connection that broke or timed out.
 */
export const isTransient = (error: unknown): boolean => {
  if (isConflict(error)) return true;
  if (error instanceof ApiError) return error.code === 429 || error.code >= 500;
  return isUnreachable(error) || (error as Partial<Error> | undefined)?.name === 'TimeoutError';
};

/** Whether nobody answered at the other end: refused, reset, no route. */
export const isUnreachable = (error: unknown): boolean =>
  hasNetworkCode(error) || hasNetworkCode((error as Partial<Error> | undefined)?.cause);

const hasNetworkCode = (error: unknown): boolean => {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  return typeof code === 'string' && NETWORK_CODE.test(code);
};

export const backoffFor = (error: unknown): BackoffOptions =>
  isTransient(error) ? TROUBLE : FAULT;

/** What the server asked for with Retry-After, in ms; 0 when it did not. */
export const askedDelayMs = (error: unknown): number =>
  error instanceof ApiError ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
