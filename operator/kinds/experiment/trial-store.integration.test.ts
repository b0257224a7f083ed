import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { Database } from '../../store/database.ts';
import { DatabaseUnavailable } from '../../store/database-error.ts';
import { freshDatabase } from '../../store/testing/fresh-database.ts';
import { JOB, POD } from '../../runtime/kubernetes-types.ts';
import { aRegister } from '../testing/an-experiment.ts';
import { World, key } from '../testing/world.ts';
import { memoryArtifactStore } from '../../artifacts/memory-artifact-store.ts';
import { MemoryPodLogs } from '../../runtime/memory-pod-logs.ts';
import { someDefaults } from '../testing/builders.ts';
import { MemorySearchEngine } from './memory-search-engine.ts';
import { experimentReconciler } from './reconcile.ts';
import { sqlRunStore } from './store.ts';
import { describeTrialStore } from './testing/trial-store-contract.ts';
import { aSearch, EXPERIMENT, NAME } from './testing/search-world.ts';
import type { TrialTables } from './trial-sql.ts';
import { sqlTrialStore } from './trial-store-sql.ts';

const fresh = await freshDatabase();
const db = fresh.database.withTables<TrialTables>();
const runs = sqlRunStore(db);
const trials = sqlTrialStore(db);
afterAll(() => fresh.drop());

describeTrialStore('the store in PostgreSQL', async () => {
  await fresh.database.migrate();
  return { runs, trials };
});

test('says when the database is not there', async () => {
  const database = new Database({
    connection: { url: 'postgres://nobody@127.0.0.1:9/none' },
    onConnectionLost: () => {},
  });
  const store = sqlTrialStore(database.withTables<TrialTables>());
  await expect(store.counts('x')).rejects.toThrow(DatabaseUnavailable);
  await expect(store.told('x')).rejects.toThrow(DatabaseUnavailable);
  await database.close();
});

test('a search trains once more on what it found, with its rows in PostgreSQL', async () => {
  const artifacts = memoryArtifactStore();
  const [search, logs] = [new MemorySearchEngine(), new MemoryPodLogs()];
  const ports = { runs, trials, artifacts, children: someDefaults(), search, logs };
  const world = new World([experimentReconciler(ports)]);
  const register = aRegister({ retrain: {} });
  await world.put(EXPERIMENT, aSearch({ maxTrialCount: 1, register }));
  const complete = async (name: string, words: string) => {
    await world.reconcile(EXPERIMENT, NAME);
    const job = await world.get(JOB, key(name));
    const owner = { apiVersion: 'batch/v1', kind: 'Job', name, uid: job?.metadata.uid };
    const metadata = { name: `${name}-x`, namespace: 'demo', ownerReferences: [owner] };
    const imageID = `trainer@sha256:${'c'.repeat(64)}`;
    const status = { phase: 'Running', containerStatuses: [{ name: 'train', imageID }] };
    await world.put(POD, { metadata, status });
    logs.write(`${name}-x`, `2026-03-01T12:00:01.5Z ${words}`);
    const conditions = [{ type: 'Complete', status: 'True' }];
    await world.change(JOB, key(name), '/status', { conditions });
    await world.reconcile(EXPERIMENT, NAME);
  };
  await complete('digits-train-0', 'accuracy=0.5');
  await complete('digits-train-final', 'accuracy=0.75');
  const { uid = '' } = (await world.get(EXPERIMENT, NAME))?.metadata ?? {};
  expect(await trials.counts(uid)).toMatchObject({ total: 1, complete: 1, untold: 0 });
  const all = (await runs.listRuns({ experimentUids: [uid] })).runs;
  const final = all.find(({ name }) => name === 'digits-train-final');
  expect(final).toMatchObject({
    ...{ status: 'FINISHED', image: `trainer@sha256:${'c'.repeat(64)}` },
    metrics: [{ key: 'accuracy', value: 0.75 }],
  });
  await world.reconcile(EXPERIMENT, NAME);
  // It left no model behind.
  expect(await world.condition(EXPERIMENT, NAME)).toMatch(/^False RegistrationFailed/);
  await runs.deleteExperimentRuns(uid);
  expect((await trials.list(`${uid}/final`)).trials).toEqual([]);
});

const MANY = 100_000;

describe('a search with 100,000 trials', () => {
  let world: World;
  let uid: string;

  beforeAll(async () => {
    await fresh.database.migrate();
    const ports = { runs, trials, artifacts: memoryArtifactStore(), children: someDefaults() };
    const [search, logs] = [new MemorySearchEngine(), new MemoryPodLogs()];
    world = new World([experimentReconciler({ ...ports, search, logs })]);
    await world.put(EXPERIMENT, aSearch({ maxTrialCount: MANY, parallelTrialCount: 3 }));
    uid = (await world.get(EXPERIMENT, NAME))?.metadata.uid ?? '';
    await sql`
      insert into runs (run_id, experiment_uid, namespace, experiment_name, trial_number, name,
        user_id, status, start_time, end_time)
      select md5(n::text), ${uid}, 'demo', 'digits-train', n, 'digits-train-' || n,
        '', 'FINISHED', n, n + 1
      from generate_series(0, ${MANY - 1}::integer) as n`.execute(db);
    await sql`
      insert into trials (run_id, experiment_uid, number, phase, told, assignments, value,
        objectives, started)
      select md5(n::text), ${uid}, n, 'complete', true, '[{"name":"lr","value":"0.1"}]',
        (n * 7919 % 99991) / 99991.0, array[(n * 7919 % 99991) / 99991.0], 0
      from generate_series(0, ${MANY - 1}::integer) as n`.execute(db);
    await sql`analyze trials, runs`.execute(db);
  }, 120_000);

  test('keeps its object small, and its pass reads few rows', async () => {
    const began = performance.now();
    await world.reconcile(EXPERIMENT, NAME);
    const ms = performance.now() - began;
    const object = await world.get(EXPERIMENT, NAME);
    expect(await world.condition(EXPERIMENT, NAME)).toMatch(
      /^True MaxTrialsReached: .*100000 of 100000 trials started, 0 under way, 100000 finished/,
    );
    expect(JSON.stringify(object).length).toBeLessThan(8 * 1024);
    // A generous bound on a loaded machine; reading all rows takes far longer.
    expect(ms).toBeLessThan(2_000);
  });

  test('finds what is under way, the best and a page by an index', async () => {
    const planOf = async (query: ReturnType<typeof sql>): Promise<string> =>
      JSON.stringify((await sql`explain ${query}`.execute(db)).rows);
    expect(
      await planOf(
        sql`select * from trials where experiment_uid = ${uid} and told = false order by number`,
      ),
    ).toContain('trials_unsettled');
    expect(
      await planOf(sql`select * from trials where experiment_uid = ${uid} and phase = 'complete'
        order by value desc, number limit 1`),
    ).toMatch(/trials_best/);
    const { trials: page } = await trials.list(uid, { from: 99_990 });
    expect(page.map(({ number }) => number)).toEqual([
      ...[99990, 99991, 99992, 99993, 99994, 99995, 99996, 99997, 99998, 99999],
    ]);
    expect(await world.get(EXPERIMENT, key('digits-train'))).toBeDefined();
  });
});
