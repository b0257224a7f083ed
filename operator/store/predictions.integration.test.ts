import { afterAll } from '@jest/globals';
import { sqlPredictionStore } from './sql-predictions.ts';
import { freshDatabase } from './testing/fresh-database.ts';
import { describePredictionStore } from './testing/predictions-contract.ts';

const opened: Awaited<ReturnType<typeof freshDatabase>>[] = [];

afterAll(async () => {
  for (const fresh of opened) await fresh.drop();
});

describePredictionStore('PostgreSQL', async () => {
  const fresh = await freshDatabase();
  opened.push(fresh);
  await fresh.database.migrate();
  return sqlPredictionStore(fresh.database.withTables<unknown>());
});
