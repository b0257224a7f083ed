import { afterAll, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { sqlLabelStore } from './sql-labels.ts';
import { sqlPredictionStore } from './sql-predictions.ts';
import { freshDatabase } from './testing/fresh-database.ts';
import { describeLabelStore } from './testing/labels-contract.ts';

const opened: Awaited<ReturnType<typeof freshDatabase>>[] = [];

const open = async () => {
  const fresh = await freshDatabase();
  opened.push(fresh);
  await fresh.database.migrate();
  const db = fresh.database.withTables<unknown>();
  return { db, predictions: sqlPredictionStore(db), labels: sqlLabelStore(db) };
};

afterAll(async () => {
  for (const fresh of opened) await fresh.drop();
});

describeLabelStore('PostgreSQL', open);

test('a million predictions with labels are read as sums, and a thousand more are compared with them', async () => {
  const { db, labels } = await open();
  const key = { namespace: 'demo', name: 'digits' };
  await sql`
    insert into predictions (namespace, deployment, prediction_id, at, version, status, latency_ms, record)
    select 'demo', 'digits', 'p' || i, timestamptz '2026-02-01T12:00:00Z' + i * interval '1 ms',
      case when i % 2 = 0 then '1.0.0' else '1.1.0' end, 200, 1,
      ('{"outputs":[{"name":"Y","shape":[1],"data":[' || i % 7 || ']}]}')::json
    from generate_series(1, 1000000) i`.execute(db);
  await sql`
    insert into prediction_labels (namespace, deployment, prediction_id, output, truths, received_at, compared)
    select 'demo', 'digits', 'p' || i, '', '[1]', now(), array['1.0.0']
    from generate_series(1, 999000) i`.execute(db);
  // As a million predictions of a thousand seconds leave them.
  await sql`
    insert into prediction_errors
    select 'demo', 'digits', v, timestamptz '2026-02-01T12:00:00Z' + s * interval '10 s', 'Y',
      5000, 4000, 5000, 2, 9000, 0
    from generate_series(0, 99) s, (values ('1.0.0'), ('1.1.0')) as versions (v)`.execute(db);
  await sql`analyze`.execute(db);

  const versions = ['1.0.0', '1.1.0'];
  const asked = { versions, since: '2026-02-01T12:00:00Z', output: undefined };
  const [read, readMs] = await timed(() => labels.errors(key, asked));
  expect(read.byVersion.get('1.1.0')).toMatchObject({ answers: 500_000, wrong: 400_000 });

  const fresh = Array.from({ length: 1000 }, (_, i) => ({
    ...{ predictionId: `p${String(999_001 + i)}`, output: undefined, truths: [1] },
  }));
  const [{ taken, waiting }, writtenMs] = await timed(() => labels.append(key, fresh, Date.now()));
  expect({ taken, waiting }).toEqual({ taken: 1000, waiting: 0 });
  process.stdout.write(
    `1,000,000 labelled predictions: read ${readMs} ms, 1,000 more labels ${writtenMs} ms\n`,
  );
  // Far from what looking at all of them takes; wide, as machines differ.
  expect(readMs).toBeLessThan(1000);
  expect(writtenMs).toBeLessThan(5000);
}, 180_000);

const timed = async <T>(work: () => Promise<T>): Promise<readonly [T, number]> => {
  const start = performance.now();
  const found = await work();
  return [found, Math.round(performance.now() - start)];
};
