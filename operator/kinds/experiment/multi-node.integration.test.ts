import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { KubeConfig } from '@kubernetes/client-node';

import { experiment, type Experiment } from '../../../crds/schema/experiment.ts';
import { LABELS } from '../../../crds/schema/names.ts';
import { readConfig } from '../../../e2e/cluster/config.ts';
import { goToolPath } from '../../../e2e/cluster/go-tool.ts';
import { kubectl as clusterKubectl } from '../../../e2e/cluster/kubectl.ts';
import { until } from '../../../e2e/faults/harness/until.ts';
import { KubernetesCluster } from '../../runtime/kubernetes-cluster.ts';
import { JOB, POD, SERVICE } from '../../runtime/kubernetes-types.ts';
import { ownType } from '../../runtime/own-type.ts';
import { stopped, type TestOperator } from '../../runtime/testing/test-operator.ts';
import type { Job, Pod } from '../kubernetes-objects.ts';
import { aTemplate, anExperiment } from '../testing/an-experiment.ts';
import { operatorIn, readyFor } from './testing/live-experiment.ts';

const EXPERIMENT = ownType(experiment);
const namespace = `nodes-${randomUUID().slice(0, 8)}`;
const trainer = { numNodes: 2, numProcPerNode: 1, port: 29400 };

let cluster: KubernetesCluster;
let operator: TestOperator;

jest.setTimeout(120_000);

const kubectl = (...args: readonly string[]): Promise<string> =>
  clusterKubectl(goToolPath(readConfig(), 'kube'), process.env['INTEGRATION_KUBECONFIG'] ?? '', [
    ...args,
    `--namespace=${namespace}`,
  ]);

const SECONDS = 60;

const readyIs = (name: string, reason: string): Promise<string> =>
  readyFor(cluster, { namespace, name }, { reason, seconds: SECONDS });

const jobOf = (name: string): Promise<Job> =>
  until(`Job ${name}-0`, SECONDS, () => cluster.get<Job>(JOB, { namespace, name: `${name}-0` }));

const podsOf = (name: string, count: number): Promise<readonly Pod[]> =>
  until(`${count} pods of ${name}`, SECONDS, async () => {
    const labelSelector = `${LABELS.experiment}=${name}`;
    const { items } = await cluster.list<Pod>(POD, { namespace, labelSelector });
    return items.length === count ? items.toSorted(byIndex) : undefined;
  });

const indexOf = ({ metadata }: Pod): string =>
  metadata.annotations?.['batch.kubernetes.io/job-completion-index'] ?? '';
const byIndex = (a: Pod, b: Pod): number => Number(indexOf(a)) - Number(indexOf(b));

const create = async (name: string, spec: Partial<Experiment['spec']>, labels = {}) => {
  const object = anExperiment(spec, { name, namespace });
  const placed = { ...object, metadata: { name, namespace, labels } };
  await cluster.create(EXPERIMENT, placed, { fieldManager: 'test' });
};

const podEnds = (pod: Pod | undefined, status: object): Promise<string> =>
  kubectl(
    ...['patch', 'pod', pod?.metadata.name ?? '', '--subresource=status', '--type=merge'],
    ...['-p', JSON.stringify({ status })],
  );

beforeAll(async () => {
  const config = new KubeConfig();
  config.loadFromFile(process.env['INTEGRATION_KUBECONFIG'] ?? '');
  cluster = new KubernetesCluster(config, { called: () => undefined });
  await kubectl('apply', '-f', join(import.meta.dirname, '../../../crds'));
  await kubectl('wait', '--for=condition=Established', 'crd/experiments.mlops.pynomaly.io');
  operator = await operatorIn(cluster, namespace);
});

afterAll(() => stopped(operator));

