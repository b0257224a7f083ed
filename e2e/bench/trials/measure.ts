import { setTimeout as delay } from 'node:timers/promises';
import { sqlRunStore } from '../../../operator/kinds/experiment/store.ts';
import type { RunTables } from '../../../operator/kinds/experiment/run-tables.ts';
import type { Study } from '../../../operator/kinds/experiment/search-engine.ts';
import { quantile } from '../quantile.ts';
import { tally, type AuditLog } from '../operator/audit-log.ts';
import { searchByHand } from './by-hand.ts';
import { JobFinisher, runIdOf, valueOf, type SeenJob } from './job-finisher.ts';
import { resetStatements, statementsOf, type Statements } from './statements.ts';
import { EXPERIMENTS, type TrialStage } from './trial-stage.ts';

export type SearchSize = {
  readonly algorithm: 'random' | 'tpe';
  readonly trials: number;
  readonly parallel: number;
};

/** What one search took, by the operator or by hand. */
type SearchPace = {
  readonly seconds: number;
  readonly jobs: number;
  /** ms from the end of one Job to the creation of the Job that takes its place. */
  readonly p50: number;
  readonly p99: number;
};

type SearchCost = SearchPace & {
  readonly cpuMs: number;
  readonly startMib: number;
  readonly peakMib: number;
  readonly requests: number;
  readonly calls: Readonly<Record<string, number>>;
  readonly statusWrites: number;
  readonly objectBytes: number;
  readonly statements: Statements;
  readonly ready: string;
};

export type SearchResult = SearchSize & {
  readonly ours: SearchCost;
  readonly byHand: SearchPace;
};

type Condition = {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
};
type Shown = {
  readonly status?: { readonly conditions?: readonly Condition[] };
};

const PARAMETERS = ['x', 'y'].map((name) => ({ name, min: '-1', max: '1' }));

export const experimentOf = (name: string, { algorithm, trials, parallel }: SearchSize) => ({
  apiVersion: 'mlops.pynomaly.io/v1alpha1',
  kind: 'Experiment',
  metadata: { name },
  spec: {
    objective: { type: 'minimize', objectiveMetricName: 'loss' },
    algorithm: {
      algorithmName: algorithm,
      algorithmSettings: [{ name: 'seed', value: '7' }],
    },
    parameters: PARAMETERS.map(({ name: each, min, max }) => ({
      ...{ name: each, parameterType: 'double', feasibleSpace: { min, max } },
    })),
    ...{ parallelTrialCount: parallel, maxTrialCount: trials },
    trialTemplate: {
      trialSpec: {
        apiVersion: 'batch/v1',
        kind: 'Job',
        spec: { template: { spec: { containers: [{ name: 'train', image: 'trainer:1' }] } } },
      },
    },
  },
});

/** One search by the operator, then the same by hand. */
export const measureSearch = async (
  stage: TrialStage,
  audit: AuditLog,
  size: SearchSize,
): Promise<SearchResult> => {
  const name = `bench-${size.algorithm}-${size.trials}`;
  await stage.startOperator();
  const { cost, sample } = await byOperator(stage, audit, name, size);
  await stage.operator.stop('SIGTERM');
  const study: Study = {
    ...{ name: `by-hand/${name}`, directions: ['minimize'], seed: 7 },
    algorithm: { name: size.algorithm, settings: {} },
    parameters: PARAMETERS.map((each) => ({ ...each, type: 'double' })),
  };
  const { trials, parallel } = size;
  const reach = { api: stage.cluster.api, serviceUrl: stage.serviceUrl };
  const since = performance.now();
  const finisher = await searchByHand(reach, { study, trials, parallel, like: sample });
  return { ...size, ours: cost, byHand: paceOf(finisher, parallel, since) };
};

const byOperator = async (
  stage: TrialStage,
  audit: AuditLog,
  name: string,
  size: SearchSize,
): Promise<{ readonly cost: SearchCost; readonly sample: SeenJob }> => {
  const { api } = stage.cluster;
  const database = stage.database();
  const runs = sqlRunStore(database.withTables<RunTables>());
  const finisher = new JobFinisher(api, (job) =>
    runs.logBatch(runIdOf(job), {
      metrics: [{ key: 'loss', value: valueOf(job), timestamp: Date.now(), step: 0 }],
    }),
  );
  try {
    await finisher.start();
    await resetStatements(database);
    audit.read();
    const { operator } = stage;
    const before = { cpuMs: operator.cpuMs, mib: operator.residentMib };
    const since = performance.now();
    await api.call('POST', EXPERIMENTS, experimentOf(name, size));
    const { shown, ready } = await completed(stage, finisher, name, size.trials);
    const pace = paceOf(finisher, size.parallel, since);
    const requests = audit.read().filter(({ user }) => user === stage.user);
    const writes = requests.filter(
      ({ verb, resource, subresource }) =>
        resource === 'experiments' &&
        subresource === 'status' &&
        ['patch', 'update'].includes(verb),
    );
    const cost = {
      ...pace,
      cpuMs: operator.cpuMs - before.cpuMs,
      ...{ startMib: before.mib, peakMib: operator.peakMib },
      ...{ requests: requests.length, calls: tally(requests), statusWrites: writes.length },
      objectBytes: Buffer.byteLength(JSON.stringify(shown)),
      statements: await statementsOf(database, 'operator'),
      ready,
    };
    if (finisher.sample === undefined) throw new Error('No Job was created.');
    return { cost, sample: finisher.sample };
  } finally {
    await finisher.stop();
    await database.close();
  }
};

const completed = async (
  stage: TrialStage,
  finisher: JobFinisher,
  name: string,
  trials: number,
): Promise<{ readonly shown: Shown; readonly ready: string }> => {
  const deadline = Date.now() + 60_000 + trials * 1000;
  for (;;) {
    finisher.check();
    const { body } = await stage.cluster.api.call('GET', `${EXPERIMENTS}/${name}`);
    const shown = body as Shown;
    const conditions = shown.status?.conditions ?? [];
    const ready = conditions.find(({ type }) => type === 'Ready');
    const words = `${ready?.status} ${ready?.reason}: ${ready?.message}`;
    if (conditions.some(({ type, status }) => type === 'Complete' && status === 'True'))
      return { shown, ready: words };
    if (ready?.status === 'False' || Date.now() > deadline || !stage.operator.alive)
      throw new Error(`The search did not end: ${words}\n${stage.operatorLog().slice(-2000)}`);
    await delay(250);
  }
};

const paceOf = (
  { created, finished }: JobFinisher,
  parallel: number,
  since: number,
): SearchPace => {
  // Whichever ends first makes room for the next one, so the n-th end leads to creation n + parallel.
  const waits = created.slice(parallel).map((at, index) => at - (finished[index] ?? Number.NaN));
  return {
    seconds: ((finished.at(-1) ?? Number.NaN) - since) / 1000,
    jobs: created.length,
    p50: quantile(waits, 0.5),
    p99: quantile(waits, 0.99),
  };
};
