import { DatabaseUnavailable } from './database-error.ts';

/** SQLSTATE classes that say the server is not there, is going, or is out of resources. */
const PASSING = new Set(['08', '53', '55', '57', '58', '25', '40']);

/** Whether the same call may work later: no SQLSTATE (no answer at all), or one of a passing kind. */
export const isPassing = (error: unknown): boolean => {
  const code = (error as { readonly code?: unknown } | undefined)?.code;
  if (typeof code !== 'string' || !/^[0-9A-Z]{5}$/.test(code)) return true;
  return PASSING.has(code.slice(0, 2));
};

/** Runs a database call; what is no fault of the caller becomes DatabaseUnavailable. */
export const reached = async <T>(
  what: string,
  call: () => Promise<T>,
  known: readonly (abstract new (...args: never[]) => Error)[] = [],
): Promise<T> => {
  try {
    return await call();
  } catch (error) {
    if (known.some((type) => error instanceof type) || !isPassing(error)) throw error;
    throw new DatabaseUnavailable(what, error);
  }
};
