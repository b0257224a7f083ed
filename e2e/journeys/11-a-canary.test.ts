import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { GatewayLoad } from './harness/gateway-load.ts';
import { Gateway, GATEWAY, ISTIO_BUILD_MS } from './harness/gateway.ts';
import { at, listAt } from './harness/kubectl.ts';
import { deployment, modelAlias } from './harness/manifests.ts';
import { killOperator, operatorIsReady, replaceOperatorPods } from './harness/operator-pods.ts';
import { expectShare, givenRollout, type Rollout } from './harness/rollout.ts';
import { flipByte } from './harness/storage.ts';
import { Tenant, type Manifest } from './harness/tenant.ts';
import { timesKey, timesModel, timesQuestion } from './harness/times-model.ts';

const MINUTES = 60_000;
const NAMESPACE = 'journey-canary';

/** Version by version: what each does with numbers of 4 and more. */
const MODELS = {
  '1.0.0': 'times-2',
  '1.1.0': 'times-3',
  '1.2.0': 'times-2-failing',
  '1.3.0': 'times-2-slow',
  '1.4.0': 'times-2-hungry',
  '1.5.0': 'times-2',
  '1.6.0': 'times-2',
} as const;
type Version = keyof typeof MODELS;

const QUESTION = timesQuestion(8, 8, 8, 8);

/** One Deployment for each story, so that all of them are told at once. */
const BAD: Readonly<Record<string, { readonly version: Version; readonly reason: RegExp }>> = {
  failing: {
    version: '1.2.0',
    reason: /AnalysisFailed: request-success-rate is \S+ % on \d+ requests/,
  },
  slow: {
    version: '1.3.0',
    reason: /AnalysisFailed: request-duration \(quantile 0\.9\) is \S+ s on \d+/,
  },
  hungry: {
    version: '1.4.0',
    reason: /Crashing: pod hungry-candidate-\S+ was started 3 times again/,
  },
};

const hostOf = (name: string): string => `${name}.canary.example.com`;

const canaryOf = (name: string): object => ({
  steps: [
    { setWeight: 20 },
    { pause: { duration: '10s' } },
    { setWeight: 60 },
    { pause: { duration: '10s' } },
  ],
  analysis: {
    interval: '2s',
    minimumRequests: 100,
    metrics: [
      { name: 'request-success-rate', thresholdRange: { min: 0.99 } },
      { name: 'request-duration', quantile: 0.9, thresholdRange: { max: 0.2 } },
    ],
  },
  scaleDownDelaySeconds: 5,
  trafficRouting: { istio: { gateways: [GATEWAY], hosts: [hostOf(name)] } },
});

/** Follows an alias of its own name. */
const follower = (name: string): readonly Manifest[] => {
  const manifest = deployment(name, 'times', { strategy: { canary: canaryOf(name) } });
  const model = at(manifest, 'spec.predictor.model') as { alias: string };
  model.alias = name;
  return [modelAlias('times', name, '1.0.0'), manifest];
};

