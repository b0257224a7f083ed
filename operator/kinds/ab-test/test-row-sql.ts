import { sql, type Transaction } from 'kysely';
import { TestClosed } from './outcome-store.ts';
import type { TestScope } from './outcome-store.ts';

export type Tx = Transaction<unknown>;

/** `cursor`: the last logged request that was looked at; null: none yet. */
export type TestRow = { readonly id: number; readonly cursor: string | null };

/** How many outcomes there are more than before, by what is known of their unit's exposure. */
export type Tally = { readonly pending: number; readonly before: number };

/**
 * Locks the test's row, made where there is none, so that one writes at a time: what is judged by
 * exposures known so far, and the exposures themselves, never pass each other. Throws `TestClosed`.
 */
export const openTest = async (tx: Tx, test: TestScope): Promise<TestRow> => {
  const row = (await locked(tx, test.uid)) ?? (await create(tx, test.uid));
  if (row.closed) throw new TestClosed(test);
  await lookUpByIndex(tx);
  return row;
};

/**
 * All that writers do is look up a bounded number of rows among millions. In tables that have just grown
 * the planner knows no better than that they are small, and would read all of them for each row or batch.
 */
const lookUpByIndex = async (tx: Tx): Promise<void> => {
  await sql`select set_config(name, 'off', true) from unnest(array[
    'enable_seqscan', 'enable_hashjoin', 'enable_mergejoin', 'enable_material']) as name`.execute(
    tx,
  );
};

/** Nobody writes to this test from now on. */
export const closeTest = async (tx: Tx, uid: string): Promise<number> => {
  const { id } = (await locked(tx, uid)) ?? (await create(tx, uid));
  await sql`update ab_tests set closed_at = coalesce(closed_at, now()) where id = ${id}`.execute(
    tx,
  );
  return id;
};

type Row = TestRow & { readonly closed: boolean };

const locked = async (tx: Tx, uid: string): Promise<Row | undefined> => {
  const { rows } = await sql<Row>`
    select id, cursor, closed_at is not null as closed from ab_tests
    where uid = ${uid} for update`.execute(tx);
  return rows[0];
};

const create = async (tx: Tx, uid: string): Promise<Row> => {
  await sql`insert into ab_tests (uid) values (${uid}) on conflict do nothing`.execute(tx);
  const row = await locked(tx, uid);
  if (row === undefined) throw new Error(`ab_tests has no row for ${uid}, which was just written`);
  return row;
};

export const moveCursor = async (tx: Tx, testId: number, cursor: string): Promise<void> => {
  await sql`update ab_tests set cursor = ${cursor} where id = ${testId}`.execute(tx);
};

export const tally = async (tx: Tx, testId: number, { pending, before }: Tally): Promise<void> => {
  await sql`
    update ab_tests set outcomes_pending = outcomes_pending + ${pending},
      outcomes_before_exposure = outcomes_before_exposure + ${before}
    where id = ${testId}`.execute(tx);
};
