import { describe, expect, test } from '@jest/globals';
import type { Experiment } from '../../../crds/schema/experiment.ts';
import { modelAlias } from '../../../crds/schema/model-alias.ts';
import { modelVersion, type ModelVersion } from '../../../crds/schema/model-version.ts';
import { JOB } from '../../runtime/kubernetes-types.ts';
import { ownType } from '../../runtime/own-type.ts';
import type { Job } from '../kubernetes-objects.ts';
import { aRegister } from '../testing/an-experiment.ts';
import { conditionOf } from '../testing/builders.ts';
import { Crash } from '../testing/faults.ts';
import { DatabaseDown } from '../testing/faulty-runs.ts';
import { key, keysOf } from '../testing/world.ts';
import { Mortal, Outage, type Faults } from './testing/mortal.ts';
import { SearchWorld } from './testing/search-world.ts';

const MODEL_VERSION = ownType(modelVersion);

/** Trial 1 is evicted once; all others train and finish. */
const goOn = async (at: SearchWorld): Promise<void> => {
  const jobs = await at.world.list<Job>(JOB);
  const evicted = jobs.find(
    ({ metadata, status }) => metadata.name === 'digits-train-1' && status === undefined,
  );
  if (evicted !== undefined) {
    await at.pod('digits-train-1', { phase: 'Failed', reason: 'Evicted', message: 'low memory' });
    await at.end('digits-train-1', { type: 'Failed' });
  }
  await at.trainAll();
  for (const { metadata } of await at.world.list<ModelVersion>(MODEL_VERSION)) {
    await at.world.change(MODEL_VERSION, key(metadata.name), '/status', {
      conditions: [conditionOf('Ready', 'True', 'Ready')],
    });
  }
};

type Scenario = {
  readonly spec: Partial<Experiment['spec']>;
  readonly prepare?: (at: SearchWorld) => void;
  /** What cluster and trainings do between passes. */
  readonly goOn: (at: SearchWorld) => Promise<void>;
};

/** A whole search with one fault in it. */
const live = async ({ spec, prepare, goOn }: Scenario, faults: Faults): Promise<SearchWorld> => {
  const at = new SearchWorld(faults);
  prepare?.(at);
  await at.create({ maxTrialCount: 4, ...spec });
  for (let round = 0; round < 12; round += 1) {
    at.world.advance(2_000);
    await at.pass().catch((error: unknown) => {
      if (!(error instanceof Crash || error instanceof DatabaseDown)) throw error;
    });
    if (faults.dead) {
      faults.restart();
      at.world.restart();
    }
    await goOn(at);
  }
  return at;
};

/** Lives as often as there are calls at which the fault can come; answers how many those are. */
const everywhere = async (
  scenario: Scenario,
  faultAt: (k: number) => Faults,
  expectWhole: (at: SearchWorld, k: number) => Promise<void>,
): Promise<number> => {
  for (let k = 1; ; k += 1) {
    const faults = faultAt(k);
    const at = await live(scenario, faults);
    await expectWhole(at, k);
    if (!faults.happened) return k;
  }
};

const REGISTERED: Scenario = { spec: { register: aRegister() }, goOn };

/** The first trial is hopeless, the second fails, the others print what they reach. */
const MIXED: Scenario = {
  spec: { earlyStopping: { algorithmName: 'median' } },
  prepare: ({ search }) => {
    search.prunes = (_number, { value }) => value < 0.2;
  },
  goOn: async (at) => {
    for (const { metadata, status } of await at.world.list<Job>(JOB)) {
      if (status === undefined) await trainOne(at, metadata.name);
    }
  },
};

/** Two trials, then one training more on what they found, which is evicted once. */
const RETRAINED: Scenario = {
  spec: { maxTrialCount: 2, register: aRegister({ when: 'metrics.accuracy > 0.0', retrain: {} }) },
  goOn: async (at) => {
    const first = await at.world.get<Job>(JOB, key('digits-train-final'));
    if (first !== undefined && first.status === undefined) {
      await at.pod('digits-train-final', { phase: 'Failed', reason: 'Evicted' });
      await at.end('digits-train-final', { type: 'Failed' });
    }
    await goOn(at);
  },
};

