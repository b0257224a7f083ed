/** PostgreSQL did not answer, or ended the session: worth retrying later. */
export class DatabaseUnavailable extends Error {
  override readonly name = 'DatabaseUnavailable';
  readonly code = 'DatabaseUnavailable';
  constructor(what: string, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(`The database could not ${what}: ${reason}`, { cause });
  }
}

const NETWORK = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'EPIPE',
]);

/**
 * SQLSTATEs that pass: connections (08), resources (53), operator's intervention, which includes
 * timeouts and shutdowns (57), serialization and deadlocks (40), and a read-only standby after a
 * failover (25006). A missing table (42P01) is one that the migration under way has not made yet. https://www.postgresql.org/docs/15/errcodes-appendix.html
 */
const PASSING = /^(08|53|57|40)|^(25006|42P01)$/;

/** What pg says without a code when a connection ends or cannot be had in time. */
const CONNECTION =
  /connection terminated|timeout exceeded when trying to connect|query read timeout/i;

/** Judged by what it carries: errors of Node's own may come from another realm. */
const isUnavailable = (error: unknown): boolean => {
  if (typeof error !== 'object' || error === null) return false;
  const { code, message, errors } = error as Readonly<Record<string, unknown>>;
  if (Array.isArray(errors)) return errors.some(isUnavailable);
  if (typeof code === 'string' && (NETWORK.has(code) || PASSING.test(code))) return true;
  return typeof message === 'string' && CONNECTION.test(message);
};

/** Runs a query; failures that a later try may mend become `DatabaseUnavailable`. */
export const reachingDatabase = async <T>(what: string, query: () => Promise<T>): Promise<T> => {
  try {
    return await query();
  } catch (error) {
    throw isUnavailable(error) ? new DatabaseUnavailable(what, error) : error;
  }
};
