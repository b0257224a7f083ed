import { beforeEach, describe, expect, test } from '@jest/globals';

import { experiment, type Experiment } from '../../../crds/schema/experiment.ts';
import { modelAlias, type ModelAlias } from '../../../crds/schema/model-alias.ts';
import { modelVersion, type ModelVersion } from '../../../crds/schema/model-version.ts';
import { model } from '../../../crds/schema/model.ts';
import { LABELS } from '../../../crds/schema/names.ts';
import {
  memoryArtifactStore,
  type MemoryArtifactStore,
} from '../../artifacts/memory-artifact-store.ts';
import { ApiError } from '../../runtime/cluster.ts';
import { CORE_EVENT, JOB, POD } from '../../runtime/kubernetes-types.ts';
import { MemoryPodLogs } from '../../runtime/memory-pod-logs.ts';
import { ownType } from '../../runtime/own-type.ts';
import type { Job } from '../kubernetes-objects.ts';
import { aRegister, aTemplate, anExperiment } from '../testing/an-experiment.ts';
import { aVersion, anAlias, conditionOf, DIGEST_A, someDefaults } from '../testing/builders.ts';
import { FaultyRuns } from '../testing/faulty-runs.ts';
import { Crash, CrashAfterWrite } from '../testing/faults.ts';
import { key, keysOf, World } from '../testing/world.ts';
import { artifactTagKey, artifactTagValue } from './artifact-record.ts';
import { MemorySearchEngine } from './memory-search-engine.ts';
import { MemoryTrialStore } from './memory-trial-store.ts';
import { experimentReconciler } from './reconcile.ts';

const EXPERIMENT = ownType(experiment);
const MODEL = ownType(model);
const MODEL_VERSION = ownType(modelVersion);
const MODEL_ALIAS = ownType(modelAlias);
const NAME = key('digits-train');
const JOB_NAME = key('digits-train-0');

let world: World;
let artifacts: MemoryArtifactStore;
let runs: FaultyRuns;

const begin = (): void => {
  artifacts = memoryArtifactStore();
  runs = new FaultyRuns();
  const trials = new MemoryTrialStore(runs);
  const [search, logs] = [new MemorySearchEngine(), new MemoryPodLogs()];
  const ports = { artifacts, runs, trials, search, logs, children: someDefaults() };
  world = new World([experimentReconciler(ports)]);
};

beforeEach(begin);

const create = (spec: Partial<Experiment['spec']> = {}) =>
  world.put<Experiment>(EXPERIMENT, anExperiment(spec));
const pass = () => world.reconcile(EXPERIMENT, NAME);
const ready = () => world.condition(EXPERIMENT, NAME);
const statusOf = async () => (await world.get<Experiment>(EXPERIMENT, NAME))?.status;
const theRun = async () => {
  const [run] = await runs.list();
  if (run === undefined) throw new Error('no run');
  return run;
};

async function* chunksOf(text: string): AsyncIterable<Uint8Array> {
  yield Buffer.from(text);
}

/** The training logs its results and uploads its model. */
const train = async (
  metrics: Readonly<Record<string, number>> = { accuracy: 0.97 },
  file: string | undefined = 'model.onnx',
): Promise<void> => {
  const { runId } = await theRun();
  await runs.log(runId, metrics);
  if (file === undefined) return;
  const at = `demo/runs/${runId}/artifacts/${file}`;
  await artifacts.put(at, chunksOf(`bytes of ${file}`), { maxBytes: 1e6 });
};

const endJob = async (type: 'Complete' | 'Failed', message = ''): Promise<void> => {
  await world.change(JOB, JOB_NAME, '/status', {
    completionTime: '2026-03-01T12:05:00Z',
    conditions: [{ type, status: 'True', message, lastTransitionTime: '2026-03-01T12:05:00Z' }],
  });
};

