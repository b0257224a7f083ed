import { beforeEach, describe, expect, test } from '@jest/globals';

import { deployment, type Deployment } from '../../../crds/schema/deployment.ts';
import { modelAlias } from '../../../crds/schema/model-alias.ts';
import { modelVersion } from '../../../crds/schema/model-version.ts';
import { ANNOTATIONS, LABELS } from '../../../crds/schema/names.ts';
import { ApiError } from '../../runtime/cluster.ts';
import {
  APPS_DEPLOYMENT,
  HORIZONTAL_POD_AUTOSCALER,
  POD,
  POD_DISRUPTION_BUDGET,
  REPLICA_SET,
  SERVICE,
} from '../../runtime/kubernetes-types.ts';
import { ownType } from '../../runtime/own-type.ts';
import { memoryMetricProbe } from '../../probing/memory-metric-probe.ts';
import { memoryTrafficMeter } from '../../scraping/memory-traffic-meter.ts';
import type { AppsDeployment } from '../kubernetes-objects.ts';
import { aBrokenPod, aDeployment, aReplicaSet } from '../testing/a-deployment.ts';
import { aReadyVersion, anAlias, DIGEST_A, DIGEST_B, someDefaults } from '../testing/builders.ts';
import { memoryOwnData } from '../testing/own-data.ts';
import { key, World } from '../testing/world.ts';
import { deploymentReconciler } from './reconcile.ts';

const DEPLOYMENT = ownType(deployment);
const MODEL_VERSION = ownType(modelVersion);
const MODEL_ALIAS = ownType(modelAlias);
const NAME = key('digits');

let world: World;

beforeEach(async () => {
  world = new World([
    deploymentReconciler({
      children: someDefaults(),
      traffic: memoryTrafficMeter(),
      ownData: memoryOwnData(),
      probe: memoryMetricProbe(() => 0),
    }),
  ]);
  await world.put(MODEL_VERSION, aReadyVersion('1.0.0'));
  await world.put(MODEL_VERSION, aReadyVersion('1.1.0'));
  await world.put(MODEL_ALIAS, anAlias('champion', '1.0.0'));
});

const create = (parts: Parameters<typeof aDeployment>[0] = {}) =>
  world.put<Deployment>(DEPLOYMENT, aDeployment(parts));
const pass = () => world.reconcile(DEPLOYMENT, NAME);
const ready = () => world.condition(DEPLOYMENT, NAME);
const apps = async (): Promise<AppsDeployment> => {
  const found = await world.get<AppsDeployment>(APPS_DEPLOYMENT, NAME);
  if (found === undefined) throw new Error('no apps Deployment');
  return found;
};
const templateVersion = async () =>
  (await apps()).spec.template.metadata?.labels?.[LABELS.modelVersion];

/** What the deployment controller would do: all pods of the template serve. */
const serve = async (): Promise<void> => {
  const { metadata, spec } = await apps();
  const replicas = spec.replicas ?? 1;
  await world.change(APPS_DEPLOYMENT, NAME, '/status', {
    observedGeneration: metadata.generation,
    replicas,
    updatedReplicas: replicas,
    availableReplicas: replicas,
    readyReplicas: replicas,
  });
};

