import { describe, expect, test } from '@jest/globals';

import type { Deployment } from '../../../crds/schema/deployment.ts';
import { APPS_DEPLOYMENT, REPLICA_SET } from '../../runtime/kubernetes-types.ts';
import { memoryTrafficMeter } from '../../scraping/memory-traffic-meter.ts';
import { memoryPredictionStore } from '../../store/memory-predictions.ts';
import type { NewPrediction } from '../../store/predictions.ts';
import type { AppsDeployment } from '../kubernetes-objects.ts';
import { memoryMetricProbe } from '../../probing/memory-metric-probe.ts';
import { memoryOwnData } from '../testing/own-data.ts';
import { aDeployment, aReplicaSet } from '../testing/a-deployment.ts';
import { aReadyVersion, anAlias, someDefaults } from '../testing/builders.ts';
import { DEPLOYMENT, MODEL_ALIAS, MODEL_VERSION } from '../testing/environments.ts';
import { key, World } from '../testing/world.ts';
import { memoryShadowStore } from './memory-shadow-store.ts';
import { deploymentReconciler } from './reconcile.ts';
import { createShadowReports } from './shadow-reports.ts';
import type { ShadowStore } from './shadow-store.ts';

const NAME = key('digits');
const AT = '2026-03-01T12:00:30.000Z';

const answer = (id: string, version: string, value: number): NewPrediction => {
  const outputs = [{ name: 'y', datatype: 'FP32', shape: [1], data: [value] }];
  return {
    ...{ id, version, status: 200, latencyMs: 5, unit: undefined, variant: 'stable', at: AT },
    record: JSON.stringify({ status: 200, outputs }),
  };
};

/** Version 1.1.0 gets copies of all requests, while 1.0.0 answers. */
const mirrored = async (store: ShadowStore, mode: 'all' | 'request' = 'all') => {
  const ports = {
    children: someDefaults(),
    traffic: memoryTrafficMeter(),
    ownData: memoryOwnData(),
    probe: memoryMetricProbe(() => 0),
  };
  const world = new World([deploymentReconciler({ ...ports, shadow: createShadowReports(store) })]);
  for (const version of ['1.0.0', '1.1.0']) await world.put(MODEL_VERSION, aReadyVersion(version));
  await world.put(MODEL_ALIAS, anAlias('champion', '1.0.0'));
  await world.put(REPLICA_SET, aReplicaSet('1.0.0', 1));
  await world.put<Deployment>(
    DEPLOYMENT,
    aDeployment({
      predictor: { replicas: 1, logger: { mode, sampleRate: 1 } },
      strategy: {
        canary: {
          steps: [{ setMirrorRoute: { name: 'copy' } }, { pause: {} }],
          trafficRouting: { istio: { gateways: ['istio-system/gateway'] } },
          scaleDownDelaySeconds: 30,
        },
      },
    }),
  );
  const pass = async () => {
    for (const name of [NAME, key('digits-candidate')]) {
      const apps = await world.get<AppsDeployment>(APPS_DEPLOYMENT, name);
      if (apps === undefined) continue;
      const all = { replicas: 1, updatedReplicas: 1, availableReplicas: 1, readyReplicas: 1 };
      const observedGeneration = apps.metadata.generation;
      await world.change(APPS_DEPLOYMENT, name, '/status', { observedGeneration, ...all });
    }
    return world.reconcile(DEPLOYMENT, NAME);
  };
  for (let i = 0; i < 3; i++) await pass();
  await world.change(MODEL_ALIAS, key('digits-champion'), '/spec/version', '1.1.0');
  for (let i = 0; i < 4; i++) await pass();
  const shadow = async () => (await world.get<Deployment>(DEPLOYMENT, NAME))?.status?.shadow;
  return { world, pass, shadow };
};

describe('a mirror', () => {
  test('is reported in the status, again when there is more, and stays when it ends', async () => {
    const predictions = memoryPredictionStore();
    const { world, pass, shadow } = await mirrored(memoryShadowStore(predictions));
    const log = (batchId: string, rows: readonly NewPrediction[]) =>
      predictions.append(
        { namespace: 'demo', name: 'digits' },
        { batchId, predictions: rows, sketches: [] },
      );
    await log('x', [answer('a', '1.0.0', 1), answer('a', '1.1.0', 1)]);
    world.advance(15_000);
    expect(await pass()).toEqual({ requeueAfterMs: 15_000 });
    await pass();
    expect(await shadow()).toEqual({
      since: '2026-03-01T12:00:00Z',
      ...{ pairs: 1, compared: 1, agreeing: 1, agreement: 1, maxRelative: 0 },
      stable: { version: '1.0.0', errors: 0, p50Ms: 5, p99Ms: 5 },
      candidate: { version: '1.1.0', errors: 0, p50Ms: 5, p99Ms: 5 },
    });
    await log('y', [answer('b', '1.0.0', 4), answer('b', '1.1.0', 5)]);
    world.advance(15_000);
    for (let i = 0; i < 2; i++) await pass();
    expect(await shadow()).toMatchObject({ pairs: 2, agreement: 0.5, maxRelative: 0.2 });
    await world.change(MODEL_ALIAS, key('digits-champion'), '/spec/version', '1.0.0');
    for (let i = 0; i < 2; i++) await pass();
    expect(await shadow()).toMatchObject({ pairs: 2 });
  });

  test('without logged answers is not reported', async () => {
    const never: ShadowStore = {
      pairing: async () => {
        throw new Error('nobody should ask');
      },
    };
    const { shadow } = await mirrored(never, 'request');
    expect(await shadow()).toBeUndefined();
  });

  test('whose log cannot be read does not hold up the rollout', async () => {
    let asked = 0;
    const broken: ShadowStore = {
      pairing: async () => {
        asked++;
        throw new Error('no database');
      },
    };
    const { world, shadow } = await mirrored(broken);
    expect(asked).toBe(1);
    expect(await shadow()).toBeUndefined();
    expect(await world.condition(DEPLOYMENT, NAME)).toMatch(/^False RolloutPaused/);
  });
});