const putPod = async (status: object): Promise<void> => {
  const job = await world.get<Job>(JOB, JOB_NAME);
  await world.put(POD, {
    metadata: {
      name: 'digits-train-0-x',
      namespace: 'demo',
      labels: { [LABELS.experiment]: 'digits-train' },
      ownerReferences: [
        { apiVersion: 'batch/v1', kind: 'Job', name: 'digits-train-0', uid: job?.metadata.uid },
      ],
    },
    status,
  });
};

/** Every ModelVersion that was made turns out good. */
const verifyVersions = async (): Promise<void> => {
  for (const { metadata } of await world.list<ModelVersion>(MODEL_VERSION)) {
    await world.change(MODEL_VERSION, key(metadata.name), '/status', {
      conditions: [conditionOf('Ready', 'True', 'Ready')],
    });
  }
};

describe('an Experiment without parameters', () => {
  test('starts one tracked Job', async () => {
    await create();
    await pass();
    await pass();
    const jobs = await world.list<Job>(JOB);
    expect(keysOf(jobs)).toEqual(['digits-train-0']);
    expect(jobs[0]?.metadata.labels).toMatchObject({
      [LABELS.experiment]: 'digits-train',
      [LABELS.trial]: '0',
      [LABELS.runId]: (await theRun()).runId,
    });
    expect(await ready()).toBe('Unknown TrialRunning: Job digits-train-0 has no pod yet.');
    expect(await statusOf()).toMatchObject({ trials: 1, trialsRunning: 1 });
    expect((await theRun()).status).toBe('RUNNING');
    expect(world.events).toContainEqual(expect.objectContaining({ reason: 'TrialStarted' }));
  });

  test('says that the Job runs when its pod does', async () => {
    await create();
    await pass();
    await putPod({ phase: 'Running' });
    await pass();
    expect(await ready()).toBe('Unknown TrialRunning: Job digits-train-0 is running.');
  });

  test('is complete when the Job is, with the metrics it logged, the objective first', async () => {
    await create({ objective: { type: 'maximize', objectiveMetricName: 'accuracy' } });
    await pass();
    await train({ a_loss: 0.1, accuracy: 0.97 });
    await endJob('Complete');
    await pass();
    expect(await ready()).toBe(
      'True Complete: The training finished with accuracy = 0.97. Nothing was to be registered.',
    );
    expect(await world.condition(EXPERIMENT, NAME, 'Complete')).toMatch(/^True/);
    expect(await statusOf()).toMatchObject({
      trialsSucceeded: 1,
      trialsRunning: 0,
      completionTime: '2026-03-01T12:05:00Z',
      currentOptimalTrial: {
        bestTrialName: 'digits-train-0',
        observation: {
          metrics: [
            { name: 'accuracy', latest: '0.97' },
            { name: 'a_loss', latest: '0.1' },
          ],
        },
      },
    });
    expect((await theRun()).status).toBe('FINISHED');
  });

  test('fails in the words of its container', async () => {
    await create();
    await pass();
    await putPod({
      phase: 'Failed',
      containerStatuses: [
        {
          name: 'train',
          state: {
            terminated: {
              exitCode: 3,
              reason: 'Error',
              message: 'Traceback\nValueError: no data\n',
            },
          },
        },
      ],
    });
    await endJob('Failed', 'Job has reached the specified backoff limit');
    await pass();
    expect(await ready()).toBe(
      'False TrialFailed: Job digits-train-0 failed: container train ended with Error, exit code 3: ValueError: no data. See kubectl logs job/digits-train-0 -n demo.',
    );
    expect(await world.condition(EXPERIMENT, NAME, 'Failed')).toMatch(/^True/);
    expect(await statusOf()).toMatchObject({ trialsFailed: 1, trialsSucceeded: 0 });
    expect((await theRun()).status).toBe('FAILED');
  });

  test('fails when the objective was never logged, naming what was', async () => {
    await create({ objective: { type: 'maximize', objectiveMetricName: 'f1' } });
    await pass();
    await train({ accuracy: 0.97 });
    await endJob('Complete');
    await pass();
    expect(await ready()).toMatch(/^False MetricMissing: .*no metric f1.*it logged accuracy/);
  });

  test('starts nothing while the database is down, and goes on by itself', async () => {
    runs.down = true;
    await create();
    expect(await pass()).toEqual({ requeueAfterMs: 10_000 });
    expect(await ready()).toMatch(/^Unknown StoreUnavailable/);
    expect(await world.list(JOB)).toEqual([]);
    runs.down = false;
    await pass();
    expect(keysOf(await world.list(JOB))).toEqual(['digits-train-0']);
  });

  test('starts nothing when it is being deleted and does not see that yet', async () => {
    await create();
    const { uid = '' } = (await world.get(EXPERIMENT, NAME))?.metadata ?? {};
    await runs.closeExperiment(uid);
    expect(await pass()).toEqual({ requeueAfterMs: 5_000 });
    expect(await world.list(JOB)).toEqual([]);
    expect(await runs.list()).toHaveLength(0);
  });

  test('does not start again when its Job is gone after the run ended', async () => {
    await create();
    await pass();
    await train();
    await runs.finishRun((await theRun()).runId, 'FINISHED', world.now().getTime());
    await world.cluster.delete(JOB, JOB_NAME);
    await pass();
    expect(await ready()).toMatch(/^True Complete/);
    expect(await world.list(JOB)).toEqual([]);
  });

  test('stays finished, whatever happens to its Job and its run', async () => {
    await create();
    await pass();
    await endJob('Complete');
    await pass();
    await world.cluster.delete(JOB, JOB_NAME);
    await runs.deleteExperimentRuns((await theRun()).experiment.uid);
    await pass();
    expect(await ready()).toMatch(/^True Complete/);
    expect(await world.list(JOB)).toEqual([]);
  });

  test('is a template while it is suspended', async () => {
    await create({ suspend: true });
    await pass();
    expect(await ready()).toMatch(/^Unknown Suspended/);
    expect(await runs.list()).toHaveLength(0);
    await world.change(EXPERIMENT, NAME, '/spec/suspend', false);
    await pass();
    expect(keysOf(await world.list(JOB))).toEqual(['digits-train-0']);
  });

  test.each([
    ['hostNetwork', { hostNetwork: true }],
    ['a hostPath (volume root)', { volumes: [{ name: 'root', hostPath: { path: '/' } }] }],
    [
      'securityContext.privileged (container train)',
      { containers: [{ name: 'train', securityContext: { privileged: true } }] },
    ],
  ])('refuses a template that asks for %s', async (what, pod) => {
    const containers = [{ name: 'train', image: 'trainer:1' }];
    const trialTemplate = aTemplate({}, { template: { spec: { containers, ...pod } } });
    await create({ trialTemplate });
    await pass();
    expect(await ready()).toContain(`trialSpec asks for ${what}, which no trial gets`);
    expect(await world.list(JOB)).toEqual([]);
  });

  test('refuses a template without containers', async () => {
    const trialTemplate = aTemplate({}, { template: { spec: { containers: [] } } });
    await create({ trialTemplate });
    await pass();
    expect(await ready()).toMatch(/^False InvalidTemplate: .*containers is missing or empty/);
  });

  test.each([
    [
      422,
      'Invalid',
      'Job is invalid: spec.template.spec.containers[0].image: Required',
      'InvalidTemplate',
    ],
    [403, 'Forbidden', 'exceeded quota: compute, requested: count/jobs.batch=1', 'QuotaExceeded'],
    [403, 'Forbidden', 'admission webhook denied the request', 'Forbidden'],
  ])('repeats what the API server says of the Job (%d)', async (code, reason, words, want) => {
    world.through = (cluster) => ({
      get: (type, at) => cluster.get(type, at),
      list: (type, options) => cluster.list(type, options),
      watch: (type, options) => cluster.watch(type, options),
      apply: (type, object, options) => cluster.apply(type, object, options),
      patch: (type, at, operations, options) => cluster.patch(type, at, operations, options),
      delete: (type, at, options) => cluster.delete(type, at, options),
      create: async () => {
        throw new ApiError(code, reason, words);
      },
    });
    await create();
    await pass();
    expect(await ready()).toBe(`False ${want}: Job digits-train-0 cannot be created: ${words}`);
    expect(await world.condition(EXPERIMENT, NAME, 'Stalled')).toMatch(/^True/);
  });

  test.each([
    ['exceeded quota: compute, requested: memory=1Gi', 'QuotaExceeded'],
    ['violates PodSecurity "restricted:latest"', 'InvalidTemplate'],
  ])('says why its Job has no pod: %s', async (note, want) => {
    await create();
    await pass();
    const job = await world.get<Job>(JOB, JOB_NAME);
    await world.put(CORE_EVENT, {
      metadata: { name: 'e1', namespace: 'demo' },
      reason: 'FailedCreate',
      message: `Error creating: pods "digits-train-0-" is forbidden: ${note}`,
      involvedObject: { uid: job?.metadata.uid },
    });
    expect(await pass()).toEqual({ requeueAfterMs: 30_000 });
    expect(await ready()).toMatch(new RegExp(`^False ${want}`));
    expect(await ready()).toContain(note);
    await putPod({ phase: 'Running' });
    await pass();
    expect(await ready()).toMatch(/^Unknown TrialRunning/);
  });

  test.each(['Complete', 'Failed'] as const)(
    'that is %s when it is first looked at has a beginning too',
    async (end) => {
      await create();
      await pass();
      await world.change(EXPERIMENT, NAME, '/status', {});
      await endJob(end);
      await pass();
      expect((await statusOf())?.startTime).toMatch(/^2026-03-01T12:0/);
    },
  );

  test('deletes its Job after ttlSecondsAfterFinished, not its result', async () => {
    await create({ ttlSecondsAfterFinished: 600 });
    await pass();
    await endJob('Complete');
    expect(await pass()).toEqual({ requeueAfterMs: 600_000 });
    expect(await pass()).toEqual({ requeueAfterMs: 900_000 });
    world.advance(901_000);
    await pass();
    expect(await world.list(JOB)).toEqual([]);
    expect(await ready()).toMatch(/^True Complete/);
    expect(await runs.list()).toHaveLength(1);
  });
});

