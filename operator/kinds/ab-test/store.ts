import { sql, type Kysely } from 'kysely';
import { reachingDatabase } from '../../store/database-error.ts';
import { settledPosition } from '../../store/prediction-order-sql.ts';
import { absorbStep, firstCursor } from './assignment-sql.ts';
import { measureTest } from './measure-test-sql.ts';
import type { Arrivals } from './measurement.ts';
import { insertOutcomes, pruneOutcomes, settleOutcomes } from './outcome-sql.ts';
import { OUTCOME_RETENTION_MS } from './outcome-store.ts';
import type { Absorbed, Outcome, OutcomeStore, TestScope } from './outcome-store.ts';
import { writeSplit } from './split-sql.ts';
import { closeTest, moveCursor, openTest } from './test-row-sql.ts';
import type { Tx } from './test-row-sql.ts';

export type Bounds = {
  /** Rows that one transaction takes: it holds the test's lock, and must end well before the timeout. */
  readonly stepRows: number;
  /** Transactions of one call. */
  readonly steps: number;
};

const BOUNDS: Bounds = { stepRows: 10_000, steps: 100 };

/** Outcomes and assignments in PostgreSQL, the tables of migrations 0005 and 0040. */
export const sqlOutcomeStore = (db: Kysely<unknown>, bounds: Bounds = BOUNDS): OutcomeStore => {
  const write = <T>(what: string, work: (tx: Tx) => Promise<T>): Promise<T> =>
    reachingDatabase(what, () => db.transaction().execute(work));
  const { stepRows: limit, steps } = bounds;

  const position = (test: TestScope): Promise<string> =>
    write('read where the log of requests ends', async (tx) => {
      const { id, cursor } = await openTest(tx, test);
      const last = await settledPosition(tx, { namespace: test.namespace, name: test.deployment });
      if (cursor === null) await moveCursor(tx, id, await firstCursor(tx, test, last));
      return last;
    });

  const absorb = async (test: TestScope, now: number): Promise<Absorbed> => {
    const upTo = await position(test);
    const at = new Date(now).toISOString();
    let requests = 0;
    for (let step = 0; step < steps; step++) {
      const taken = await write('take in logged requests', async (tx) => {
        const row = await openTest(tx, test);
        const absorbed = await absorbStep(tx, test, row, { upTo, limit, now: at });
        const settled = !(await settleOutcomes(tx, row.id, limit));
        return { ...absorbed, done: absorbed.done && settled };
      });
      requests += taken.requests;
      if (taken.done) return { requests, behind: await prune(test, now) };
    }
    return { requests, behind: true };
  };

  const prune = (test: TestScope, now: number): Promise<boolean> =>
    write('drop old outcomes', async (tx) => {
      const { id } = await openTest(tx, test);
      const until = new Date(now - OUTCOME_RETENTION_MS).toISOString();
      return pruneOutcomes(tx, id, until, limit);
    });

  return {
    append: (test, outcomes: readonly Outcome[]) =>
      write('write outcomes', async (tx) => {
        const row = await openTest(tx, test);
        if (outcomes.length === 0) return { taken: 0, duplicates: 0 };
        const taken = await insertOutcomes(tx, test, row, outcomes);
        return { taken, duplicates: outcomes.length - taken };
      }),

    absorb,

    skip: (test) =>
      write('pass over logged requests', async (tx) => {
        const { id } = await openTest(tx, test);
        const key = { namespace: test.namespace, name: test.deployment };
        await moveCursor(tx, id, await settledPosition(tx, key));
      }),

    noteSplit: (test, split) =>
      write('note who gets how many units', async (tx) => {
        const { id } = await openTest(tx, test);
        await writeSplit(tx, id, split);
      }),

    measure: (test, metrics) =>
      reachingDatabase('measure a test', () =>
        db
          .transaction()
          .setIsolationLevel('repeatable read')
          .setAccessMode('read only')
          .execute((tx) => measureTest(tx, test, metrics)),
      ),

    arrivals: (uid) =>
      reachingDatabase('read when units arrived', async () => {
        const { rows } = await sql<Omit<Arrivals, 'hour'> & { hour: Date }>`
          select variant, date_trunc('hour', first_seen_at, 'UTC') as hour,
            count(*)::float8 as units
          from ab_assignments a join ab_tests t on t.id = a.test_id
          where t.uid = ${uid} and not conflicting
          group by hour, variant order by hour, variant collate "C"`.execute(db);
        return rows.map(({ hour, ...row }) => ({ ...row, hour: hour.toISOString() }));
      }),

    deleteTest: async (uid) => {
      const id = await write('close a test', (tx) => closeTest(tx, uid));
      let deleted = 0;
      for (const table of ['ab_outcomes', 'ab_unit_metrics', 'ab_assignments', 'ab_splits']) {
        let rows: number;
        do {
          rows = await write('delete a test', (tx) => deleteSome(tx, { table, id, limit }));
          deleted += rows;
        } while (rows === limit);
      }
      return deleted;
    },
  };
};

/** In steps, as millions of rows at once take longer than a statement may. */
const deleteSome = async (
  tx: Tx,
  { table, id, limit }: { readonly table: string; readonly id: number; readonly limit: number },
): Promise<number> => {
  const { numAffectedRows = 0n } = await sql`
    delete from ${sql.table(table)} where ctid = any(array(
      select ctid from ${sql.table(table)} where test_id = ${id} limit ${limit}))`.execute(tx);
  return Number(numAffectedRows);
};