/** No search: one training, which prints what it reaches. */
const SINGLE: Scenario = {
  spec: { parameters: [] },
  goOn: async (at) => {
    const [job] = await at.world.list<Job>(JOB);
    if (job === undefined || job.status !== undefined) return;
    const { name } = job.metadata;
    const imageID = `trainer@sha256:${'d'.repeat(64)}`;
    const first = (await at.logs.readLog(key(`${name}-x`), { limitBytes: 1 })) === undefined;
    if (first) at.logs.write(`${name}-x`, '2026-03-01T12:00:01.000000001Z accuracy=0.5');
    await at.pod(name, { phase: 'Running', containerStatuses: [{ name: 'train', imageID }] });
    if (!first) await at.end(name, { type: 'Complete' });
  },
};

const OUTPUT: Readonly<Record<string, string>> = {
  'digits-train-0': 'accuracy=0.1',
  'digits-train-2': 'accuracy=0.5',
  'digits-train-3': 'accuracy=0.75',
};

const trainOne = async (at: SearchWorld, name: string): Promise<void> => {
  const words = OUTPUT[name];
  if (words === undefined) {
    const terminated = { exitCode: 1, reason: 'Error', message: 'ValueError: no data' };
    await at.pod(name, {
      phase: 'Failed',
      containerStatuses: [{ name: 'train', state: { terminated } }],
    });
    return at.end(name, { type: 'Failed' });
  }
  const first = (await at.logs.readLog(key(`${name}-x`), { limitBytes: 1 })) === undefined;
  if (first) at.logs.write(`${name}-x`, `2026-03-01T12:00:01.000000001Z ${words}`);
  await at.pod(name, { phase: 'Running' });
  if (!first && name !== 'digits-train-0') await at.end(name, { type: 'Complete' });
};

const STARTED = [
  ...['digits-train-0', 'digits-train-1', 'digits-train-1-r1'],
  ...['digits-train-2', 'digits-train-3'],
];

const expectWhole = async (at: SearchWorld, k: number): Promise<void> => {
  const rows = await at.rows();
  expect({ k, started: at.started.toSorted() }).toEqual({ k, started: STARTED });
  expect(rows.map(({ number, phase, told, attempt }) => [number, phase, told, attempt])).toEqual([
    [0, 'complete', true, 0],
    [1, 'complete', true, 1],
    [2, 'complete', true, 0],
    [3, 'complete', true, 0],
  ]);
  expect(at.search.outcomes()).toEqual(
    rows.map(({ values }) => ({ state: 'complete', values: [...values] })),
  );
  expect(at.search.draws).toBe(4);
  expect(await at.world.list(JOB)).toEqual([]);
  expect(await at.ready()).toMatch(/^True Registered/);
  expect(keysOf(await at.world.list(MODEL_VERSION))).toEqual(['digits-1.0.0']);
  expect(keysOf(await at.world.list(ownType(modelAlias)))).toEqual(['digits-champion']);
  expect((await at.runs.list()).map(({ status }) => status)).toEqual(
    Array.from({ length: 4 }, () => 'FINISHED'),
  );
};

const expectMixed = async (at: SearchWorld, k: number): Promise<void> => {
  const rows = await at.rows();
  expect({ k, rows: rows.map(({ phase, told, values }) => [phase, told, values]) }).toEqual({
    k,
    rows: [
      ['pruned', true, []],
      ['failed', true, []],
      ['complete', true, [0.5]],
      ['complete', true, [0.75]],
    ],
  });
  expect(at.started).toEqual([0, 1, 2, 3].map((number) => `digits-train-${number}`));
  expect(at.search.outcomes()).toEqual([
    { state: 'pruned' },
    { state: 'failed' },
    { state: 'complete', values: [0.5] },
    { state: 'complete', values: [0.75] },
  ]);
  const history = await at.runs.metricHistory(rows[2]?.runId ?? '', 'accuracy');
  expect(history.metrics).toHaveLength(1);
  expect(await at.world.list(JOB)).toEqual([]);
  expect(await at.ready()).toMatch(/^True MaxTrialsReached/);
};

