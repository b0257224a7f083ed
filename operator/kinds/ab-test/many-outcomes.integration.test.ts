import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { sqlPredictionStore } from '../../store/sql-predictions.ts';
import { freshDatabase } from '../../store/testing/fresh-database.ts';
import type { Outcome } from './outcome-store.ts';
import { sqlOutcomeStore } from './store.ts';
import { REVENUE, at, openTestOf } from './testing/outcome-fixture.ts';

const MINUTES = 60_000;
/** A hundredth where nobody asks for all. */
const OUTCOMES = process.env['SOAK'] === '1' ? 10_000_000 : 100_000;
/** As many as one call of the API may bring. */
const BATCH = 1000;

const fresh = await freshDatabase();
const db = fresh.database.withTables<unknown>();
beforeAll(() => fresh.database.migrate());
afterAll(() => fresh.drop());

const batchFrom = (first: number): readonly Outcome[] =>
  Array.from({ length: BATCH }, (_, index) => ({
    key: (first + index).toString(16).padStart(32, '0'),
    ...{ of: { unit: 'hot' }, metric: 'revenue', value: 1, at: at('13:00') },
  }));

const rowsOf = async (table: string): Promise<number> => {
  const { rows } = await sql<{ count: number }>`
    select count(*)::float8 as count from ${sql.table(table)}`.execute(db);
  return rows[0]?.count ?? 0;
};

test(
  'ten million outcomes of one unit take a row each and one sum, and are measured as fast as one',
  async () => {
    const stores = { predictions: sqlPredictionStore(db), outcomes: sqlOutcomeStore(db) };
    const { log, absorb, measure, scope, outcomes } = openTestOf(stores, 'hot');
    await log('hot', 'control', '12:00');
    await absorb();
    const startedAt = performance.now();
    let peak = 0;
    for (let sent = 0; sent < OUTCOMES; sent += BATCH) {
      await outcomes.append(scope, batchFrom(sent));
      peak = Math.max(peak, process.memoryUsage().rss);
    }
    const appended = performance.now();
    // Sent again after a lost answer.
    expect(await outcomes.append(scope, batchFrom(0))).toEqual({ taken: 0, duplicates: BATCH });
    const before = performance.now();
    const { metrics } = await measure(REVENUE);
    const measuredMs = performance.now() - before;
    expect(metrics[0]?.aggregate).toEqual({
      type: 'mean',
      values: { count: 1, mean: OUTCOMES, m2: 0 },
    });
    expect(await rowsOf('ab_outcomes')).toBe(OUTCOMES);
    expect(await rowsOf('ab_unit_metrics')).toBe(1);
    process.stderr.write(
      `${OUTCOMES} outcomes in ${((appended - startedAt) / 1000).toFixed(1)} s, measured in ${measuredMs.toFixed(1)} ms; at most ${(peak / 2 ** 20).toFixed(0)} MiB here\n`,
    );
  },
  60 * MINUTES,
);
