import type { ConnectionOptions } from 'node:tls';
import { Kysely, PostgresDialect, sql } from 'kysely';
import { Pool, type PoolConfig } from 'pg';
import { reachingDatabase } from './database-error.ts';
import { migrate } from './migrate.ts';
import type { Tables } from './tables.ts';

export type DatabaseOptions = {
  /** `postgres://…`, or the parts; a password function is asked at every new connection. */
  readonly connection:
    | { readonly url: string }
    | {
        readonly host: string;
        readonly port: number;
        readonly database: string;
        readonly user: string;
        readonly password?: string | (() => Promise<string>);
        readonly tls?: ConnectionOptions;
      };
  /** Default 10. */
  readonly maxConnections?: number;
  /** A query longer than this is cancelled. Default 30 s. */
  readonly statementTimeoutMs?: number;
  /** Default 5 s. */
  readonly connectTimeoutMs?: number;
  /** An idle connection broke; the pool replaces it by itself. */
  readonly onConnectionLost: (error: Error) => void;
};

/** A pool of connections to PostgreSQL 15 or later. Opening connects to nothing yet. */
export class Database {
  readonly db: Kysely<Tables>;
  readonly #connection: PoolConfig;

  constructor(options: DatabaseOptions) {
    this.#connection = poolConfig(options);
    const pool = new Pool(this.#connection);
    // Without a listener the loss of an idle connection would end the process.
    pool.on('error', options.onConnectionLost);
    this.db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  }

  /** The same pool for the tables of another room. */
  withTables<T>(): Kysely<T> {
    return this.db as unknown as Kysely<T>;
  }

  /** Brings the schema up to date; safe from several replicas at once, and again at every start. */
  migrate(): Promise<void> {
    return migrate(this.#connection);
  }

  /** Throws `DatabaseUnavailable`. */
  async ping(): Promise<void> {
    await reachingDatabase('answer', () => sql`select 1`.execute(this.db));
  }

  async close(): Promise<void> {
    await this.db.destroy();
  }
}

const poolConfig = (options: DatabaseOptions): PoolConfig => {
  const statementTimeoutMs = options.statementTimeoutMs ?? 30_000;
  return {
    ...addressOf(options.connection),
    max: options.maxConnections ?? 10,
    connectionTimeoutMillis: options.connectTimeoutMs ?? 5_000,
    statement_timeout: statementTimeoutMs,
    // The server cancels first; this one is for a server that has gone silent.
    query_timeout: statementTimeoutMs + 5_000,
    idle_in_transaction_session_timeout: 60_000,
    keepAlive: true,
    application_name: 'mlops-operator',
  };
};

const addressOf = (connection: DatabaseOptions['connection']): PoolConfig => {
  if ('url' in connection) return { connectionString: connection.url };
  const { host, port, database, user, password, tls } = connection;
  return {
    ...{ host, port, database, user },
    ...(password !== undefined && { password }),
    ...(tls !== undefined && { ssl: tls }),
  };
};
