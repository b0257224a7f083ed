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
 * failover (25006). https://www.postgresql.org/docs/15/errcodes-appendix.html
 */
const PASSING = /^(08|53|57|40)|^25006$/;

/** What pg says without a code when a connection ends or cannot be had in time. */
const CONNECTION =
  /connection terminated|timeout exceeded when trying to connect|query read timeout/i;

const isUnavailable = (error: unknown): boolean => {
  if (!(error instanceof Error)) return false;
  if (error instanceof AggregateError) return error.errors.some(isUnavailable);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return NETWORK.has(code) || PASSING.test(code) || CONNECTION.test(error.message);
};

/** Runs a query; failures that a later try may mend become `DatabaseUnavailable`. */
export const reachingDatabase = async <T>(what: string, query: () => Promise<T>): Promise<T> => {
  try {
    return await query();
  } catch (error) {
    throw isUnavailable(error) ? new DatabaseUnavailable(what, error) : error;
  }
};