describe('a Deployment', () => {
  test('makes an apps Deployment, a Service and a budget for its pods', async () => {
    await create({ predictor: { replicas: 2 } });
    await pass();
    expect((await apps()).spec).toMatchObject({
      replicas: 2,
      selector: { matchLabels: { [LABELS.deployment]: 'digits' } },
      strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
    });
    expect(await world.get(SERVICE, NAME)).toMatchObject({
      spec: {
        ports: [
          { name: 'http', port: 80, targetPort: 'http' },
          { name: 'grpc', port: 9000, targetPort: 'grpc' },
        ],
      },
    });
    expect(await world.get(POD_DISRUPTION_BUDGET, NAME)).toMatchObject({
      spec: { maxUnavailable: 1 },
    });
    expect(await world.get(HORIZONTAL_POD_AUTOSCALER, NAME)).toBeUndefined();
    expect(await ready()).toMatch(/^False RolloutProgressing/);
    await serve();
    await pass();
    expect(await ready()).toMatch(/^True Ready/);
  });

  test('is not Ready in the very pass that rolls another version', async () => {
    await create();
    await pass();
    await serve();
    await pass();
    await world.change(MODEL_ALIAS, key('digits-champion'), '/spec/version', '1.1.0');
    await pass();
    expect(await templateVersion()).toBe('digits-1.1.0');
    expect(await ready()).toMatch(/^False RolloutProgressing/);
    expect(world.events).toContainEqual(
      expect.objectContaining({
        reason: 'RolloutStarted',
        message: 'Rolling from digits-1.0.0 to version 1.1.0.',
      }),
    );
  });

  test('leaves the number of pods to the autoscaler, and takes it back', async () => {
    await create({ predictor: { minReplicas: 1, maxReplicas: 4 } });
    await pass();
    expect((await apps()).spec).not.toHaveProperty('replicas');
    expect(await world.get(HORIZONTAL_POD_AUTOSCALER, NAME)).toMatchObject({
      spec: {
        minReplicas: 1,
        maxReplicas: 4,
        scaleTargetRef: { kind: 'Deployment', name: 'digits' },
      },
    });
    await world.change(DEPLOYMENT, NAME, '/spec/predictor/maxReplicas', 1);
    await pass();
    expect(await world.get(HORIZONTAL_POD_AUTOSCALER, NAME)).toBeUndefined();
    expect((await apps()).spec.replicas).toBe(1);
  });

  test('keeps its pods when an autoscaler takes over, until that one has set another number', async () => {
    await create({ predictor: { replicas: 5 } });
    await pass();
    await world.cluster.patch(
      DEPLOYMENT,
      NAME,
      [
        { op: 'remove', path: '/spec/predictor/replicas' },
        { op: 'add', path: '/spec/predictor/minReplicas', value: 2 },
        { op: 'add', path: '/spec/predictor/maxReplicas', value: 8 },
      ],
      { fieldManager: 'user' },
    );
    await pass();
    expect((await apps()).spec.replicas).toBe(5);
    expect(await world.get(HORIZONTAL_POD_AUTOSCALER, NAME)).toBeDefined();
    await world.change(APPS_DEPLOYMENT, NAME, '/spec/replicas', 7);
    await pass();
    await pass();
    expect((await apps()).spec.replicas).toBe(7);
    await world.change(APPS_DEPLOYMENT, NAME, '/spec/replicas', 5);
    await pass();
    expect((await apps()).metadata.annotations).not.toHaveProperty('mlops.pynomaly.io/replicas');
  });

  test('says that the autoscaler gets no metrics, and serves all the same', async () => {
    await create({ predictor: { minReplicas: 1, maxReplicas: 4 } });
    await pass();
    await serve();
    const message = 'the server could not find the requested resource (get pods.metrics.k8s.io)';
    await world.change(HORIZONTAL_POD_AUTOSCALER, NAME, '/status', {
      conditions: [
        { type: 'ScalingActive', status: 'False', reason: 'FailedGetResourceMetric', message },
      ],
    });
    await pass();
    expect(await world.condition(DEPLOYMENT, NAME, 'AutoscalingActive')).toMatch(
      /^False MetricsUnavailable: .*install metrics-server/,
    );
    expect(await ready()).toMatch(/^True Ready/);
  });

  test('makes nothing before there is a version to serve', async () => {
    await world.cluster.delete(MODEL_ALIAS, key('digits-champion'));
    await create();
    await pass();
    expect(await world.list(APPS_DEPLOYMENT)).toEqual([]);
    expect(await world.list(SERVICE)).toEqual([]);
    expect(await ready()).toMatch(/^False AliasNotFound/);
  });

  test('never takes over a Service that is not its own', async () => {
    await world.put(SERVICE, { metadata: { name: 'digits', namespace: 'demo' }, spec: {} });
    await create();
    await pass();
    expect(await ready()).toMatch(/^False NameTaken/);
    expect(await world.list(APPS_DEPLOYMENT)).toEqual([]);
  });

  test('rolls back a version whose pods find other bytes, and stays there', async () => {
    await create();
    await pass();
    await serve();
    await pass();
    await world.change(MODEL_ALIAS, key('digits-champion'), '/spec/version', '1.1.0');
    await pass();
    const { metadata } = await apps();
    await world.change(APPS_DEPLOYMENT, NAME, '/metadata/annotations', {
      ...metadata.annotations,
      'deployment.kubernetes.io/revision': '2',
    });
    await world.change(APPS_DEPLOYMENT, NAME, '/status', {
      observedGeneration: 99,
      replicas: 2,
      updatedReplicas: 1,
      availableReplicas: 1,
    });
    await world.put(REPLICA_SET, aReplicaSet('1.0.0', 1, '1'));
    await world.put(REPLICA_SET, aReplicaSet('1.1.0', 0, '2'));
    const report = {
      reason: 'DigestMismatch',
      message: 'other bytes',
      expected: DIGEST_A,
      actual: DIGEST_B,
    };
    await world.put(POD, aBrokenPod(report, '2'));
    await pass();
    expect(await templateVersion()).toBe('digits-1.0.0');
    expect(await ready()).toMatch(/^False RolledBack/);
    await serve();
    await pass();
    expect(await templateVersion()).toBe('digits-1.0.0');
    expect(await ready()).toMatch(/^False RolledBack/);
    const status = (await world.get<Deployment>(DEPLOYMENT, NAME))?.status;
    expect(status).toMatchObject({
      servedVersion: '1.0.0',
      lastFailureInfo: { reason: 'DigestMismatch', version: '1.1.0' },
    });
    await world.change(DEPLOYMENT, NAME, '/metadata/annotations', {
      [ANNOTATIONS.retry]: 'anything',
    });
    await pass();
    expect(await templateVersion()).toBe('digits-1.0.0');
    expect(world.events).toContainEqual(expect.objectContaining({ reason: 'RetryIgnored' }));
    await world.change(DEPLOYMENT, NAME, '/metadata/annotations', {
      [ANNOTATIONS.retry]: status?.revision,
    });
    await pass();
    expect(await templateVersion()).toBe('digits-1.1.0');
  });

  test('asks again for pods that a quota refused, twice a minute', async () => {
    await create();
    await pass();
    const refused = { type: 'ReplicaFailure', status: 'True', message: 'exceeded quota: compute' };
    await world.change(APPS_DEPLOYMENT, NAME, '/status', {
      observedGeneration: 99,
      conditions: [refused],
    });
    const asked = async () =>
      (await apps()).metadata.annotations?.['mlops.pynomaly.io/asked-again'];
    expect(await pass()).toEqual({ requeueAfterMs: 30_000 });
    expect(await ready()).toMatch(/^False QuotaExceeded/);
    expect(await asked()).toBe('2026-03-01T12:00:00Z');
    // Asking made a new generation that the deployment controller has not seen yet.
    await world.change(APPS_DEPLOYMENT, NAME, '/status/observedGeneration', 0);
    await pass();
    expect(await asked()).toBe('2026-03-01T12:00:00Z');
    expect(await ready()).toMatch(/^False QuotaExceeded/);
    world.advance(31_000);
    await pass();
    expect(await asked()).toBe('2026-03-01T12:00:30Z');
    await serve();
    await pass();
    expect(await asked()).toBe('2026-03-01T12:00:30Z');
    expect(await ready()).toMatch(/^True Ready/);
  });

  test('repeats what the API server says of its pod template', async () => {
    world.through = (cluster) => ({
      get: (type, at) => cluster.get(type, at),
      list: (type, options) => cluster.list(type, options),
      watch: (type, options) => cluster.watch(type, options),
      create: (type, object, options) => cluster.create(type, object, options),
      patch: (type, at, operations, options) => cluster.patch(type, at, operations, options),
      delete: (type, at, options) => cluster.delete(type, at, options),
      apply: async (type, object, options) => {
        if (type !== APPS_DEPLOYMENT) return cluster.apply(type, object, options);
        throw new ApiError(422, 'Invalid', 'spec.template.spec.tolerations[0].operator: Invalid');
      },
    });
    await create({ pod: { tolerations: [{ operator: 'nonsense' }] } });
    await pass();
    expect(await ready()).toMatch(/^False InvalidTemplate: .*tolerations\[0\].operator: Invalid/);
  });
});
