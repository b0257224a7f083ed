import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { Database } from '../database.ts';

const open = (url: string): Database =>
  new Database({ connection: { url }, onConnectionLost: () => {} });

/** An empty database of its own on the server that integration tests share; `drop` when done. */
export const freshDatabase = async () => {
  const server = process.env['INTEGRATION_DATABASE_URL'] ?? '';
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  const admin = open(server);
  await sql`create database ${sql.id(name)}`.execute(admin.db);
  const url = new URL(server);
  url.pathname = `/${name}`;
  const database = open(url.href);
  return {
    url: url.href,
    database,
    async drop(): Promise<void> {
      await database.close();
      await sql`drop database ${sql.id(name)} with (force)`.execute(admin.db);
      await admin.close();
    },
  };
};
