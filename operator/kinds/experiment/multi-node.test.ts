import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Experiment } from '../../../crds/schema/experiment.ts';
import { LABELS } from '../../../crds/schema/names.ts';
import { ApiError } from '../../runtime/cluster.ts';
import { CORE_EVENT, JOB, POD, SERVICE } from '../../runtime/kubernetes-types.ts';
import { anExperiment } from '../testing/an-experiment.ts';
import { key, keysOf } from '../testing/world.ts';
import { EXPERIMENT, SearchWorld } from './testing/search-world.ts';

const trainer = { numNodes: 2, numProcPerNode: 1, port: 29400 };

let at: SearchWorld;
beforeEach(() => {
  at = new SearchWorld();
});

const single = async (spec: Partial<Experiment['spec']> = {}): Promise<void> => {
  await at.world.put<Experiment>(EXPERIMENT, anExperiment({ trainer, ...spec }));
  await at.pass();
};
const search = async (): Promise<void> => {
  await at.create({ trainer, parallelTrialCount: 1, maxTrialCount: 2 });
  await at.pass();
};
const services = async () => keysOf(await at.world.list(SERVICE));
const theRun = async () => (await at.runs.list())[0];

/** The pod of one node, named `<job>-<node>-x`. */
const node = async (index: number, status: object, metadata: object = {}): Promise<void> => {
  const job = await at.job('digits-train-0');
  const name = `digits-train-0-${index}-x`;
  if ((await at.world.get(POD, key(name))) !== undefined)
    return at.world.change(POD, key(name), '/status', status);
  await at.world.put(POD, {
    metadata: {
      name,
      namespace: 'demo',
      labels: { [LABELS.experiment]: 'digits-train' },
      finalizers: ['batch.kubernetes.io/job-tracking'],
      annotations: { 'batch.kubernetes.io/job-completion-index': String(index) },
      ownerReferences: [
        { apiVersion: 'batch/v1', kind: 'Job', name: 'digits-train-0', uid: job.metadata.uid },
      ],
      ...metadata,
    },
    status,
  });
};

const died = (exitCode: number, second: number, more: object = {}) => ({
  phase: 'Failed',
  containerStatuses: [
    {
      name: 'train',
      state: { terminated: { exitCode, finishedAt: `2026-03-01T12:00:0${second}Z`, ...more } },
    },
  ],
});
const fail = () => at.end('digits-train-0', { type: 'Failed' });
const row = async () => (await at.rows())[0];

describe('a training on several nodes', () => {
  test('has a Service to meet at, which is mended, and goes when it has ended', async () => {
    await single();
    expect(await services()).toEqual(['digits-train-nodes']);
    await at.world.cluster.delete(SERVICE, key('digits-train-nodes'));
    await at.passes(1);
    expect(await services()).toEqual(['digits-train-nodes']);
    await at.end('digits-train-0', { type: 'Complete' });
    await at.passes(1);
    expect(await at.ready()).toMatch(/^True Complete/);
    expect(await services()).toEqual([]);
  });

  test('starts nothing where it may have no Service, and says so', async () => {
    const apply = at.world.cluster.apply.bind(at.world.cluster);
    at.world.cluster.apply = async (type, object, options) => {
      if (type.plural === 'services') throw new ApiError(403, 'Forbidden', 'exceeded quota: s');
      return apply(type, object, options);
    };
    await single();
    expect(await at.ready()).toMatch(
      /^False QuotaExceeded: Service digits-train-nodes, by which the nodes of a trial find one another, cannot be created: .*exceeded quota/,
    );
    expect(at.started).toEqual([]);
  });

  test('runs once all nodes are up', async () => {
    await single();
    await node(0, { phase: 'Running' });
    const waiting = { reason: 'ImagePullBackOff', message: 'not found' };
    const containerStatuses = [{ name: 'train', state: { waiting } }];
    await node(1, { phase: 'Pending', containerStatuses });
    await at.passes(1);
    expect(await at.ready()).toBe(
      'Unknown TrialRunning: Job digits-train-0 is starting, 1 of 2 nodes are up: node 1 of 2: container train waits: ImagePullBackOff: not found.',
    );
    await node(1, { phase: 'Running' });
    await at.passes(1);
    expect(await at.ready()).toBe(
      'Unknown TrialRunning: Job digits-train-0 is running on 2 nodes.',
    );
    await node(0, { phase: 'Succeeded' });
    await at.passes(1);
    expect(await at.ready()).toMatch(/^Unknown TrialRunning/);
  });

  test('says what refuses the pods it lacks', async () => {
    await single();
    await node(0, { phase: 'Running' });
    const { uid } = (await at.job('digits-train-0')).metadata;
    await at.world.put(CORE_EVENT, {
      metadata: { name: 'e', namespace: 'demo' },
      involvedObject: { uid },
      reason: 'FailedCreate',
      message: 'pods "x" is forbidden: exceeded quota: small',
      lastTimestamp: '2026-03-01T12:00:00Z',
    });
    await at.passes(1);
    expect(await at.ready()).toMatch(/^False QuotaExceeded: .*exceeded quota: small/);
  });

  test('fails when one node does, in the words of the one that failed first', async () => {
    await single();
    await node(0, died(1, 5, { message: 'RuntimeError: Connection closed by peer' }));
    await node(1, died(3, 4, { message: 'ValueError: no data' }));
    await fail();
    await at.passes(1);
    expect(await at.ready()).toBe(
      'False TrialFailed: Job digits-train-0 failed: node 1 of 2: container train ended with Error, exit code 3: ValueError: no data. See kubectl logs digits-train-0-1-x -n demo.',
    );
    expect(await services()).toEqual([]);
  });

  test('has failed although its first node said that the run is finished', async () => {
    await single();
    await at.runs.updateRun((await theRun())?.runId ?? '', { status: 'FINISHED', endTime: 1 });
    await node(0, { phase: 'Succeeded' });
    await node(1, died(1, 1));
    await fail();
    await at.passes(1);
    expect(await at.ready()).toMatch(/^False TrialFailed/);
    expect((await theRun())?.status).toBe('FAILED');
  });

  test('whose Job is gone is not finished because one node said so', async () => {
    await single();
    await at.runs.updateRun((await theRun())?.runId ?? '', { status: 'FINISHED', endTime: 1 });
    await at.world.cluster.delete(JOB, key('digits-train-0'));
    await at.passes(1);
    expect(await at.ready()).toMatch(/^Unknown TrialRunning/);
    expect(at.started).toEqual(['digits-train-0', 'digits-train-0']);
  });
});