describe('A new version gets traffic step by step', () => {
  let tenant: Tenant;
  let gateway: Gateway;
  const loads = new Map<string, GatewayLoad>();
  const NAMES = ['times', 'quiet', ...Object.keys(BAD)];

  const given = (name: string): Rollout => givenRollout(tenant, name, name);
  const loadOf = (name: string): GatewayLoad => {
    const load = loads.get(name);
    if (load === undefined) throw new Error(`nobody asks ${name}`);
    return load;
  };
  const asks = async (name: string, clients: number): Promise<void> => {
    const options = { host: hostOf(name), model: name, question: QUESTION, clients };
    loads.set(name, await GatewayLoad.start(gateway, options));
  };

  beforeAll(async () => {
    gateway = await Gateway.start();
    await operatorIsReady();
    tenant = await Tenant.named(NAMESPACE);
    await tenant.apply(...(await timesModel(tenant, MODELS)), ...NAMES.flatMap(follower));
    for (const name of NAMES) await given(name).then.serves();
    await asks('times', 4);
    for (const [name, { version }] of Object.entries(BAD)) {
      await asks(name, 2);
      await given(name).when.wants(version);
    }
    await given('quiet').when.wants('1.1.0');
  }, ISTIO_BUILD_MS);

  afterAll(async () => {
    for (const load of loads.values()) await load.stop();
    await gateway.close();
    await tenant.abandon();
  }, 2 * MINUTES);

  /** All goes to the stable version, nothing fails any more, and the candidate is gone in the end. */
  const servesOnly = async (name: string, version: Version): Promise<void> => {
    await given(name).then.candidateIsGone();
    const load = loadOf(name);
    load.mark();
    await load.answered(200);
    const { failures, versions } = load.mark();
    expect({ failures, versions }).toEqual({ failures: [], versions: [version] });
  };

  test(
    'a good one takes over: its share is what the steps say, and not one request fails',
    async () => {
      const times = given('times');
      const load = loadOf('times');
      await times.when.wants('1.1.0');
      for (const weight of [20, 60]) {
        await times.then.weightIs(weight);
        expect(load.mark().failures).toEqual([]);
        // The gateway learns of a weight within a second or so; what it answered meanwhile does not count.
        await load.answered(100);
        expect(load.mark().failures).toEqual([]);
        await load.answered(400);
        expectShare(load.mark(), weight);
      }
      await times.then.serves();
      expect(load.mark().failures).toEqual([]);
      await servesOnly('times', '1.1.0');
      const story = await times.then.describe();
      expect(story).toMatch(/Version 1\.1\.0, step 1 of 4/);
      expect(story).toMatch(/Version 1\.1\.0 takes over/);
    },
    5 * MINUTES,
  );

  test.each(Object.entries(BAD))(
    'one that is %s is taken out, and the reason says so',
    async (name, { version, reason }) => {
      expect(await given(name).then.rollsBack(version)).toMatch(reason);
      await servesOnly(name, '1.0.0');
      await loadOf(name).stop();
    },
    5 * MINUTES,
  );

  test(
    'without any traffic it waits, however long',
    async () => {
      const quiet = given('quiet');
      const { message } = await tenant.awaits('modeldeployment', 'quiet', {
        ...{ type: 'Ready', reason: 'AnalysisInconclusive' },
      });
      expect(message).toMatch(/0 of 100 requests that are needed to judge/);
      const revision = await quiet.then.revision();
      expect(message).toContain(`mlops.pynomaly.io/promote=${revision}`);
    },
    3 * MINUTES,
  );

  test(
    'one that does not load never gets a request',
    async () => {
      const load = loadOf('times');
      await tenant.awaits('modelversion', 'times-1.5.0', { type: 'Ready', status: 'True' });
      await flipByte(timesKey(tenant, '1.5.0'), 60);
      load.mark();
      await given('times').when.wants('1.5.0');
      expect(await given('times').then.rollsBack('1.5.0')).toMatch(/DigestMismatch/);
      const { failures, byVariant } = load.mark();
      expect(failures).toEqual([]);
      expect(Object.keys(byVariant)).toEqual(['stable']);
    },
    4 * MINUTES,
  );

  const stableWeightIs = (weight: number): Promise<true> =>
    tenant.until(`a route with ${weight} % for the stable pods`, 90, async () => {
      const [route] = listAt(await tenant.get('virtualservice', 'times'), 'spec.http.0.route');
      return at(route, 'weight') === weight ? true : undefined;
    });

  const spoilRoute = async (): Promise<void> => {
    const patch = [{ op: 'replace', path: '/spec/http/0/route/0/weight', value: 1 }];
    await tenant.kubectl(
      ...['patch', 'virtualservice', 'times', '--type=json', `-p=${JSON.stringify(patch)}`],
    );
    await stableWeightIs(80);
  };
  /** Nobody is routed while there is no route: what failed meanwhile is not the rollout's. */
  const deleteRoute = async (load: GatewayLoad): Promise<void> => {
    expect(load.mark().failures).toEqual([]);
    await tenant.kubectl('delete', 'virtualservice', 'times');
    await stableWeightIs(40);
    await load.answered(50);
    load.mark();
  };

  test(
    'the operator is killed at each step, the route is changed and deleted, and it still comes to its end',
    async () => {
      const times = given('times');
      const load = loadOf('times');
      // With two pods the third step has to wait for one, too, so that it can be met.
      await times.when.isScaledTo(2);
      await tenant.until('two stable pods', 90, async () =>
        at(await tenant.get('modeldeployment', 'times'), 'status.readyReplicas') === 2
          ? true
          : undefined,
      );
      load.mark();
      await times.when.wants('1.6.0');
      for (const step of [0, 1, 2, 3, 4]) {
        await times.then.stepIs(step);
        if (step === 1) await spoilRoute();
        if (step === 3) await deleteRoute(load);
        expect(await killOperator()).toBeGreaterThan(0);
        // In turns: it starts again in its pods, or in others.
        if (step % 2 === 1) await replaceOperatorPods();
      }
      await times.then.serves();
      expect(load.mark().failures).toEqual([]);
      await servesOnly('times', '1.6.0');
      const events = await tenant.kubectl('events');
      expect(events).toMatch(/RouteRestored .*VirtualService times was changed by somebody else/);
      expect(events).toMatch(/RouteRestored .*VirtualService times was deleted by somebody else/);
    },
    8 * MINUTES,
  );
});
