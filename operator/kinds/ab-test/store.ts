import { sql, type Kysely } from 'kysely';
import { reachingDatabase } from '../../store/database-error.ts';
import { settledPosition } from '../../store/prediction-order-sql.ts';
import { absorbStep, firstCursor } from './assignment-sql.ts';
import { measureMetric } from './measure-sql.ts';
import type { Arrivals, Measurement, MetricDefinition } from './measurement.ts';
import { insertOutcomes, pruneOutcomes, settleOutcomes } from './outcome-sql.ts';
import { OUTCOME_RETENTION_MS } from './outcome-store.ts';
import type { Absorbed, Outcome, OutcomeStore, TestScope } from './outcome-store.ts';
import { aggregatesOf } from './per-variant.ts';
import { closeTest, moveCursor, openTest } from './test-row-sql.ts';
import type { Tx } from './test-row-sql.ts';

export type Bounds = {
  /** Rows that one transaction takes: it holds the test's lock, and must end well before the timeout. */
  readonly stepRows: number;
  /** Transactions of one call. */
  readonly steps: number;
};

const BOUNDS: Bounds = { stepRows: 10_000, steps: 100 };

/** Outcomes and assignments in PostgreSQL, the tables of migration 0005. */
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

    measure: (test, metrics) =>
      reachingDatabase('measure a test', () =>
        db
          .transaction()
          .setIsolationLevel('repeatable read')
          .setAccessMode('read only')
          .execute((tx) => measure(tx, test, metrics)),
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
      for (const table of ['ab_outcomes', 'ab_unit_metrics', 'ab_assignments']) {
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

type TestFigures = { readonly id: number; readonly pending: number; readonly before: number };

const measure = async (
  tx: Tx,
  test: TestScope,
  metrics: readonly MetricDefinition[],
): Promise<Measurement> => {
  const { rows } = await sql<TestFigures>`
    select id, outcomes_pending::float8 as pending, outcomes_before_exposure::float8 as before
    from ab_tests where uid = ${test.uid}`.execute(tx);
  // Before the first call of absorb there is no row, and nothing to count: no test has the id 0.
  const { id, pending, before } = rows[0] ?? { id: 0, pending: 0, before: 0 };
  const units = await countUnits(tx, id);
  const measured: Measurement['metrics'][number][] = [];
  for (const metric of metrics) {
    const found = aggregatesOf(await measureMetric(tx, id, metric), test.variants);
    for (const [variant, aggregate] of found) {
      measured.push({ variant, metric: metric.name, aggregate });
    }
  }
  return {
    variants: test.variants.map((variant) => ({ variant, units: units.get(variant) ?? 0 })),
    conflictingUnits: units.get(CONFLICTING) ?? 0,
    outcomesOfUnknownUnits: pending,
    outcomesBeforeExposure: before,
    metrics: measured,
  };
};

/** No variant's name has a space. */
const CONFLICTING = 'more than one';

const countUnits = async (tx: Tx, testId: number): Promise<ReadonlyMap<string, number>> => {
  const { rows } = await sql<{ variant: string; units: number }>`
    select case when conflicting then ${CONFLICTING} else variant end as variant,
      count(*)::float8 as units
    from ab_assignments where test_id = ${testId} group by 1`.execute(tx);
  return new Map(rows.map(({ variant, units }) => [variant, units]));
};
