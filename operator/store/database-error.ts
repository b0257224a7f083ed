/** PostgreSQL did not answer, or ended the session: worth retrying later. */
export class DatabaseUnavailable extends Error {
  override readonly name = 'DatabaseUnavailable';
  readonly code = 'DatabaseUnavailable';
  constructor(what: string, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(`The database could not ${what}: ${reason}`, { cause });
  }
}