describe('registering the run', () => {
  const finish = async (
    spec: Partial<Experiment['spec']>,
    ...results: Parameters<typeof train>
  ) => {
    await create(spec);
    await pass();
    await train(...results);
    await endJob('Complete');
    await pass();
    await pass();
  };

  test('makes the first version, its Model and the alias', async () => {
    await finish({ register: aRegister({ tags: { stage: 'candidate' } }) });
    expect(await ready()).toMatch(/^Unknown Reconciling: ModelVersion digits-1.0.0 was made/);
    expect(await world.list(MODEL_ALIAS)).toEqual([]);
    const [made] = await world.list<ModelVersion>(MODEL_VERSION);
    const { runId } = await theRun();
    expect(made?.metadata).toMatchObject({
      name: 'digits-1.0.0',
      labels: { [LABELS.model]: 'digits', [LABELS.runId]: runId },
    });
    expect(made?.metadata.ownerReferences).toBeUndefined();
    expect(made?.spec).toEqual({
      modelRef: { name: 'digits' },
      version: '1.0.0',
      storageUri: `s3://mlops/demo/models/digits/1.0.0/${runId}/model.onnx`,
      modelFormat: { name: 'onnx' },
      verification: {
        digest: 'sha256:c103b443fbbcb0e60b247d0ccd9c3983b35a00d4f6e760f4aa99fad764fff05c',
      },
      source: { experimentRef: { name: 'digits-train' }, runId },
      metrics: [{ name: 'accuracy', value: 0.97 }],
      tags: { stage: 'candidate' },
      deletionPolicy: 'Delete',
    });
    expect(await artifacts.stat(`demo/models/digits/1.0.0/${runId}/model.onnx`)).toBeDefined();
    expect(keysOf(await world.list(MODEL))).toEqual(['digits']);
    await verifyVersions();
    await pass();
    expect(await ready()).toBe(
      'True Registered: The training finished. It is version 1.0.0 of Model digits. Alias champion names it.',
    );
    expect(await statusOf()).toMatchObject({ registeredVersion: '1.0.0' });
    const [alias] = await world.list<ModelAlias>(MODEL_ALIAS);
    expect(alias?.spec).toMatchObject({ alias: 'champion', version: '1.0.0' });
  });

  test('takes the digest that was recorded during the upload', async () => {
    await create({ register: aRegister() });
    await pass();
    await train();
    const record = { path: 'model.onnx', digest: DIGEST_A, sizeBytes: 1 };
    await runs.log(
      (await theRun()).runId,
      {},
      { [artifactTagKey('model.onnx')]: artifactTagValue(record) },
    );
    await endJob('Complete');
    await pass();
    await pass();
    const [made] = await world.list<ModelVersion>(MODEL_VERSION);
    expect(made?.spec.verification?.digest).toBe(DIGEST_A);
  });

  test('raises the highest version there is, Ready or not', async () => {
    await world.put(MODEL_VERSION, aVersion('1.4.0', { name: 'old' }));
    await finish({ register: aRegister({ bump: 'patch' }) });
    expect(keysOf(await world.list(MODEL_VERSION))).toContain('digits-1.4.1');
  });

  test('skips a version whose object name another Model has taken', async () => {
    await world.put(MODEL_VERSION, aVersion('7.0.0', { name: 'digits-1.0.0', model: 'other' }));
    await finish({ register: aRegister() });
    expect(keysOf(await world.list(MODEL_VERSION))).toContain('digits-1.1.0');
  });

  test('registers a folder with the digest of its list of files', async () => {
    await create({
      register: aRegister({ artifactPath: 'export', modelFormat: { name: 'mlflow' } }),
    });
    await pass();
    await train({}, 'export/MLmodel');
    await train({}, 'export/data/weights.bin');
    await endJob('Complete');
    await pass();
    await pass();
    const [made] = await world.list<ModelVersion>(MODEL_VERSION);
    expect(made?.spec.storageUri).toBe(
      `s3://mlops/demo/models/digits/1.0.0/${(await theRun()).runId}/`,
    );
    expect(
      await artifacts.stat(`demo/models/digits/1.0.0/${(await theRun()).runId}/data/weights.bin`),
    ).toBeDefined();
  });

  test('does not happen when the gate is false', async () => {
    await finish({ register: aRegister({ when: 'metrics.accuracy >= 0.99' }) });
    expect(await ready()).toMatch(/^False GateRejected: .*accuracy = 0.97/);
    expect(await world.condition(EXPERIMENT, NAME, 'Complete')).toMatch(/^True GateRejected/);
    expect(await world.list(MODEL_VERSION)).toEqual([]);
  });

  test('does not happen when the run logged no such artifact, and says what it logged', async () => {
    await finish({ register: aRegister() }, { accuracy: 0.9 }, 'other.txt');
    expect(await ready()).toMatch(/^False RegistrationFailed: .*no artifact model.onnx.*other.txt/);
  });

  test('is refused for a Model of another namespace', async () => {
    const modelRef = { name: 'digits', namespace: 'team-b' };
    await finish({ register: aRegister({ modelRef }) });
    expect(await ready()).toMatch(/^False NotShared/);
  });

  test('ends badly when the version turns out unusable', async () => {
    await finish({ register: aRegister() });
    await world.change(MODEL_VERSION, key('digits-1.0.0'), '/status', {
      conditions: [
        conditionOf('Ready', 'False', 'InvalidModel', 'not ONNX'),
        conditionOf('Stalled', 'True', 'InvalidModel'),
      ],
    });
    await pass();
    expect(await ready()).toMatch(/^False RegistrationFailed: .*InvalidModel: not ONNX/);
    expect(await world.list(MODEL_ALIAS)).toEqual([]);
  });

  test.each([
    ['IfUnset', {}, '0.9.0', /stays at 0.9.0/],
    ['Always', {}, '1.0.0', /moved from 0.9.0 to/],
    ['Always', { pinned: true }, '0.9.0', /is pinned to 0.9.0/],
  ] as const)('with an alias there already: %s %j', async (move, alias, want, words) => {
    await world.put(MODEL_ALIAS, anAlias('champion', '0.9.0', alias));
    await finish({ register: aRegister({ alias: { name: 'champion', move } }) });
    await verifyVersions();
    await pass();
    const [found] = await world.list<ModelAlias>(MODEL_ALIAS);
    expect(found?.spec.version).toBe(want);
    expect(await ready()).toMatch(words);
  });
});

