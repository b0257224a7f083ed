import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'kysely';
import { sqlRunStore } from '../../operator/kinds/experiment/store.ts';
import type { RunTables } from '../../operator/kinds/experiment/run-tables.ts';
import type { Database } from '../../operator/store/database.ts';
import { JobFinisher, runIdOf, valueOf } from '../bench/trials/job-finisher.ts';
import { experimentOf } from '../bench/trials/measure.ts';
import { EXPERIMENTS, JOBS, TrialStage } from '../bench/trials/trial-stage.ts';
import { note } from './harness/settings.ts';
import { until } from './harness/until.ts';

jest.setTimeout(300_000);

const TRIALS = 40;
const NAME = 'killed';
let dir: string;
let stage: TrialStage;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'mlops-searches-'));
  // PostgreSQL runs as a user of its own and must pass through.
  chmodSync(dir, 0o711);
  stage = await TrialStage.open(dir, process.env['FAULTS_REAL_OPERATOR'] ?? '');
  await stage.startService();
  await stage.startOperator();
});
afterAll(async () => {
  await stage.close();
  rmSync(dir, { recursive: true, force: true });
});

type Row = { readonly number: number; readonly value: number };

/** What the operator's rows say; all of them must have ended well and be told. */
const rowsOf = async ({ db }: Database): Promise<readonly Row[]> =>
  (
    await sql<Row>`select number, value from trials
      where phase = 'complete' and told and attempt = 0 order by number`.execute(db)
  ).rows;

/** What Optuna has of the study, by the operator's numbers. */
const studyOf = async ({ db }: Database): Promise<readonly Row[]> =>
  (
    await sql<Row>`
      select attribute.value_json::integer as number, reached.value
      from hpo.trials as trial
      join hpo.trial_system_attributes as attribute
        on attribute.trial_id = trial.trial_id and attribute.key = 'mlops:number'
      join hpo.trial_values as reached on reached.trial_id = trial.trial_id
      where trial.state = 'COMPLETE' order by 1`.execute(db)
  ).rows;

const countOf = async ({ db }: Database, table: string): Promise<number> =>
  (
    await sql<{ count: number }>`select count(*)::integer as count from ${sql.raw(table)}`.execute(
      db,
    )
  ).rows[0]?.count ?? 0;

test('61: a search whose PostgreSQL is killed twice and whose Optuna service once starts each trial once', async () => {
  const { api } = stage.cluster;
  const database = stage.database();
  const runs = sqlRunStore(database.withTables<RunTables>());
  const finisher = new JobFinisher(api, (job) =>
    // A training's client repeats what was not answered, too; the same point is stored once.
    until('the metric to be stored', 60, async () => {
      const metric = { key: 'loss', value: valueOf(job), timestamp: 1, step: 0 };
      await runs.logBatch(runIdOf(job), { metrics: [metric] });
      return true;
    }).then(() => undefined),
  );
  const created = (count: number): Promise<unknown> =>
    until(`${count} Jobs`, 180, async () => {
      finisher.check();
      return finisher.created.length >= count ? true : undefined;
    });
  const postgresDies = async (): Promise<void> => {
    await stage.killPostgres();
    await delay(1_000);
    await stage.startPostgres();
  };
  try {
    await finisher.start();
    const began = performance.now();
    const size = { algorithm: 'random', trials: TRIALS, parallel: 4 } as const;
    await api.call('POST', EXPERIMENTS, experimentOf(NAME, size));
    await created(8);
    await postgresDies();
    await created(18);
    await stage.killService();
    await delay(1_000);
    await stage.startService();
    await created(28);
    await postgresDies();
    const ready = await until('the search to end', 120, async () => {
      finisher.check();
      const { body } = await api.call('GET', `${EXPERIMENTS}/${NAME}`);
      const { status } = body as {
        readonly status?: { readonly conditions?: readonly { type: string; reason: string }[] };
      };
      return status?.conditions?.find(({ type }) => type === 'Complete')?.reason;
    });
    note(61, `${TRIALS} trials in ${((performance.now() - began) / 1000).toFixed(1)} s`);
    expect(ready).toBe('MaxTrialsReached');
    expect(stage.operator.alive).toBe(true);
    const numbers = Array.from({ length: TRIALS }, (_, number) => number);
    expect(finisher.names.toSorted()).toEqual(
      numbers.map((number) => `${NAME}-${number}`).toSorted(),
    );
    const rows = await rowsOf(database);
    expect(rows.map(({ number }) => number)).toEqual(numbers);
    expect(await studyOf(database)).toEqual(rows);
    expect(await countOf(database, 'hpo.trials')).toBe(TRIALS);
    expect(await countOf(database, 'runs')).toBe(TRIALS);
    const { body } = await api.call('GET', JOBS);
    expect((body as { items: readonly unknown[] }).items).toEqual([]);
  } finally {
    await finisher.stop();
    await database.close();
  }
});
