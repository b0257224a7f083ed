import { beforeEach, describe, expect, test } from '@jest/globals';
import { ANNOTATIONS, LABELS } from '../../../crds/schema/names.ts';
import { modelVersion, type ModelVersion } from '../../../crds/schema/model-version.ts';
import { JOB } from '../../runtime/kubernetes-types.ts';
import { ownType } from '../../runtime/own-type.ts';
import { aRegister, aTemplate } from '../testing/an-experiment.ts';
import { key, keysOf } from '../testing/world.ts';
import { NoSearchEngine, type Study } from './search-engine.ts';
import { EXPERIMENT, NAME, SearchWorld } from './testing/search-world.ts';

let at: SearchWorld;
beforeEach(() => {
  at = new SearchWorld();
});

const jobs = async () => keysOf(await at.world.list(JOB));

describe('a search', () => {
  test('starts as many trials as may run at once, each with its parameters', async () => {
    await at.create({
      trialTemplate: {
        ...aTemplate({ args: ['--lr=${trialParameters.rate}', '${trialSpec.Name}'] }),
        trialParameters: [{ name: 'rate', reference: 'lr' }],
      },
    });
    await at.pass();
    expect(await jobs()).toEqual(['digits-train-0', 'digits-train-1']);
    const { metadata, spec } = await at.job('digits-train-1');
    const [row0, row1] = await at.rows();
    expect(row0?.number).toBe(0);
    const lr = row1?.assignments[0]?.value ?? '';
    expect(Number(lr)).toBeGreaterThanOrEqual(0.1);
    expect((spec.template.spec.containers[0] as { args?: unknown }).args).toEqual([
      `--lr=${lr}`,
      'digits-train-1',
    ]);
    expect(metadata.labels).toMatchObject({ [LABELS.trial]: '1', [LABELS.runId]: row1?.runId });
    expect(metadata.annotations?.[ANNOTATIONS.parameters]).toBe(
      JSON.stringify([{ name: 'lr', value: lr }]),
    );
    expect(await at.ready()).toBe(
      'Unknown TrialRunning: 2 of 5 trials started, 2 under way, 0 finished.',
    );
    expect(await at.status()).toMatchObject({ trials: 2, trialsRunning: 2 });
  });

  test('ends after maxTrialCount with the best trial in its status', async () => {
    await at.create({ parallelTrialCount: 1, maxTrialCount: 3 });
    for (const [number, accuracy] of [0.7, 0.9, 0.8].entries()) {
      await at.passes(1);
      await at.train(`digits-train-${number}`, { accuracy });
    }
    await at.passes(1);
    expect(await at.ready()).toBe(
      'True MaxTrialsReached: As many trials ran as spec.maxTrialCount allows. 3 of 3 trials started, 0 under way, 3 finished. The best accuracy is 0.9 (trial 1). Nothing was to be registered.',
    );
    expect(await at.ready('Complete')).toMatch(/^True MaxTrialsReached/);
    expect(await at.status()).toMatchObject({
      trialsSucceeded: 3,
      currentOptimalTrial: {
        bestTrialName: 'digits-train-1',
        observation: { metrics: [{ name: 'accuracy', latest: '0.9', min: '0.9', max: '0.9' }] },
      },
    });
    expect(at.search.outcomes()).toEqual([
      { state: 'complete', values: [0.7] },
      { state: 'complete', values: [0.9] },
      { state: 'complete', values: [0.8] },
    ]);
    expect(await jobs()).toEqual([]);
  });

  test('starts no more once a trial reaches the goal, and lets the others end', async () => {
    const objective = { type: 'maximize', objectiveMetricName: 'accuracy', goal: 0.9 } as const;
    await at.create({ objective });
    await at.pass();
    await at.train('digits-train-0', { accuracy: 0.95 });
    await at.passes(1);
    expect(await jobs()).toEqual(['digits-train-1']);
    await at.train('digits-train-1', { accuracy: 0.5 });
    await at.passes(1);
    expect(await at.ready()).toMatch(/^True GoalReached: .*2 of 5 trials started/);
  });

  test('ends when the grid has no more', async () => {
    await at.create({
      algorithm: { algorithmName: 'grid' },
      parameters: [
        { name: 'lr', parameterType: 'discrete', feasibleSpace: { list: ['0.1', '0.2', '0.3'] } },
      ],
      maxTrialCount: 50,
    });
    for (let round = 0; round < 4; round += 1) {
      await at.passes(1);
      await at.trainAll();
    }
    expect(await at.ready()).toMatch(/^True SpaceExhausted: Every combination was tried. 3 of 50/);
    expect(at.started).toHaveLength(3);
  });

  test('minimizes the latest value where the strategy says so', async () => {
    const objective = {
      type: 'minimize',
      objectiveMetricName: 'loss',
      metricStrategies: [{ name: 'loss', value: 'latest' }],
    } as const;
    await at.create({ objective, maxTrialCount: 1, parallelTrialCount: 1 });
    await at.pass();
    const [row] = await at.rows();
    const points = [0.2, Number.NaN, 0.4].map((value, step) => ({
      ...{ key: 'loss', value, step, timestamp: 0 },
    }));
    await at.runs.logBatch(row?.runId ?? '', { metrics: points });
    await at.end('digits-train-0', { type: 'Complete' });
    await at.passes(1);
    expect((await at.rows())[0]?.values).toEqual([0.4]);
  });

  test('takes changes of its knobs while it runs', async () => {
    await at.create({ parallelTrialCount: 1, maxTrialCount: 1 });
    await at.pass();
    await at.world.change(EXPERIMENT, NAME, '/spec/maxTrialCount', 4);
    await at.world.change(EXPERIMENT, NAME, '/spec/parallelTrialCount', 3);
    await at.passes(1);
    expect(at.started).toEqual(['digits-train-0', 'digits-train-1', 'digits-train-2']);
    await at.world.change(EXPERIMENT, NAME, '/spec/suspend', true);
    await at.trainAll();
    await at.passes(1);
    expect(at.started).toHaveLength(3);
    expect(await at.ready()).toMatch(/^Unknown Suspended: .*3 of 4 trials started, 0 under way/);
  });

  test('is a template while it is suspended from the start', async () => {
    await at.create({ suspend: true });
    await at.pass();
    expect(await at.ready()).toMatch(
      /^Unknown Suspended: spec.suspend is true: this is a template/,
    );
    expect(at.search.studies.size).toBe(0);
  });

  test('starts nothing while the database is down', async () => {
    at.runs.down = true;
    await at.create();
    await at.pass();
    expect(await at.ready()).toMatch(/^Unknown StoreUnavailable/);
    expect(at.started).toEqual([]);
    expect(at.search.draws).toBeLessThanOrEqual(1);
    at.runs.down = false;
    await at.passes(1);
    expect(at.started).toEqual(['digits-train-0', 'digits-train-1']);
    expect(at.search.draws).toBe(2);
  });

  test('makes the best trial a version with its parameters and seed', async () => {
    await at.create({ register: aRegister(), parallelTrialCount: 1, maxTrialCount: 3 });
    for (let round = 0; round < 6; round += 1) {
      await at.passes(1);
      await at.trainAll();
    }
    const best = (await at.rows()).toSorted((a, b) => (b.values[0] ?? 0) - (a.values[0] ?? 0))[0];
    const [made] = await at.world.list<ModelVersion>(ownType(modelVersion));
    expect(made?.spec.source).toEqual({
      experimentRef: { name: 'digits-train' },
      runId: best?.runId,
      parameters: best?.assignments,
      seed: '7',
    });
    expect(await at.ready()).toMatch(/^Unknown Reconciling: .*ModelVersion digits-1.0.0 was made/);
  });

  test('registers nothing when the gate rejects the best trial', async () => {
    await at.create({ register: aRegister({ when: 'metrics.accuracy > 2.0' }), maxTrialCount: 2 });
    await at.pass();
    await at.trainAll();
    await at.passes(2);
    expect(await at.ready()).toMatch(/^False GateRejected/);
    expect(await at.ready('Complete')).toMatch(/^True GateRejected/);
  });
});

