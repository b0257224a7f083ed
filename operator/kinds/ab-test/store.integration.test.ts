import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { Database } from '../../store/database.ts';
import { DatabaseUnavailable } from '../../store/database-error.ts';
import { sqlPredictionStore } from '../../store/sql-predictions.ts';
import { freshDatabase } from '../../store/testing/fresh-database.ts';
import { sqlOutcomeStore } from './store.ts';
import { describeMeasurement } from './testing/measurement-contract.ts';
import { REVENUE, openTestOf } from './testing/outcome-fixture.ts';
import { describeOutcomeStore } from './testing/outcome-store-contract.ts';

const fresh = await freshDatabase();
const db = fresh.database.withTables<unknown>();
const predictions = sqlPredictionStore(db);
beforeAll(() => fresh.database.migrate());
afterAll(() => fresh.drop());

const make = async () => ({ predictions, outcomes: sqlOutcomeStore(db) });

describeOutcomeStore('the store in PostgreSQL', make);
describeMeasurement('the store in PostgreSQL', make);

describe('the store in PostgreSQL, in steps of three rows', () => {
  const inSteps = async () => ({
    predictions,
    outcomes: sqlOutcomeStore(db, { stepRows: 3, steps: 4 }),
  });

  test('settles a unit with many outcomes, and a request with many, in as many steps as it takes', async () => {
    const { log, absorb, measure, send } = openTestOf(await inSteps(), 'steps');
    for (let i = 0; i < 20; i++) {
      await send(['hot', 'revenue', 1, '13:00'], ['#hot', 'revenue', 1, '13:00']);
    }
    await log('hot', 'control', '12:00', { id: 'hot' });
    for (let i = 0; i < 10; i++) await log(`unit-${i}`, 'bigger', '12:00');
    expect(await absorb()).toBe(11);
    const { variants, outcomesOfUnknownUnits, metrics } = await measure(REVENUE);
    expect(variants.map(({ units }) => units)).toEqual([1, 10]);
    expect(outcomesOfUnknownUnits).toBe(0);
    expect(metrics[0]?.aggregate).toMatchObject({ values: { count: 1, mean: 40 } });
  });

  test('deletes all of it', async () => {
    const { outcomes, scope } = openTestOf(await inSteps(), 'steps');
    // 40 outcomes, 11 units, and one sum.
    expect(await outcomes.deleteTest(scope.uid)).toBe(52);
  });
});

test('reading the log waits for a batch that is half-way, so that its requests are not passed over', async () => {
  const { log, absorb, measure } = openTestOf(await make(), 'in-flight');
  await log('first', 'control', '12:00');
  const release = Promise.withResolvers<undefined>();
  const blocking = Promise.withResolvers<undefined>();
  // Writing the fixture's second batch has to wait for this one to end.
  const blocker = db.transaction().execute(async (tx) => {
    await sql`insert into prediction_batches values ('demo', 'in-flight', 'batch-2')`.execute(tx);
    blocking.resolve(undefined);
    await release.promise;
    await sql`delete from prediction_batches where batch_id = 'batch-2'`.execute(tx);
  });
  await blocking.promise;
  const writing = log('second', 'control', '12:00');
  await untilWaiting('transactionid', writing);
  const reading = absorb();
  try {
    await untilWaiting('advisory', reading);
  } finally {
    release.resolve(undefined);
  }
  await Promise.all([blocker, writing, reading]);
  expect((await measure()).variants[0]?.units).toBe(2);
});

/** Until a session waits for such a lock. Throws when the work that should ends instead. */
const untilWaiting = async (locktype: string, work: Promise<unknown>): Promise<void> => {
  let ended = false;
  const end = () => void (ended = true);
  void work.then(end, end);
  for (;;) {
    const { rows } = await sql`
      select from pg_locks join pg_stat_activity using (pid)
      where not granted and locktype = ${locktype} and datname = current_database()`.execute(db);
    if (rows.length > 0) return;
    if (ended) throw new Error(`it ended without waiting for a lock of type ${locktype}`);
  }
};

test('writers of one test that come with the same units in another order do not lock each other out', async () => {
  const { log, absorb, outcome, outcomes, scope, aggregates } = openTestOf(await make(), 'order');
  const units = Array.from({ length: 50 }, (_, index) => `unit-${index}`);
  for (const unit of units) await log(unit, 'control', '12:00');
  const batch = () => units.map((unit) => outcome(unit, 'revenue', 1, '13:00'));
  await Promise.all([
    ...[batch(), batch().reverse(), batch(), batch().reverse()].map((each) =>
      outcomes.append(scope, each),
    ),
    absorb(),
  ]);
  await absorb();
  expect((await aggregates(REVENUE))['control']).toEqual({
    type: 'mean',
    values: { count: 50, mean: 4, m2: 0 },
  });
});

test('says when the database is not there', async () => {
  const database = new Database({
    connection: { url: 'postgres://nobody@127.0.0.1:9/none' },
    onConnectionLost: () => {},
  });
  const outcomes = sqlOutcomeStore(database.withTables<unknown>());
  const { scope } = openTestOf({ predictions, outcomes }, 'unreached');
  await expect(outcomes.append(scope, [])).rejects.toThrow(DatabaseUnavailable);
  await expect(outcomes.measure(scope, [])).rejects.toThrow(DatabaseUnavailable);
  await database.close();
});