describe('on a real API server with the controller of Jobs', () => {
  test('a training on two nodes has two pods that have names and know their rank', async () => {
    await create('two', { trainer });
    const { spec } = await jobOf('two');
    expect(spec).toMatchObject({ completionMode: 'Indexed', completions: 2, parallelism: 2 });
    const pods = await podsOf('two', 2);
    expect(pods.map(indexOf)).toEqual(['0', '1']);
    expect(pods.map(({ spec: its }) => its)).toMatchObject([
      { hostname: 'two-0-0', subdomain: 'two-nodes' },
      { hostname: 'two-0-1', subdomain: 'two-nodes' },
    ]);
    const service = await cluster.get(SERVICE, { namespace, name: 'two-nodes' });
    expect(service).toMatchObject({
      metadata: { ownerReferences: [{ kind: 'Experiment', name: 'two', controller: true }] },
      spec: { clusterIP: 'None', publishNotReadyAddresses: true },
    });
  });

  test('it fails with the node that did, and its Service goes', async () => {
    const [, second] = await podsOf('two', 2);
    const terminated = { exitCode: 3, reason: 'Error', message: 'ValueError: no data' };
    const container = { name: 'train', image: 'trainer:1', imageID: '' };
    const containerStatuses = [
      { ...container, ready: false, restartCount: 0, state: { terminated } },
    ];
    await podEnds(second, { phase: 'Failed', containerStatuses });
    expect(await readyIs('two', 'TrialFailed')).toMatch(
      /^Job two-0 failed: node 1 of 2: container train ended with Error, exit code 3: ValueError: no data\. See kubectl logs two-0-1-/,
    );
    expect(await cluster.get(SERVICE, { namespace, name: 'two-nodes' })).toBeUndefined();
  });

  test('it succeeds once both have', async () => {
    await create('both', { trainer });
    const [first, second] = await podsOf('both', 2);
    await podEnds(first, { phase: 'Succeeded' });
    await until('one that succeeded', SECONDS, async () =>
      (await jobOf('both')).status?.succeeded === 1 ? true : undefined,
    );
    expect(await readyIs('both', 'TrialRunning')).toMatch(/^Job both-0 is starting, 1 of 2 nodes/);
    await podEnds(second, { phase: 'Succeeded' });
    expect(await readyIs('both', 'Complete')).toMatch(/^The training finished/);
  });

  test('a Job that a queue suspends, as Kueue does, waits and is left so', async () => {
    await create('queued', { trainer }, { 'kueue.x-k8s.io/queue-name': 'gpus' });
    await podsOf('queued', 2);
    await kubectl('patch', 'job', 'queued-0', '--type=merge', '-p', '{"spec":{"suspend":true}}');
    expect(await readyIs('queued', 'Queued')).toBe(
      'Job queued-0 is suspended; it waits in its queue gpus (kubectl get workloads says for what).',
    );
    await podsOf('queued', 0);
    const job = await jobOf('queued');
    expect(job.spec['suspend']).toBe(true);
    expect(job.metadata.labels).toMatchObject({ 'kueue.x-k8s.io/queue-name': 'gpus' });
    await kubectl('patch', 'job', 'queued-0', '--type=merge', '-p', '{"spec":{"suspend":false}}');
    await podsOf('queued', 2);
    await readyIs('queued', 'TrialRunning');
    expect((await jobOf('queued')).spec['suspend']).toBe(false);
  });

  test('a Job that another controller manages gets no pods here', async () => {
    const job = { managedBy: 'kueue.x-k8s.io/multikueue' };
    await create('managed', { trialTemplate: aTemplate({}, job) });
    expect((await jobOf('managed')).spec['managedBy']).toBe('kueue.x-k8s.io/multikueue');
    expect(await readyIs('managed', 'TrialRunning')).toBe('Job managed-0 has no pod yet.');
  });

  test('a template that contradicts the number of nodes starts nothing', async () => {
    await create('wrong', { trainer, trialTemplate: aTemplate({}, { completions: 5 }) });
    expect(await readyIs('wrong', 'InvalidTemplate')).toBe(
      'Job wrong-0 cannot be created: spec.trialTemplate.trialSpec.spec.completions is 5, but spec.trainer.numNodes (2) makes it 2; leave completions out.',
    );
    expect(await cluster.get(JOB, { namespace, name: 'wrong-0' })).toBeUndefined();
  });
});