describe('Jobs of ended trials', () => {
  test('go after ttlSecondsAfterFinished', async () => {
    await at.create({ ttlSecondsAfterFinished: 60, maxTrialCount: 2 });
    await at.pass();
    await at.train('digits-train-0', { accuracy: 0.5 });
    await at.passes(1);
    expect(await jobs()).toEqual(['digits-train-0', 'digits-train-1']);
    at.world.advance(60_000);
    await at.pass();
    expect(await jobs()).toEqual(['digits-train-1']);
    await at.train('digits-train-1', { accuracy: 0.5 });
    await at.passes(1);
    expect(await at.ready()).toMatch(/^True MaxTrialsReached/);
    expect(await at.pass()).toEqual({ requeueAfterMs: 58_000 });
    at.world.advance(60_000);
    await at.pass();
    expect(await jobs()).toEqual([]);
  });

  test('stay where retain says so', async () => {
    await at.create({ trialTemplate: { ...aTemplate(), retain: true }, maxTrialCount: 2 });
    await at.pass();
    await at.trainAll();
    await at.passes(2);
    expect(await at.ready()).toMatch(/^True/);
    expect(await jobs()).toEqual(['digits-train-0', 'digits-train-1']);
  });
});

describe('several objectives', () => {
  test('show the Pareto front', async () => {
    await at.create({
      objective: {
        type: 'maximize',
        objectiveMetricName: 'accuracy',
        additionalObjectives: [{ name: 'size', type: 'minimize' }],
      },
      algorithm: { algorithmName: 'nsgaii' },
      parallelTrialCount: 4,
      maxTrialCount: 4,
    });
    await at.pass();
    await at.train('digits-train-0', { accuracy: 0.9, size: 10 });
    await at.train('digits-train-1', { accuracy: 0.8, size: 5 });
    await at.train('digits-train-2', { accuracy: 0.85, size: 12 });
    await at.train('digits-train-3', { accuracy: 0.8 });
    await at.passes(1);
    const status = await at.status();
    expect(status?.paretoFrontSize).toBe(2);
    expect(status?.paretoFront?.map(({ trialName, metrics }) => [trialName, metrics])).toEqual([
      [
        'digits-train-1',
        [
          { name: 'accuracy', latest: '0.8' },
          { name: 'size', latest: '5' },
        ],
      ],
      [
        'digits-train-0',
        [
          { name: 'accuracy', latest: '0.9' },
          { name: 'size', latest: '10' },
        ],
      ],
    ]);
    expect((await at.rows())[3]).toMatchObject({ phase: 'failed', reason: 'MetricMissing' });
  });
});

