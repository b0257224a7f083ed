import { sql } from 'kysely';
import type { Database } from '../../../operator/store/database.ts';

/** Statements that PostgreSQL ran for a role: BEGIN and COMMIT count, too. */
export type Statements = {
  readonly calls: number;
  readonly ms: number;
  /** The most frequent ones. */
  readonly top: readonly { readonly query: string; readonly calls: number; readonly ms: number }[];
};

export const resetStatements = async (database: Database): Promise<void> => {
  await sql`select pg_stat_statements_reset()`.execute(database.db);
};

export const statementsOf = async (database: Database, role: string): Promise<Statements> => {
  const { rows } = await sql<{ query: string; calls: number; ms: number }>`
    select left(regexp_replace(query, '\\s+', ' ', 'g'), 160) as query,
      calls::integer as calls, total_exec_time as ms
    from pg_stat_statements join pg_roles on pg_roles.oid = userid
    where rolname = ${role} order by calls desc`.execute(database.db);
  const sum = (of: (row: (typeof rows)[number]) => number): number =>
    rows.reduce((total, row) => total + of(row), 0);
  return { calls: sum(({ calls }) => calls), ms: sum(({ ms }) => ms), top: rows.slice(0, 40) };
};
