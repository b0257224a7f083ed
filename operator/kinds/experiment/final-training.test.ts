import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Experiment } from '../../../crds/schema/experiment.ts';
import { modelVersion, type ModelVersion } from '../../../crds/schema/model-version.ts';
import { LABELS } from '../../../crds/schema/names.ts';
import { JOB } from '../../runtime/kubernetes-types.ts';
import { ownType } from '../../runtime/own-type.ts';
import { aRegister, aTemplate } from '../testing/an-experiment.ts';
import { conditionOf } from '../testing/builders.ts';
import { key, keysOf } from '../testing/world.ts';
import { EXPERIMENT, NAME, SearchWorld } from './testing/search-world.ts';

const MODEL_VERSION = ownType(modelVersion);
const FINAL = 'digits-train-final';
type Register = NonNullable<Experiment['spec']['register']>;

let at: SearchWorld;
beforeEach(() => {
  at = new SearchWorld();
});

/** A search of two trials is over; trial 1 was better. */
const searched = async (
  register: Partial<Register> = {},
  spec: Partial<Experiment['spec']> = {},
): Promise<void> => {
  await at.create({
    ...{ maxTrialCount: 2, parallelTrialCount: 2, ...spec },
    register: aRegister({ retrain: {}, ...register }),
  });
  await at.pass();
  await at.train('digits-train-0', { accuracy: 0.7 });
  await at.train('digits-train-1', { accuracy: 0.9 });
  await at.passes(1);
};

const final = async () => (await at.runs.list()).find(({ name }) => name === FINAL);
const jobs = async () => keysOf(await at.world.list(JOB));
const versions = () => at.world.list<ModelVersion>(MODEL_VERSION);
const said = (reason: string) => at.world.events.filter((event) => event.reason === reason);

const verified = async (): Promise<void> => {
  for (const { metadata } of await versions())
    await at.world.change(MODEL_VERSION, key(metadata.name), '/status', {
      conditions: [conditionOf('Ready', 'True', 'Ready')],
    });
  await at.passes(1);
};

/** The final training logs this, leaves a model and is complete. */
const trained = async (metrics: Readonly<Record<string, number>>): Promise<void> => {
  const runId = (await final())?.runId ?? '';
  async function* bytes(): AsyncIterable<Uint8Array> {
    yield Buffer.from('final');
  }
  await at.artifacts.put(`demo/runs/${runId}/artifacts/model.onnx`, bytes(), { maxBytes: 100 });
  await at.train(FINAL, metrics);
  await at.passes(2);
};

describe('register.retrain', () => {
  test('trains on the best parameters after the search, and says so', async () => {
    await searched();
    const [, best] = await at.rows();
    const job = await at.job(FINAL);
    expect(job.metadata.labels).toMatchObject({
      [LABELS.trial]: 'final',
      [LABELS.runId]: (await final())?.runId,
    });
    expect(await final()).toMatchObject({
      status: 'RUNNING',
      params: { lr: best?.assignments[0]?.value },
    });
    expect(await at.ready()).toBe(
      'Unknown FinalTrainingRunning: The final training on the best parameters is under way: Job digits-train-final has no pod yet. 2 of 2 trials started, 0 under way, 2 finished. The best accuracy is 0.9 (trial 1).',
    );
    expect(await at.status()).toMatchObject({
      ...{ trials: 2, trialsRunning: 0, trialsSucceeded: 2 },
      currentOptimalTrial: { bestTrialName: 'digits-train-1' },
      finalTraining: { trialName: FINAL, state: 'Running', attempts: 1 },
    });
    expect(said('FinalTrainingStarted').map(({ message }) => message)).toEqual([
      `Started the final training as Job digits-train-final, on the parameters of trial 1: lr = ${best?.assignments[0]?.value ?? ''}.`,
    ]);
  });

  test('registers the run of the final training, with its parameters and metrics', async () => {
    await searched();
    await trained({ accuracy: 0.95 });
    await verified();
    const [, best] = await at.rows();
    const [version] = await versions();
    expect(version?.spec).toMatchObject({
      source: { runId: (await final())?.runId, parameters: best?.assignments, seed: '7' },
      metrics: [{ name: 'accuracy', value: 0.95 }],
    });
    expect(await at.ready()).toMatch(/^True Registered/);
    expect(await at.status()).toMatchObject({
      registeredVersion: '1.0.0',
      finalTraining: { state: 'Succeeded' },
    });
    expect(said('FinalTrainingFinished')).toHaveLength(1);
    expect(await jobs()).toEqual([]);
    expect(await at.rows()).toHaveLength(2);
    expect(at.search.outcomes()).toHaveLength(2);
  });

  test('runs the Job it names, filled with the best parameters', async () => {
    const own = aTemplate({ args: ['--all', '${trialParameters.rate}', '${trialSpec.Name}'] });
    await searched(
      { retrain: { trialSpec: own.trialSpec } },
      {
        trialTemplate: { ...aTemplate(), trialParameters: [{ name: 'rate', reference: 'lr' }] },
      },
    );
    const lr = (await at.rows())[1]?.assignments[0]?.value;
    const [container] = (await at.job(FINAL)).spec.template.spec.containers;
    expect(container).toMatchObject({ args: ['--all', lr, FINAL] });
  });

  test('with a Job that cannot be filled starts no search', async () => {
    const own = aTemplate({ args: ['${trialParameters.depth}'] });
    await at.create({ register: aRegister({ retrain: { trialSpec: own.trialSpec } }) });
    await at.pass();
    expect(await at.ready()).toBe(
      'False InvalidTemplate: spec.register.retrain.trialSpec holds ${trialParameters.depth}, which has no value; add it to spec.trialTemplate.trialParameters or correct it.',
    );
    expect(await jobs()).toEqual([]);
  });

  test('does not start when the best trial does not pass the gate', async () => {
    await searched({ when: 'metrics.accuracy > 0.95' });
    expect(await at.ready()).toMatch(/^False GateRejected/);
    expect(at.started).toEqual(['digits-train-0', 'digits-train-1']);
  });

  test.each([
    ['a worse value of its own', { accuracy: 0.1 }, /^False GateRejected: The final training did/],
    ['another metric only', { loss: 0.1 }, /^True Registered/],
    ['nothing', {}, /^True Registered/],
  ])('judges the gate again by %s', async (_what, metrics, ready) => {
    await searched({ when: 'metrics.accuracy >= 0.9' });
    await trained(metrics);
    await verified();
    expect(await at.ready()).toMatch(ready);
  });

  test('waits while the Experiment is suspended', async () => {
    await at.create({ maxTrialCount: 1, register: aRegister({ retrain: {} }) });
    await at.pass();
    await at.world.change(EXPERIMENT, NAME, '/spec/suspend', true);
    await at.train('digits-train-0', { accuracy: 0.7 });
    await at.passes(1);
    expect(await at.ready()).toMatch(/^Unknown Suspended: .*the final training does not start/);
    await at.world.change(EXPERIMENT, NAME, '/spec/suspend', false);
    await at.passes(1);
    expect(await jobs()).toEqual([FINAL]);
  });

  test('once begun lets no further trial start', async () => {
    await searched();
    await at.world.change(EXPERIMENT, NAME, '/spec/maxTrialCount', 9);
    await at.passes(2);
    expect(at.started).toEqual(['digits-train-0', 'digits-train-1', FINAL]);
    await trained({ accuracy: 0.95 });
    await verified();
    expect(await at.ready()).toMatch(/^True Registered/);
  });

  test('reads metrics from its log', async () => {
    await searched();
    await at.pod(FINAL, { phase: 'Running' });
    at.logs.write(`${FINAL}-x`, '2026-03-01T12:00:01.5Z accuracy=0.97');
    await at.passes(1);
    expect((await final())?.metrics).toMatchObject([{ key: 'accuracy', value: 0.97 }]);
  });
});