describe('the engine', () => {
  test('that does not answer stops new trials only', async () => {
    await at.create();
    await at.pass();
    at.search.down = true;
    await at.train('digits-train-0', { accuracy: 0.5 });
    await at.passes(1);
    expect(await at.ready()).toMatch(
      /^Unknown SearchEngineUnavailable: .*ECONNREFUSED.*1 under way, 1 finished/,
    );
    expect((await at.rows())[0]).toMatchObject({ phase: 'complete', told: false });
    at.search.down = false;
    await at.passes(1);
    expect((await at.rows())[0]).toMatchObject({ told: true });
    expect(at.started).toEqual(['digits-train-0', 'digits-train-1', 'digits-train-2']);
  });

  test('that is not installed is said to be so', async () => {
    at.search.ask = async () => Promise.reject(new NoSearchEngine());
    await at.create();
    await at.pass();
    expect(await at.ready()).toMatch(
      /^False SearchEngineUnavailable: This installation has no search engine: set hpo.enabled/,
    );
    expect(await at.rows()).toEqual([]);
  });

  test.each(['AlgorithmNotInstalled', 'InvalidAlgorithmSetting'] as const)(
    'that refuses with %s is repeated',
    async (reason) => {
      at.search.refusal = { state: 'refused', reason, message: 'gp needs torch.' };
      await at.create({ algorithm: { algorithmName: 'gp' } });
      await at.pass();
      expect(await at.ready()).toMatch(new RegExp(`^False ${reason}: gp needs torch.`));
      expect(at.started).toEqual([]);
    },
  );

  test('that lost its study gets it back from the rows', async () => {
    await at.create({ maxTrialCount: 6 });
    await at.pass();
    await at.trainAll();
    await at.passes(1);
    const before = await at.rows();
    at.search.studies.clear();
    await at.trainAll();
    await at.passes(3);
    await at.trainAll();
    await at.passes(2);
    const after = await at.rows();
    expect(after.slice(0, 4).map(({ assignments }) => assignments)).toEqual(
      before.map(({ assignments }) => assignments),
    );
    const [study] = [...at.search.studies.values()];
    expect(study?.map(({ assignments }) => assignments)).toEqual(
      after.map(({ assignments }) => assignments),
    );
    expect(at.search.outcomes()).toEqual(
      after.map(({ values }) => ({ state: 'complete', values: [...values] })),
    );
    expect(at.started).toHaveLength(6);
  });
});