describe('deleting an Experiment', () => {
  test('deletes runs and their artifacts, but no registered version', async () => {
    await create({ register: aRegister() });
    await pass();
    await train();
    await endJob('Complete');
    await pass();
    await pass();
    const { runId } = await theRun();
    await world.cluster.delete(EXPERIMENT, NAME);
    await pass();
    expect(await world.get(EXPERIMENT, NAME)).toBeUndefined();
    expect(await runs.list()).toHaveLength(0);
    expect(await artifacts.stat(`demo/runs/${runId}/artifacts/model.onnx`)).toBeUndefined();
    expect(await artifacts.stat(`demo/models/digits/1.0.0/${runId}/model.onnx`)).toBeDefined();
    expect(keysOf(await world.list(MODEL_VERSION))).toEqual(['digits-1.0.0']);
    expect(await world.list(JOB)).toEqual([]);
  });

  test('waits until its pods have ended, so that nothing is logged any more', async () => {
    await create();
    await pass();
    await putPod({ phase: 'Running' });
    await world.cluster.delete(EXPERIMENT, NAME);
    expect(await pass()).toEqual({ requeueAfterMs: 5_000 });
    expect(await runs.list()).toHaveLength(1);
    await world.cluster.delete(POD, key('digits-train-0-x'));
    await pass();
    expect(await world.get(EXPERIMENT, NAME)).toBeUndefined();
  });
});

