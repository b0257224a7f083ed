import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { KubeConfig } from '@kubernetes/client-node';

import { DEPLOYMENT_NAME_MAX } from '../../crds/schema/deployment-name.ts';
import { EXPERIMENT_NAME_MAX } from '../../crds/schema/experiment.ts';
import { MULTI_NODE_NAME_MAX } from '../../crds/schema/experiment-trainer.ts';
import { KubernetesCluster } from '../runtime/kubernetes-cluster.ts';
import {
  APPS_DEPLOYMENT,
  HORIZONTAL_POD_AUTOSCALER,
  JOB,
  NAMESPACE,
  POD_DISRUPTION_BUDGET,
  SERVICE,
} from '../runtime/kubernetes-types.ts';
import type { KubernetesObject, ResourceType } from '../runtime/resource-type.ts';
import {
  appsDeployment,
  horizontalPodAutoscaler,
  podDisruptionBudget,
  service,
} from './deployment/children.ts';
import { trialJob } from './experiment/children.ts';
import { nodesService } from './experiment/nodes.ts';
import { inspectionJob } from './model-version/children.ts';
import { aDeployment } from './testing/a-deployment.ts';
import { anExperiment } from './testing/an-experiment.ts';
import { aReadyVersion, someDefaults } from './testing/builders.ts';

const namespace = `children-${randomUUID().slice(0, 8)}`;
let cluster: KubernetesCluster;

beforeAll(async () => {
  const config = new KubeConfig();
  config.loadFromString(await readFile(process.env['INTEGRATION_KUBECONFIG'] ?? '', 'utf8'));
  cluster = new KubernetesCluster(config, { called: () => undefined });
  const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } };
  await cluster.create(NAMESPACE, object, { fieldManager: 'test' });
});

/** What the API server says of the object; the name it would store when it is content. */
const tried = async (type: ResourceType, object: KubernetesObject | undefined): Promise<string> => {
  if (object === undefined) throw new Error('there is nothing to try');
  const options = { fieldManager: 'test', dryRun: true };
  return (await cluster.apply(type, object, options)).metadata.name;
};

const LONGEST_VERSION_NAME = `${'v.'.repeat(126)}1`;
const version = aReadyVersion(`1.0.0-${'r'.repeat(57)}`, {
  model: `m${'.x'.repeat(31)}`,
  name: LONGEST_VERSION_NAME,
  metadata: { namespace },
});

describe('a real API server takes', () => {
  test('the Job of an Experiment with the longest name', async () => {
    const name = 'e'.repeat(EXPERIMENT_NAME_MAX);
    const experiment = anExperiment({}, { name, namespace });
    const trial = { number: 99_999, runId: 'a'.repeat(32) };
    const pod = { restartPolicy: 'Never', containers: [{ name: 'train', image: 'trainer:1' }] };
    const job = trialJob(experiment, trial, { template: { spec: pod } }, someDefaults());
    expect(await tried(JOB, job)).toBe(`${name}-99999`);
    const final = { ...trial, number: 'final' as const, attempt: 9, assignments: [] };
    const last = trialJob(experiment, final, { template: { spec: pod } }, someDefaults());
    expect(await tried(JOB, last)).toBe(`${name}-final-r9`);
  });

  test.each([
    [MULTI_NODE_NAME_MAX, 'takes'],
    [MULTI_NODE_NAME_MAX + 1, 'refuses'],
  ])(
    'the last Job of an Experiment on 1000 nodes up to the longest name: %i',
    async (size, does) => {
      const name = 'e'.repeat(size);
      const trainer = { numNodes: 1000, numProcPerNode: 1, port: 29400 };
      const experiment = anExperiment({ trainer }, { name, namespace });
      const trial = { number: 99_999, attempt: 9, runId: 'a'.repeat(32) };
      const pod = { restartPolicy: 'Never', containers: [{ name: 'train', image: 'trainer:1' }] };
      const job = trialJob(experiment, trial, { template: { spec: pod } }, someDefaults());
      const answer = tried(JOB, job);
      if (does === 'takes') expect(await answer).toBe(`${name}-99999-r9`);
      else
        await expect(answer).rejects.toThrow('will not able to create pod with invalid DNS label');
      expect(await tried(SERVICE, nodesService(experiment))).toBe(`${name}-nodes`);
    },
  );

  test('the inspection of a ModelVersion with the longest name', async () => {
    const spec = { ...version.spec, storageUri: 'pvc://models/model.onnx' };
    const reading = { id: 'inspect:1', expected: version.status?.digest };
    const job = inspectionJob({ ...version, spec }, reading, someDefaults());
    expect((await tried(JOB, job)).length).toBeLessThanOrEqual(63);
  });

  test.each([
    ['the bundled store', {}],
    ['a volume', { storageUri: 'pvc://models/model.onnx' }],
    ['a bucket of its own', { storageUri: 's3://mine/m.onnx', secretRef: { name: 'keys' } }],
  ])('all of a Deployment with the longest name, whose bytes are in %s', async (_where, place) => {
    const name = 'd'.repeat(DEPLOYMENT_NAME_MAX);
    const predictor = { minReplicas: 1, maxReplicas: 3 };
    const deployment = aDeployment({ predictor }, { name, namespace });
    const served = { ...version, spec: { ...version.spec, ...place } };
    const pods = { version: served, replicas: 2, annotations: {} };
    for (const variant of ['stable', 'candidate']) {
      const its = variant === 'stable' ? name : `${name}-candidate`;
      const apps = appsDeployment(deployment, { ...pods, variant }, someDefaults());
      expect(await tried(APPS_DEPLOYMENT, apps)).toBe(its);
      expect(await tried(SERVICE, service(deployment, variant))).toBe(its);
    }
    expect(await tried(POD_DISRUPTION_BUDGET, podDisruptionBudget(deployment))).toBe(name);
    expect(await tried(HORIZONTAL_POD_AUTOSCALER, horizontalPodAutoscaler(deployment))).toBe(name);
  });
});