describe('a study that was begun with another definition', () => {
  test('is made again from the rows', async () => {
    await at.create();
    await at.pass();
    const before = await at.rows();
    const name = `demo/digits-train/${await at.uid()}`;
    await at.search.forget(name);
    await at.search.ask({ ...OLDER, name }, 0);
    await at.trainAll();
    await at.passes(3);
    expect((await at.rows()).slice(0, 2).map(({ assignments }) => assignments)).toEqual(
      before.map(({ assignments }) => assignments),
    );
    const [study] = [...at.search.studies.values()];
    expect(study?.[0]?.assignments).toEqual(before[0]?.assignments);
    expect(at.search.outcomes().slice(0, 2)).toEqual(
      (await at.rows()).slice(0, 2).map(({ values }) => ({ state: 'complete', values })),
    );
  });

  /** As an operator might have written it that knew other settings. */
  const OLDER: Study = {
    name: '',
    directions: ['maximize'],
    algorithm: { name: 'random', settings: { older: 'true' } },
    parameters: [{ name: 'lr', type: 'double', min: '0.1', max: '0.9', step: '0.1' }],
    seed: 7,
  };
});

describe('a lost database', () => {
  test('is made again from Jobs, and no trial is started twice', async () => {
    await at.create({ maxTrialCount: 4 });
    await at.pass();
    await at.train('digits-train-0', { accuracy: 0.5 });
    await at.passes(1);
    const before = await at.rows();
    await at.runs.deleteExperimentRuns(await at.uid());
    at.trials.clear();
    at.search.studies.clear();
    await at.passes(3);
    const after = await at.rows();
    expect(after.map(({ number, phase }) => [number, phase])).toEqual([
      [0, 'stopped'],
      [1, 'open'],
      [2, 'open'],
    ]);
    expect(after[1]?.assignments).toEqual(before[1]?.assignments);
    expect(at.started).toEqual(['digits-train-0', 'digits-train-1', 'digits-train-2']);
    await at.trainAll();
    await at.passes(2);
    expect(at.started).toHaveLength(4);
  });
});

describe('a search that cannot be', () => {
  test('says so and asks nobody', async () => {
    await at.create({
      parameters: [
        { name: 'lr', parameterType: 'double', feasibleSpace: { min: '1', max: '1e999' } },
      ],
    });
    await at.pass();
    expect(await at.ready()).toMatch(
      /^False InvalidSearchSpace: spec.parameters\[0\] \(lr\) needs/,
    );
    expect(await at.ready('Stalled')).toMatch(/^True/);
  });

  test('names a placeholder without a value', async () => {
    await at.create({ trialTemplate: aTemplate({ args: ['${trialParameters.depth}'] }) });
    await at.pass();
    expect(await at.ready()).toMatch(/^False InvalidTemplate: .*trialParameters.depth/);
    expect(at.started).toEqual([]);
    expect(await at.rows()).toHaveLength(1);
  });

  test('deletes rows and study with the Experiment', async () => {
    await at.create();
    await at.pass();
    const uid = await at.uid();
    await at.world.cluster.delete(EXPERIMENT, NAME);
    await at.pass();
    expect(await at.world.get(EXPERIMENT, key('digits-train'))).toBeUndefined();
    expect((await at.trials.list(uid)).trials).toEqual([]);
    expect(at.search.studies.size).toBe(0);
    expect(await jobs()).toEqual([]);
  });

  test('waits a minute for the engine when it is deleted, and no longer', async () => {
    await at.create();
    await at.pass();
    at.search.down = true;
    await at.world.cluster.delete(EXPERIMENT, NAME);
    expect(await at.pass()).toEqual({ requeueAfterMs: 5_000 });
    at.world.advance(59_000);
    expect(await at.pass()).toEqual({ requeueAfterMs: 5_000 });
    expect(await at.rows()).toHaveLength(2);
    at.world.advance(1_000);
    await at.pass();
    expect(await at.world.get(EXPERIMENT, NAME)).toBeUndefined();
    expect(at.search.studies.size).toBe(1);
  });
});
