import { beforeEach, describe, expect, test } from '@jest/globals';

import { ANNOTATIONS, LABELS } from '../../../crds/schema/names.ts';
import type { Deployment } from '../../../crds/schema/deployment.ts';
import { VIRTUAL_SERVICE } from '../../runtime/istio-types.ts';
import { APPS_DEPLOYMENT } from '../../runtime/kubernetes-types.ts';
import { memoryTrafficMeter } from '../../scraping/memory-traffic-meter.ts';
import type { AppsDeployment } from '../kubernetes-objects.ts';
import { memoryMetricProbe } from '../../probing/memory-metric-probe.ts';
import { memoryOwnData } from '../testing/own-data.ts';
import { aDeployment } from '../testing/a-deployment.ts';
import { aReadyVersion, anAlias, someDefaults } from '../testing/builders.ts';
import { DEPLOYMENT, MODEL_ALIAS, MODEL_VERSION } from '../testing/environments.ts';
import { key, World } from '../testing/world.ts';
import type { CanarySpec } from './canary.ts';
import { deploymentReconciler } from './reconcile.ts';
import type { VirtualService } from './routing.ts';

const NAME = key('digits');
const GREEN = key('digits-candidate');

/** As decision 0014 writes it down. */
const BLUE_GREEN: CanarySpec = {
  steps: [
    { setCanaryScale: { weight: 100 } },
    { setHeaderRoute: { name: 'preview', match: [{ headerName: 'x-preview', exact: 'yes' }] } },
    { pause: {} },
    { setWeight: 100 },
  ],
  trafficRouting: { istio: { gateways: ['istio-system/gateway'], hosts: ['digits.example.com'] } },
  scaleDownDelaySeconds: 30,
};

let world: World;

const pass = () => world.reconcile(DEPLOYMENT, NAME);
const apps = (name = NAME) => world.get<AppsDeployment>(APPS_DEPLOYMENT, name);
const revision = async (): Promise<string> =>
  (await world.get<Deployment>(DEPLOYMENT, NAME))?.status?.revision ?? '';
const annotate = (name: string, value: string) =>
  world.change(DEPLOYMENT, NAME, '/metadata/annotations', { [name]: value });
const routes = async () => {
  const found = await world.get<VirtualService>(VIRTUAL_SERVICE, NAME);
  return (found?.spec.http ?? []).map(({ name, match, route }) => ({
    name,
    ...(match === undefined ? {} : { match }),
    to: route.map(({ destination: { host } }) => host.split('.')[0]),
  }));
};

/** What the deployment controller would do. */
const serve = async (name: typeof NAME): Promise<void> => {
  const found = await apps(name);
  if (found === undefined) return;
  const replicas = found.spec.replicas ?? 1;
  await world.change(APPS_DEPLOYMENT, name, '/status', {
    observedGeneration: found.metadata.generation,
    ...{
      replicas,
      updatedReplicas: replicas,
      availableReplicas: replicas,
      readyReplicas: replicas,
    },
  });
};

/** Passes until nothing changes any more; who got the requests meanwhile. */
const settle = async (): Promise<ReadonlySet<string>> => {
  const seen = new Set<string>();
  for (let i = 0; i < 6; i++) {
    for (const name of [NAME, GREEN]) await serve(name);
    await pass();
    for (const { name, to } of await routes()) if (name === 'weighted') seen.add(to.join());
  }
  return seen;
};

beforeEach(async () => {
  const ports = {
    children: someDefaults(),
    traffic: memoryTrafficMeter(),
    ownData: memoryOwnData(),
    probe: memoryMetricProbe(() => 0),
  };
  world = new World([deploymentReconciler(ports)]);
  await world.put(MODEL_VERSION, aReadyVersion('1.0.0'));
  await world.put(MODEL_VERSION, aReadyVersion('1.1.0'));
  await world.put(MODEL_ALIAS, anAlias('champion', '1.0.0'));
  const spec = { predictor: { replicas: 4 }, strategy: { canary: BLUE_GREEN } };
  await world.put<Deployment>(DEPLOYMENT, aDeployment(spec));
  await settle();
  await world.change(MODEL_ALIAS, key('digits-champion'), '/spec/version', '1.1.0');
});

describe('blue and green', () => {
  test('stand side by side at full size, and only a header leads to the green one', async () => {
    expect(await settle()).toEqual(new Set(['digits']));
    expect((await apps(GREEN))?.spec.replicas).toBe(4);
    expect((await apps())?.spec.template.metadata?.labels?.[LABELS.modelVersion]).toBe(
      'digits-1.0.0',
    );
    expect(await routes()).toEqual([
      {
        name: 'header-preview',
        match: [{ headers: { 'x-preview': { exact: 'yes' } } }],
        to: ['digits-candidate'],
      },
      { name: 'weighted', to: ['digits'] },
    ]);
    expect(await world.condition(DEPLOYMENT, NAME)).toMatch(/^False RolloutPaused: .*gets 0 %/);
  });

  test('change over at once, never split between the two, and the preview ends', async () => {
    await settle();
    await annotate(ANNOTATIONS.promote, await revision());
    expect([...(await settle())].toSorted()).toEqual(['digits', 'digits-candidate']);
    expect(await routes()).toEqual([{ name: 'weighted', to: ['digits'] }]);
    expect(await world.condition(DEPLOYMENT, NAME)).toMatch(/^True Ready: Version 1\.1\.0/);
  });

  test('leave no trace of the green one when it is given up', async () => {
    await settle();
    await annotate(ANNOTATIONS.abort, await revision());
    expect(await settle()).toEqual(new Set(['digits']));
    world.advance(31_000);
    await pass();
    expect(await apps(GREEN)).toBeUndefined();
    expect(await routes()).toEqual([{ name: 'weighted', to: ['digits'] }]);
  });
});
