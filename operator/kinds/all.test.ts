import { beforeEach, describe, expect, test } from '@jest/globals';

import { kinds } from '../../crds/schema/all.ts';
import { modelAlias } from '../../crds/schema/model-alias.ts';
import { modelVersion } from '../../crds/schema/model-version.ts';
import { model } from '../../crds/schema/model.ts';
import { pipeline } from '../../crds/schema/pipeline.ts';
import { memoryArtifactStore } from '../artifacts/memory-artifact-store.ts';
import { ownType } from '../runtime/own-type.ts';
import type { Reconciler } from '../runtime/reconciler.ts';
import type { KubernetesObject } from '../runtime/resource-type.ts';
import { memoryMetricProbe } from '../probing/memory-metric-probe.ts';
import { memoryTrafficMeter } from '../scraping/memory-traffic-meter.ts';
import { memoryPredictionStore } from '../store/memory-predictions.ts';
import { memoryOutcomeStore } from './ab-test/memory-outcome-store.ts';
import { allReconcilers } from './all.ts';
import { MemoryPodLogs } from '../runtime/memory-pod-logs.ts';
import { MemoryRunStore } from './experiment/memory-run-store.ts';
import { MemorySearchEngine } from './experiment/memory-search-engine.ts';
import { MemoryTrialStore } from './experiment/memory-trial-store.ts';
import { aDeployment } from './testing/a-deployment.ts';
import { aModel, aReadyVersion, anAlias, someDefaults } from './testing/builders.ts';
import { memoryOwnData } from './testing/own-data.ts';
import { key, World } from './testing/world.ts';

const runs = new MemoryRunStore();
const reconcilers = allReconcilers({
  artifacts: memoryArtifactStore(),
  runs,
  trials: new MemoryTrialStore(runs),
  search: new MemorySearchEngine(),
  logs: new MemoryPodLogs(),
  children: someDefaults(),
  traffic: memoryTrafficMeter(),
  ownData: memoryOwnData(),
  probe: memoryMetricProbe(() => 0),
  outcomes: memoryOutcomeStore(memoryPredictionStore()),
});

const keysWoken = (kind: string, object: KubernetesObject, own: readonly KubernetesObject[]) => {
  const reconciler = reconcilers.find(({ type }) => type.kind === kind) as Reconciler;
  const watch = reconciler.watches.find(({ type }) => type.kind === object.kind);
  return watch?.keysFor(object, { own: () => own as never });
};

describe('the controllers', () => {
  test('are one for each kind, each with a field manager of its own', () => {
    expect(reconcilers.map(({ type }) => type.kind).toSorted()).toEqual(
      kinds.map(({ kind }) => kind).toSorted(),
    );
    expect(new Set(reconcilers.map(({ fieldManager }) => fieldManager)).size).toBe(kinds.length);
  });

  test('ask for no Secret, ever', () => {
    const resources = reconcilers.flatMap(({ permissions }) =>
      permissions.flatMap((rule) => rule.resources),
    );
    expect(resources).not.toContain('secrets');
    expect(resources).not.toContain('*');
  });

  test('wake those that a change concerns', () => {
    const version = aReadyVersion('1.0.0');
    const alias = anAlias('champion', '1.0.0');
    expect(keysWoken('Model', version, [])).toEqual([key('digits')]);
    expect(keysWoken('Model', alias, [])).toEqual([key('digits')]);
    expect(keysWoken('ModelAlias', version, [alias])).toEqual([key('digits-champion')]);
    expect(keysWoken('ModelAlias', aModel('other'), [alias])).toEqual([]);
    expect(keysWoken('ModelVersion', aModel(), [version])).toEqual([key('digits-1.0.0')]);
    expect(keysWoken('ModelVersion', version, [version])).toEqual([]);
    expect(keysWoken('Deployment', alias, [aDeployment()])).toEqual([key('digits')]);
    expect(keysWoken('Deployment', version, [aDeployment()])).toEqual([key('digits')]);
  });
});

describe('the registry kinds together', () => {
  let world: World;
  beforeEach(() => {
    world = new World(reconcilers);
  });

  test('count, resolve and say so', async () => {
    await world.put(ownType(model), aModel());
    await world.put(ownType(modelVersion), aReadyVersion('1.0.0'));
    await world.put(ownType(modelAlias), anAlias('champion', '1.0.0'));
    await world.reconcile(ownType(model), key('digits'));
    await world.reconcile(ownType(modelAlias), key('digits-champion'));
    expect(await world.condition(ownType(model), key('digits'))).toBe(
      'True Accepted: The Model has 1 version(s), 1 of them Ready.',
    );
    expect(await world.condition(ownType(modelAlias), key('digits-champion'))).toMatch(/^True/);
  });

  test('leave kinds without a controller stored, and say so', async () => {
    await world.put(ownType(pipeline), {
      metadata: { name: 'nightly', namespace: 'demo' },
      spec: {},
    });
    expect(await world.reconcile(ownType(pipeline), key('nightly'))).toEqual({});
    expect(await world.condition(ownType(pipeline), key('nightly'))).toMatch(
      /^Unknown NotImplemented: This release stores and validates Pipeline objects/,
    );
  });
});