describe('killed after any write', () => {
  /** Runs the whole way, restarting after the crash, as the cluster and the training go on. */
  const runThrough = async (crash: CrashAfterWrite): Promise<boolean> => {
    begin();
    world.through = crash.around;
    runs.wrote = () => crash.wrote();
    const copy = artifacts.copy.bind(artifacts);
    artifacts.copy = async (from, to) => {
      await copy(from, to);
      crash.wrote();
    };
    await create({ register: aRegister() });
    let crashed = false;
    for (let round = 0; round < 12; round += 1) {
      try {
        await pass();
      } catch (error) {
        if (!(error instanceof Crash)) throw error;
        crashed = true;
        world.restart();
      }
      await goOn();
    }
    return crashed;
  };

  const goOn = async (): Promise<void> => {
    const job = await world.get<Job>(JOB, JOB_NAME);
    if (job !== undefined && job.status === undefined) {
      await train();
      await endJob('Complete');
    }
    await verifyVersions();
  };

  test('ends with exactly one Job, one ModelVersion and one alias', async () => {
    let at = 1;
    while (await runThrough(new CrashAfterWrite(at))) {
      expect(await ready()).toMatch(/^True Registered/);
      expect(keysOf(await world.list(JOB))).toEqual(['digits-train-0']);
      expect(keysOf(await world.list(MODEL_VERSION))).toEqual(['digits-1.0.0']);
      expect(keysOf(await world.list(MODEL_ALIAS))).toEqual(['digits-champion']);
      expect(await runs.list()).toHaveLength(1);
      at += 1;
    }
    expect(at).toBeGreaterThan(9);
  });
});
