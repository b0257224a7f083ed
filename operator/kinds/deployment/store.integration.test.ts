import { afterAll } from '@jest/globals';
import { sqlPredictionStore } from '../../store/sql-predictions.ts';
import { freshDatabase } from '../../store/testing/fresh-database.ts';
import { sqlShadowStore } from './store.ts';
import { describeShadowStore } from './testing/shadow-store-contract.ts';

const opened: Awaited<ReturnType<typeof freshDatabase>>[] = [];

afterAll(async () => {
  for (const fresh of opened) await fresh.drop();
});

describeShadowStore('PostgreSQL', async () => {
  const fresh = await freshDatabase();
  opened.push(fresh);
  await fresh.database.migrate();
  const db = fresh.database.withTables<unknown>();
  return { predictions: sqlPredictionStore(db), shadow: sqlShadowStore(db) };
});
