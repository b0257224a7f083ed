import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { at, textAt } from './harness/kubectl.ts';
import {
  deployment,
  experimentNamed,
  irisModel,
  model,
  modelAlias,
  modelVersion,
} from './harness/manifests.ts';
import { changed } from '../../crds/testing/changed.ts';
import { BUCKET, putObject } from './harness/storage.ts';
import { Tenant, type Manifest } from './harness/tenant.ts';

const MINUTES = 60_000;
const NAMESPACE = 'journey-quota';

const quota = (hard: Readonly<Record<string, string>>): Manifest => ({
  apiVersion: 'v1',
  kind: 'ResourceQuota',
  metadata: { name: 'team' },
  spec: { hard },
});

const limitRange: Manifest = {
  apiVersion: 'v1',
  kind: 'LimitRange',
  metadata: { name: 'team' },
  spec: { limits: [{ type: 'Container', max: { cpu: '2', memory: '2Gi' } }] },
};

const ROOMY = {
  'requests.cpu': '2',
  'requests.memory': '4Gi',
  'limits.cpu': '8',
  'limits.memory': '8Gi',
};

/** The example's Experiment without a word about resources. */
const trainingWithoutResources = (): Manifest =>
  changed(experimentNamed('digits-train'), {
    'spec.trialTemplate.trialSpec.spec.template.spec.containers.0.resources': undefined,
  });

const servingWithoutResources = changed(deployment('iris', 'iris'), {
  'spec.predictor.resources': undefined,
});

describe('A namespace has a ResourceQuota and a LimitRange', () => {
  let tenant: Tenant;

  beforeAll(async () => {
    tenant = await Tenant.named(NAMESPACE);
    await putObject(`${NAMESPACE}/uploads/iris.onnx`, irisModel());
    await tenant.apply(limitRange, quota(ROOMY));
    await tenant.apply(
      model('iris'),
      modelVersion('iris', '1.0.0', `s3://${BUCKET}/${NAMESPACE}/uploads/iris.onnx`),
      modelAlias('iris', 'champion', '1.0.0'),
    );
  }, 3 * MINUTES);

  afterAll(async () => {
    await tenant.abandon();
  }, 2 * MINUTES);

  test(
    'training and serving work although their manifests say nothing about resources',
    async () => {
      await tenant.apply(trainingWithoutResources(), servingWithoutResources);
      await tenant.awaits('modeldeployment', 'iris', { type: 'Ready', status: 'True' });
      await tenant.awaits('experiment', 'digits-train', { type: 'Complete', status: 'True' });
    },
    5 * MINUTES,
  );

  test(
    'too small a quota stalls a Deployment in the words of the quota',
    async () => {
      await tenant.apply(quota({ ...ROOMY, 'requests.memory': '300Mi' }));
      await tenant.apply(deployment('second', 'iris'));
      const stalled = await tenant.awaits('modeldeployment', 'second', {
        type: 'Stalled',
        status: 'True',
      });
      expect(stalled.reason).toBe('QuotaExceeded');
      expect(stalled.message).toMatch(/exceeded quota: team.*requests\.memory=128Mi/);
      // Pods are asked for again twice a minute; more writes than that would be a loop.
      const apps = await tenant.get('deployments.apps', 'second');
      expect(Number(at(apps, 'metadata.generation'))).toBeLessThan(5);
    },
    4 * MINUTES,
  );

  test(
    'and an Experiment too',
    async () => {
      await tenant.apply(experimentNamed('digits-again'));
      const stalled = await tenant.awaits('experiment', 'digits-again', {
        type: 'Stalled',
        status: 'True',
      });
      expect(stalled.reason).toBe('QuotaExceeded');
      expect(stalled.message).toMatch(/exceeded quota: team/);
    },
    4 * MINUTES,
  );

  test(
    'both go on by themselves when the quota is raised',
    async () => {
      await tenant.apply(quota(ROOMY));
      await tenant.awaits('modeldeployment', 'second', { type: 'Ready', status: 'True' }, 240);
      await tenant.awaits('experiment', 'digits-again', { type: 'Complete', status: 'True' }, 240);
      const stalled = await tenant.condition('experiment', 'digits-again', 'Stalled');
      expect(stalled).toBeUndefined();
      const pods = await tenant.list('pods');
      expect(pods.filter((pod) => textAt(pod, 'status.phase') === 'Failed')).toEqual([]);
    },
    9 * MINUTES,
  );
});
