import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Experiment } from '../../../crds/schema/experiment.ts';
import { JOB } from '../../runtime/kubernetes-types.ts';
import type { Job } from '../kubernetes-objects.ts';
import { aTemplate, anExperiment } from '../testing/an-experiment.ts';
import { key } from '../testing/world.ts';
import { EXPERIMENT, SearchWorld } from './testing/search-world.ts';

const QUEUE = { 'kueue.x-k8s.io/queue-name': 'gpus' };
const JOB_NAME = key('digits-train-0');

let at: SearchWorld;
beforeEach(() => {
  at = new SearchWorld();
});

const single = async (job: object = {}, metadata: { labels?: Record<string, string> } = {}) => {
  const trialTemplate = aTemplate({}, job);
  await at.world.put<Experiment>(EXPERIMENT, anExperiment({ trialTemplate }, metadata));
  await at.pass();
};
const theJob = () => at.job('digits-train-0');
const theRun = async () => (await at.runs.list())[0];
/** As Kueue's webhook and the Job's controller leave it. */
const suspend = async (name = 'digits-train-0'): Promise<void> => {
  await at.world.change(JOB, key(name), '/spec/suspend', true);
  await at.world.change(JOB, key(name), '/status', {
    conditions: [{ type: 'Suspended', status: 'True' }],
  });
};
const admit = async (name = 'digits-train-0'): Promise<void> => {
  await at.world.change(JOB, key(name), '/spec/suspend', false);
  await at.world.change(JOB, key(name), '/status', {
    conditions: [{ type: 'Suspended', status: 'False' }],
  });
};

describe("a training's Job in a queue", () => {
  test('has the labels of its queue from the Experiment, and no other label of it', async () => {
    const labels = { ...QUEUE, 'kueue.x-k8s.io/priority-class': 'low', team: 'vision' };
    await single({}, { labels });
    const its = (await theJob()).metadata.labels;
    expect(its).toMatchObject({ ...QUEUE, 'kueue.x-k8s.io/priority-class': 'low' });
    expect(its).not.toHaveProperty('team');
  });

  test('has those of the trialSpec rather than those of the Experiment', async () => {
    const { trialSpec, ...template } = aTemplate();
    const labels = { 'kueue.x-k8s.io/queue-name': 'cpus' };
    const trialTemplate = { ...template, trialSpec: { ...trialSpec, metadata: { labels } } };
    const experiment = anExperiment({ trialTemplate }, { labels: QUEUE });
    await at.world.put<Experiment>(EXPERIMENT, experiment);
    await at.pass();
    expect((await theJob()).metadata.labels).toMatchObject(labels);
  });

  test('keeps suspend and managedBy of its author', async () => {
    await single({ suspend: true, managedBy: 'kueue.x-k8s.io/multikueue' });
    expect((await theJob()).spec).toMatchObject({
      suspend: true,
      managedBy: 'kueue.x-k8s.io/multikueue',
    });
    expect(await at.ready()).toBe(
      'Unknown Queued: Job digits-train-0 is suspended; it starts once its spec.suspend is false.',
    );
  });

  test('waits there, is left alone, and has not begun', async () => {
    await single({}, { labels: QUEUE });
    await suspend();
    await at.passes(3);
    expect((await theJob()).spec['suspend']).toBe(true);
    expect(await at.ready()).toBe(
      'Unknown Queued: Job digits-train-0 is suspended; it waits in its queue gpus (kubectl get workloads says for what).',
    );
    expect(await at.status()).toMatchObject({ trials: 1, trialsRunning: 0, trialsFailed: 0 });
    await admit();
    await at.pod('digits-train-0', { phase: 'Running' });
    await at.passes(1);
    expect(await at.ready()).toBe('Unknown TrialRunning: Job digits-train-0 is running.');
    expect((await theRun())?.status).toBe('RUNNING');
    expect(at.started).toEqual(['digits-train-0']);
  });

  test('has a run that begins when it is let in', async () => {
    await single({ suspend: true });
    expect((await theRun())?.status).toBe('SCHEDULED');
    await admit();
    await at.passes(1);
    expect((await theRun())?.status).toBe('RUNNING');
  });

  test('that is taken back there has not failed, though its pod was killed', async () => {
    await single({}, { labels: QUEUE });
    const killed = { exitCode: 143, reason: 'Error' };
    await at.pod('digits-train-0', {
      phase: 'Failed',
      containerStatuses: [{ name: 'train', state: { terminated: killed } }],
    });
    await suspend();
    await at.passes(1);
    expect(await at.ready()).toMatch(/^Unknown Queued/);
    expect(await at.ready('Failed')).toBeUndefined();
  });

  test('that runs in another cluster is running, and its failure is no lost pod', async () => {
    const trialTemplate = aTemplate({}, { managedBy: 'kueue.x-k8s.io/multikueue', suspend: true });
    await at.create({ trialTemplate, maxTrialCount: 1, parallelTrialCount: 1 });
    await at.pass();
    await at.world.change(JOB, JOB_NAME, '/status', { active: 1 });
    await at.passes(1);
    expect(await at.ready()).toMatch(/^Unknown TrialRunning: 1 of 1 trials started, 1 under way,/);
    await at.end('digits-train-0', { type: 'Failed' });
    await at.passes(1);
    expect((await at.rows())[0]).toMatchObject({ phase: 'failed', reason: 'Error', attempt: 0 });
  });
});

describe('a search in a queue', () => {
  test('hands all its trials to the queue and says how many wait', async () => {
    await at.create({ parallelTrialCount: 2, trialTemplate: aTemplate({}, { suspend: true }) });
    await at.passes(2);
    expect(at.started).toEqual(['digits-train-0', 'digits-train-1']);
    expect(await at.ready()).toBe(
      'Unknown Queued: 2 of 5 trials started, 2 under way (2 suspended, waiting in a queue), 0 finished.',
    );
    await admit();
    await at.passes(1);
    expect(await at.ready()).toBe(
      'Unknown TrialRunning: 2 of 5 trials started, 2 under way (1 suspended, waiting in a queue), 0 finished.',
    );
    expect((await at.world.list<Job>(JOB)).map(({ spec }) => spec['suspend'])).toEqual([
      false,
      true,
    ]);
  });
});