describe('a final training that breaks', () => {
  const crash = {
    phase: 'Failed',
    containerStatuses: [
      {
        name: 'train',
        state: {
          terminated: { exitCode: 1, reason: 'Error', message: 'epoch 9\nValueError: nan' },
        },
      },
    ],
  };

  test('fails the Experiment, registers nothing, and says what to do', async () => {
    await searched();
    await at.pod(FINAL, crash);
    await at.end(FINAL, { type: 'Failed' });
    await at.passes(1);
    const [, best] = await at.rows();
    const words = await at.ready('Failed');
    expect(words).toMatch(
      /^True FinalTrainingFailed: The final training on the best parameters failed, so nothing was registered\. Error: Job digits-train-final failed: .*\nepoch 9\nValueError: nan What/s,
    );
    expect(words).toContain(
      `mlflow.register_model("runs:/${best?.runId ?? ''}/model.onnx", "digits")`,
    );
    expect(await versions()).toEqual([]);
    expect(await at.status()).toMatchObject({
      trialsFailed: 0,
      finalTraining: { state: 'Failed' },
    });
    expect((await final())?.status).toBe('FAILED');
    expect(said('FinalTrainingFailed')[0]?.message).toContain('ValueError: nan');
    expect(await jobs()).toEqual([]);
    await at.passes(2);
    expect(at.started).toHaveLength(3);
  });

  test('by the cluster is started again as retryPolicy says', async () => {
    await searched({}, { trialTemplate: { ...aTemplate(), retryPolicy: { limit: 1 } } });
    for (const name of [FINAL, `${FINAL}-r1`]) {
      await at.pod(name, { phase: 'Failed', reason: 'Evicted', message: 'low on memory' });
      await at.end(name, { type: 'Failed' });
      await at.passes(2);
    }
    expect(at.started.slice(2)).toEqual([FINAL, `${FINAL}-r1`]);
    expect(said('TrialRetried')[0]?.message).toContain('The final training is started again');
    expect(await at.ready()).toMatch(/^False FinalTrainingFailed: .*Evicted/);
    expect(await at.status()).toMatchObject({ finalTraining: { attempts: 2, state: 'Failed' } });
  });

  test('because somebody deleted its Job is started again', async () => {
    await searched();
    await at.world.cluster.delete(JOB, key(FINAL));
    await at.passes(2);
    expect(await jobs()).toEqual([`${FINAL}-r1`]);
  });

  test('that never pulls its image is given up with its pod', async () => {
    await searched({}, { trialTemplate: { ...aTemplate(), retryPolicy: { limit: 0 } } });
    const waiting = { reason: 'ImagePullBackOff' };
    await at.pod(FINAL, {
      phase: 'Pending',
      containerStatuses: [{ name: 'train', state: { waiting } }],
    });
    at.world.advance(700_000);
    await at.passes(1);
    expect(await at.ready()).toMatch(/^False FinalTrainingFailed: .*could not be pulled/);
    expect(await jobs()).toEqual([]);
  });
});