describe('a trial of a search on several nodes', () => {
  test('is classed by the node that failed first, not by those that were removed for it', async () => {
    await search();
    const removed = { deletionTimestamp: '2026-03-01T12:00:05Z' };
    await node(0, died(137, 1, { reason: 'Error' }), removed);
    await node(1, died(137, 4, { reason: 'OOMKilled', message: 'epoch 1\nepoch 2' }));
    await fail();
    await at.passes(1);
    expect(await row()).toMatchObject({ phase: 'failed', reason: 'OutOfMemory' });
    expect((await row())?.message).toMatch(/node 1 of 2: container train.*\nepoch 1\nepoch 2/s);
  });

  test('is started again when one of its nodes was evicted before the others broke off', async () => {
    await search();
    const lastTransitionTime = '2026-03-01T12:00:02Z';
    const reason = 'EvictionByEvictionAPI';
    const conditions = [{ type: 'DisruptionTarget', status: 'True', reason, lastTransitionTime }];
    await node(0, died(1, 3));
    await node(1, { ...died(143, 6), conditions }, { deletionTimestamp: '2026-03-01T12:00:02Z' });
    await fail();
    await at.passes(1);
    expect(await row()).toMatchObject({ phase: 'open', attempt: 1, reason: 'Evicted' });
    expect(keysOf(await at.world.list(JOB))).toEqual(['digits-train-0-r1']);
  });

  test('is started again when a pod is gone and no other says why', async () => {
    await search();
    await node(0, { phase: 'Succeeded' });
    await fail();
    await at.passes(1);
    expect(await row()).toMatchObject({ attempt: 1, reason: 'PodLost' });
  });

  test('takes metrics from the log of node 0 alone', async () => {
    await search();
    await node(1, { phase: 'Running' });
    await node(0, { phase: 'Running' });
    at.logs.write('digits-train-0-1-x', '2026-03-01T12:00:01.1Z accuracy=0.1');
    at.logs.write('digits-train-0-0-x', '2026-03-01T12:00:01.1Z accuracy=0.9');
    await at.passes(1);
    await at.end('digits-train-0', { type: 'Complete' });
    await at.passes(1);
    expect(await row()).toMatchObject({ phase: 'complete', values: [0.9] });
    const { metrics } = await at.runs.metricHistory((await row())?.runId ?? '', 'accuracy');
    expect(metrics.map(({ value }) => value)).toEqual([0.9]);
  });

  test('keeps its Service until the search has ended', async () => {
    await search();
    await at.train('digits-train-0', { accuracy: 0.5 });
    await at.passes(1);
    expect(await services()).toEqual(['digits-train-nodes']);
    await at.train('digits-train-1', { accuracy: 0.6 });
    await at.passes(2);
    expect(await at.ready()).toMatch(/^True MaxTrialsReached/);
    expect(await services()).toEqual([]);
  });
});