const expectRetrained = async (at: SearchWorld, k: number): Promise<void> => {
  expect({ k, started: at.started.toSorted() }).toEqual({
    k,
    started: [
      ...['digits-train-0', 'digits-train-1', 'digits-train-1-r1'],
      ...['digits-train-final', 'digits-train-final-r1'],
    ],
  });
  const [best] = (await at.rows()).toSorted((a, b) => (b.values[0] ?? 0) - (a.values[0] ?? 0));
  const final = (await at.runs.list()).find(({ name }) => name === 'digits-train-final');
  expect(final).toMatchObject({
    status: 'FINISHED',
    params: { lr: best?.assignments[0]?.value },
  });
  expect((await at.rows()).map(({ number, told }) => [number, told])).toEqual([
    [0, true],
    [1, true],
  ]);
  expect(at.search.draws).toBe(2);
  expect(at.search.outcomes()).toHaveLength(2);
  expect(await at.world.list(JOB)).toEqual([]);
  expect(await at.ready()).toMatch(/^True Registered/);
  expect(await at.status()).toMatchObject({
    trials: 2,
    trialsSucceeded: 2,
    trialsFailed: 0,
    currentOptimalTrial: { runId: best?.runId },
    finalTraining: {
      ...{ trialName: 'digits-train-final-r1', runId: final?.runId },
      ...{ state: 'Succeeded', attempts: 2 },
    },
  });
  const versions = await at.world.list<ModelVersion>(MODEL_VERSION);
  expect(versions.map(({ spec }) => spec.source?.runId)).toEqual([final?.runId]);
};

const expectSingle = async (at: SearchWorld, k: number): Promise<void> => {
  const rows = await at.rows();
  expect({ k, rows: rows.map(({ phase, told, values }) => [phase, told, values]) }).toEqual({
    k,
    rows: [['complete', true, [0.5]]],
  });
  expect(at.started).toEqual(['digits-train-0']);
  const [run] = await at.runs.list();
  expect(run).toMatchObject({ status: 'FINISHED', image: `trainer@sha256:${'d'.repeat(64)}` });
  expect((await at.runs.metricHistory(run?.runId ?? '', 'accuracy')).metrics).toHaveLength(1);
  expect(await at.ready()).toMatch(/^True Complete: The training finished with accuracy = 0.5/);
};

const FAULTS: readonly (readonly [string, (k: number) => Faults])[] = [
  ['whose operator is killed at any call', (k) => new Mortal(k)],
  ['that gets no answer at any call', (k) => new Outage(k)],
];

describe.each(FAULTS)('a search %s', (_what, faultAt) => {
  test('asks, starts, tells and registers everything once', async () => {
    // As many calls as there are for the fault to come at.
    expect(await everywhere(REGISTERED, faultAt, expectWhole)).toBeGreaterThan(90);
  }, 120_000);

  test('prunes, fails and reads logs once', async () => {
    expect(await everywhere(MIXED, faultAt, expectMixed)).toBeGreaterThan(75);
  }, 120_000);

  test('trains once more on the best parameters, and registers that', async () => {
    expect(await everywhere(RETRAINED, faultAt, expectRetrained)).toBeGreaterThan(120);
  }, 120_000);

  test('or a single training reads its log and ends once', async () => {
    expect(await everywhere(SINGLE, faultAt, expectSingle)).toBeGreaterThan(25);
  }, 120_000);

  test('draws the same parameters as one without a fault', async () => {
    const drawn = async (k: number) =>
      (await (await live(REGISTERED, faultAt(k))).rows()).map(({ assignments }) => assignments);
    const clean = await drawn(Number.POSITIVE_INFINITY);
    for (const k of [5, 17, 40, 77, 95]) expect(await drawn(k)).toEqual(clean);
  });
});
