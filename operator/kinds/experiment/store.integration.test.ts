import { afterAll, expect, test } from '@jest/globals';
import { Database } from '../../store/database.ts';
import { DatabaseUnavailable } from '../../store/database-error.ts';
import { freshDatabase } from '../../store/testing/fresh-database.ts';
import type { RunTables } from './run-tables.ts';
import { sqlRunStore } from './store.ts';
import { describeRunStore } from './testing/run-store-contract.ts';

const fresh = await freshDatabase();
afterAll(() => fresh.drop());

describeRunStore('the store in PostgreSQL', async () => {
  await fresh.database.migrate();
  return sqlRunStore(fresh.database.withTables<RunTables>());
});

test('says when the database is not there', async () => {
  const database = new Database({
    connection: { url: 'postgres://nobody@127.0.0.1:9/none' },
    onConnectionLost: () => {},
  });
  const store = sqlRunStore(database.withTables<RunTables>());
  await expect(store.getRun('x')).rejects.toThrow(DatabaseUnavailable);
  await expect(store.startRun('x', 1)).rejects.toThrow(DatabaseUnavailable);
  await database.close();
});
