import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { KubeConfig } from '@kubernetes/client-node';

import { experiment, type Experiment } from '../../../crds/schema/experiment.ts';
import { readConfig } from '../../../e2e/cluster/config.ts';
import { goToolPath } from '../../../e2e/cluster/go-tool.ts';
import { kubectl as clusterKubectl } from '../../../e2e/cluster/kubectl.ts';
import { until } from '../../../e2e/faults/harness/until.ts';
import { KubernetesCluster } from '../../runtime/kubernetes-cluster.ts';
import { ownType } from '../../runtime/own-type.ts';
import type { ResourceType } from '../../runtime/resource-type.ts';
import { stopped, type TestOperator } from '../../runtime/testing/test-operator.ts';
import { anExperiment } from '../testing/an-experiment.ts';
import { operatorIn, readyFor } from './testing/live-experiment.ts';
import { JOB_SET, TRAIN_JOB } from './trial-kinds.ts';

const EXPERIMENT = ownType(experiment);
const namespace = `kinds-${randomUUID().slice(0, 8)}`;
let cluster: KubernetesCluster;
let operator: TestOperator;
let crds = '';

jest.setTimeout(180_000);

const kubectl = (...args: readonly string[]): Promise<string> =>
  clusterKubectl(goToolPath(readConfig(), 'kube'), process.env['INTEGRATION_KUBECONFIG'] ?? '', [
    ...args,
    `--namespace=${namespace}`,
  ]);

/** As little as the API server needs to have the kind. */
const definitionOf = ({ group, version, kind, plural }: ResourceType): object => {
  const anything = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  const openAPIV3Schema = { type: 'object', properties: { spec: anything, status: anything } };
  const its = { name: version, served: true, storage: true, subresources: { status: {} } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${plural}.${group}`,
      // Without it a group of *.k8s.io or *.x-k8s.io is refused.
      annotations: { 'api-approved.kubernetes.io': 'unapproved, for a test' },
    },
    spec: {
      ...{ group, scope: 'Namespaced' },
      names: { kind, plural, singular: kind.toLowerCase() },
      versions: [{ ...its, schema: { openAPIV3Schema } }],
    },
  };
};

// An absent resource is looked for, and then the Experiment is looked at, every 30 seconds.
const SECONDS = 90;

const readyIs = (name: string, reason: string): Promise<string> =>
  readyFor(cluster, { namespace, name }, { reason, seconds: SECONDS });

const create = async (name: string, type: ResourceType, spec: object): Promise<void> => {
  const trialSpec = { apiVersion: `${type.group}/${type.version}`, kind: type.kind, spec };
  const trialTemplate = { retain: false, trialSpec } as Experiment['spec']['trialTemplate'];
  const { apiVersion, kind, spec: whole } = anExperiment({ trialTemplate });
  const object = { apiVersion, kind, metadata: { name, namespace }, spec: whole };
  await cluster.create(EXPERIMENT, object, { fieldManager: 'test' });
};

const says = (type: ResourceType, name: string, condition: string): Promise<string> =>
  kubectl(
    ...['patch', `${type.plural}.${type.group}`, name, '--subresource=status', '--type=merge'],
    ...['-p', JSON.stringify({ status: { conditions: [{ type: condition, status: 'True' }] } })],
  );

beforeAll(async () => {
  const config = new KubeConfig();
  config.loadFromFile(process.env['INTEGRATION_KUBECONFIG'] ?? '');
  cluster = new KubernetesCluster(config, { called: () => undefined });
  crds = await mkdtemp(join(tmpdir(), 'mlops-trial-kinds-'));
  for (const type of [JOB_SET, TRAIN_JOB])
    await writeFile(join(crds, `${type.plural}.json`), JSON.stringify(definitionOf(type)));
  await kubectl('apply', '-f', join(import.meta.dirname, '../../../crds'));
  await kubectl('wait', '--for=condition=Established', 'crd/experiments.mlops.pynomaly.io');
  operator = await operatorIn(cluster, namespace);
});

afterAll(async () => {
  await stopped(operator);
  // Other tests may ask what happens without these kinds.
  await kubectl('delete', '--ignore-not-found', '-f', crds);
  await rm(crds, { recursive: true });
});

describe('on a real API server', () => {
  const pod = { spec: { containers: [{ name: 'train', image: 'trainer:1' }] } };
  const replicatedJobs = [{ name: 'leader', replicas: 1, template: { spec: { template: pod } } }];

  test('a trial of a kind that it lacks waits for it, and says so', async () => {
    await create('set', JOB_SET, { replicatedJobs });
    await create('kubeflow', TRAIN_JOB, { runtimeRef: { name: 'torch-distributed' } });
    expect(await readyIs('set', 'KindNotInstalled')).toMatch(/no jobsets\.jobset\.x-k8s\.io/);
    expect(await readyIs('kubeflow', 'KindNotInstalled')).toMatch(/no trainjobs\.trainer\.kube/);
  });

  test('starts once the kind is installed, and ends as that says', async () => {
    await kubectl('apply', '-f', crds);
    const set = await until('the JobSet', SECONDS, () =>
      cluster.get(JOB_SET, { namespace, name: 'set-0' }),
    );
    expect(JSON.stringify(set)).toContain('MLFLOW_RUN_ID');
    expect(set.metadata.ownerReferences).toMatchObject([{ kind: 'Experiment', name: 'set' }]);
    const train = await until('the TrainJob', SECONDS, () =>
      cluster.get(TRAIN_JOB, { namespace, name: 'kubeflow-0' }),
    );
    expect(JSON.stringify(train)).toContain('MLFLOW_RUN_ID');
    await says(JOB_SET, 'set-0', 'Completed');
    await says(TRAIN_JOB, 'kubeflow-0', 'Failed');
    expect(await readyIs('set', 'Complete')).toMatch(/^The training finished/);
    expect(await readyIs('kubeflow', 'TrialFailed')).toMatch(/^Job kubeflow-0 failed/);
  });
});
