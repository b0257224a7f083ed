import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { Database } from './database.ts';
import { DatabaseUnavailable } from './database-error.ts';
import { foldChanges } from './fold-changes.ts';
import { MigrationFailed } from './migrate.ts';
import { RowsRefused } from './mirror-rows.ts';
import { Mirror } from './mirror.ts';
import { resourceState } from './resource-state.ts';
import { sqlMirrorRows } from './sql-mirror-rows.ts';
import { sqlResourceSearch } from './sql-resource-search.ts';
import { freshDatabase } from './testing/fresh-database.ts';
import { describeMirrorTables } from './testing/mirror-contract.ts';
import { anObject } from './testing/objects.ts';

type Fresh = Awaited<ReturnType<typeof freshDatabase>>;
const opened: Fresh[] = [];
const migrated = async (): Promise<Fresh> => {
  const fresh = await freshDatabase();
  opened.push(fresh);
  await fresh.database.migrate();
  return fresh;
};

afterAll(async () => {
  for (const fresh of opened) await fresh.drop();
});

describeMirrorTables('PostgreSQL', async () => {
  const { db } = (await migrated()).database;
  return { rows: sqlMirrorRows(db), search: sqlResourceSearch(db) };
});

describe('migrations', () => {
  test('run once, however many replicas start together and however often', async () => {
    const fresh = await freshDatabase();
    opened.push(fresh);
    await Promise.all(Array.from({ length: 4 }, () => fresh.database.migrate()));
    await fresh.database.migrate();
    const { rows } = await sql<{ name: string }>`select name from kysely_migration`.execute(
      fresh.database.db,
    );
    expect(rows.map(({ name }) => name)).toEqual([
      '0001_resources_and_audit',
      '0002_runs',
      '0003_predictions',
      '0004_closed_experiments',
      '0005_ab_tests',
      '0006_labels',
      '0007_ab_splits',
      '0008_trials',
      '0009_run_images',
      '0010_webhooks',
    ]);
  });

  test('refuse a database that a newer release has changed', async () => {
    const { database } = await migrated();
    await sql`insert into kysely_migration values ('0999_future', '2030')`.execute(database.db);
    await expect(database.migrate()).rejects.toThrow('0999_future');
  });

  test('say which one failed, and leave nothing half done', async () => {
    const fresh = await freshDatabase();
    opened.push(fresh);
    await sql`create table runs (id text)`.execute(fresh.database.db);
    await expect(fresh.database.migrate()).rejects.toThrow(MigrationFailed);
    const { rows } = await sql`select 1 from pg_tables where tablename = 'resources'`.execute(
      fresh.database.db,
    );
    expect(rows).toEqual([]);
  });
});

describe('the audit table', () => {
  test.each(['update audit set name = $$x$$', 'delete from audit', 'truncate audit'])(
    'refuses: %s',
    async (statement) => {
      const { database } = await migrated();
      const rows = sqlMirrorRows(database.db);
      const state = resourceState(anObject(), '2026-02-01T12:00:00Z');
      await rows.update([state.row.uid], (stored) =>
        foldChanges(stored, [{ type: 'upsert', state, gap: false }]),
      );
      await expect(sql.raw(statement).execute(database.db)).rejects.toThrow(
        'audit rows are never changed or removed',
      );
    },
  );
});

describe('a database', () => {
  test('that is not there says so', async () => {
    const database = new Database({
      connection: { host: '127.0.0.1', port: 9, database: 'x', user: 'x', password: 'x' },
      onConnectionLost: () => {},
    });
    await expect(database.ping()).rejects.toThrow(DatabaseUnavailable);
    await expect(database.migrate()).rejects.toThrow(DatabaseUnavailable);
    await expect(sqlResourceSearch(database.db).search({ namespaces: 'all' })).rejects.toThrow(
      DatabaseUnavailable,
    );
    await expect(sqlMirrorRows(database.db).known('Model', undefined)).rejects.toThrow(
      DatabaseUnavailable,
    );
    await database.close();
  });

  test('cancels a query that takes too long, and goes on after lost connections', async () => {
    const { url } = await migrated();
    let lost = 0;
    const database = new Database({
      connection: { url },
      statementTimeoutMs: 100,
      onConnectionLost: () => lost++,
    });
    await database.ping();
    await expect(sql`select pg_sleep(5)`.execute(database.db)).rejects.toThrow('statement timeout');
    const kill = sql`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()`;
    await kill.execute(opened.at(-1)?.database.db ?? database.db);
    while (lost === 0) await new Promise((resolve) => setImmediate(resolve));
    await database.ping();
    await database.close();
  });

  test('refuses rows it can never take, for the mirror to leave out', async () => {
    const rows = sqlMirrorRows((await migrated()).database.db);
    const state = resourceState(anObject({ createdAt: 'not a time' }), '2026-02-01T12:00:00Z');
    await expect(
      rows.update([state.row.uid], () => ({ states: [state], audit: [] })),
    ).rejects.toThrow(RowsRefused);
  });
});

test('the mirror rides out an outage with every change in order', async () => {
  const { url, database } = await migrated();
  const { db } = database;
  const search = sqlResourceSearch(db);
  const rows = sqlMirrorRows(db);
  const outage = { on: true };
  const slept: (() => void)[] = [];
  const mirror = new Mirror({
    rows: {
      ...rows,
      update: (uids, fold) =>
        outage.on
          ? Promise.reject(new DatabaseUnavailable('write', `${new URL(url).host} is down`))
          : rows.update(uids, fold),
    },
    limits: { maxEntries: 10_000, maxBytes: 1e8 },
    currentObjects: () => undefined,
    metrics: { spooled: () => {}, written: () => {}, dropped: () => {} },
    log: { warn: () => {}, error: () => {} },
    now: () => new Date('2026-02-01T12:00:00Z'),
    random: Math.random,
    sleep: (_ms, signal) =>
      new Promise((resolve) => {
        slept.push(resolve);
        signal.addEventListener('abort', () => resolve());
      }),
  });
  mirror.start();
  for (let version = 1; version <= 250; version++)
    mirror.observe({
      ...{ kind: 'Model', type: 'upsert' },
      object: anObject({ version, generation: version, spec: { version } }),
    });
  while (slept.length === 0) await new Promise((resolve) => setImmediate(resolve));
  outage.on = false;
  expect(await mirror.stop(60_000)).toBe(0);
  const history = await search.history({
    ...{ kind: 'Model', namespace: 'demo', name: 'digits' },
    limit: 500,
  });
  expect(history.items.map(({ generation }) => generation)).toEqual(
    Array.from({ length: 250 }, (_, index) => 250 - index),
  );
  expect(history.items.some(({ gap }) => gap)).toBe(false);
});

beforeAll(() => {
  if (process.env['INTEGRATION_DATABASE_URL'] === undefined)
    throw new Error('INTEGRATION_DATABASE_URL names the PostgreSQL server to test on.');
});
