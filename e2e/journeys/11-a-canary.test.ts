import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { exactInterval } from '../../operator/statistics/binomial-bounds.ts';
import { GatewayLoad, type Answers } from './harness/gateway-load.ts';
import { Gateway, GATEWAY, ISTIO_BUILD_MS } from './harness/gateway.ts';
import { at, listAt, textAt } from './harness/kubectl.ts';
import { deployment, modelAlias } from './harness/manifests.ts';
import { killOperator, operatorIsReady, replaceOperatorPods } from './harness/operator-pods.ts';
import { flipByte } from './harness/storage.ts';
import { Tenant } from './harness/tenant.ts';
import { timesKey, timesModel, timesQuestion } from './harness/times-model.ts';

const MINUTES = 60_000;
const NAMESPACE = 'journey-canary';
const HOST = 'times.example.com';
/** So seldom is a share outside its bounds by chance alone. */
const CHANCE = 1e-6;

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

const canary = (more: object = {}) => ({
  strategy: {
    canary: {
      steps: [
        { setWeight: 20 },
        { pause: { duration: '12s' } },
        { setWeight: 60 },
        { pause: { duration: '12s' } },
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
      trafficRouting: { istio: { gateways: [GATEWAY], hosts: [HOST] } },
      ...more,
    },
  },
});

describe('A new version gets traffic step by step', () => {
  let tenant: Tenant;
  let gateway: Gateway;
  let load: GatewayLoad;

  beforeAll(async () => {
    gateway = await Gateway.start();
    await operatorIsReady();
    tenant = await Tenant.named(NAMESPACE);
    await tenant.apply(
      ...(await timesModel(tenant, MODELS)),
      deployment('times', 'times', { ...canary() }),
    );
    await tenant.awaits('modeldeployment', 'times', { type: 'Ready', status: 'True' });
    load = await GatewayLoad.start(gateway, { host: HOST, model: 'times', question: QUESTION });
  }, ISTIO_BUILD_MS);

  afterAll(async () => {
    await load.stop();
    await gateway.close();
    await tenant.abandon();
  }, 2 * MINUTES);

  const rollTo = (version: Version) => tenant.apply(modelAlias('times', 'champion', version));
  const weightIs = (weight: number) =>
    tenant.until(`a share of ${weight} %`, 90, async () => {
      const found = await tenant.get('modeldeployment', 'times');
      const first = listAt(found, 'status.weights')[0];
      return at(first, 'name') === 'candidate' && at(first, 'weight') === weight ? true : undefined;
    });
  /** The share of the candidate among answers is what its weight says. */
  const hasShare = ({ total, byVariant }: Answers, weight: number): void => {
    const successes = byVariant['candidate'] ?? 0;
    const { lower, upper } = exactInterval({ successes, units: total }, CHANCE);
    expect(lower).toBeLessThanOrEqual(weight / 100);
    expect(upper).toBeGreaterThanOrEqual(weight / 100);
  };
  /** What is said once this version was taken out again; the one before it may have been, too. */
  const rolledBack = (version: Version): Promise<string> =>
    tenant.until(`version ${version} to be taken out`, 180, async () => {
      const found = await tenant.condition('modeldeployment', 'times', 'Ready');
      const isIt = found?.message.startsWith(`Version ${version} could not be served`) === true;
      return isIt && found?.reason === 'RolledBack' ? found.message : undefined;
    });
  /** All goes to the stable version, nothing fails any more, and the candidate is gone in the end. */
  const servesOnly = async (version: Version): Promise<void> => {
    await tenant.until('the candidate to be gone', 60, async () =>
      (await tenant.get('deployment.apps', 'times-candidate')) === undefined ? true : undefined,
    );
    load.mark();
    await load.answered(200);
    const { failures, versions } = load.mark();
    expect({ failures, versions }).toEqual({ failures: [], versions: [version] });
  };

  test(
    'a good one takes over: its share is what the steps say, and not one request fails',
    async () => {
      await rollTo('1.1.0');
      for (const weight of [20, 60]) {
        await weightIs(weight);
        const { failures } = load.mark();
        expect(failures).toEqual([]);
        // The gateway learns of a weight within a second or so; what it answered meanwhile does not count.
        await load.answered(100);
        expect(load.mark().failures).toEqual([]);
        await load.answered(500);
        hasShare(load.mark(), weight);
      }
      await tenant.awaits('modeldeployment', 'times', { type: 'Ready', status: 'True' });
      expect(load.mark().failures).toEqual([]);
      await servesOnly('1.1.0');
      const story = await tenant.kubectl('describe', 'modeldeployment', 'times');
      expect(story).toMatch(/Version 1\.1\.0, step 1 of 4/);
      expect(story).toMatch(/Version 1\.1\.0 takes over/);
    },
    5 * MINUTES,
  );

  test.each<[Version, string, RegExp]>([
    [
      '1.2.0',
      'whose answers fail',
      /AnalysisFailed: request-success-rate is \S+ % on \d+ requests/,
    ],
    ['1.3.0', 'that is slow', /AnalysisFailed: request-duration \(quantile 0\.9\) is \S+ s on \d+/],
    [
      '1.4.0',
      'that takes all memory',
      /Crashing: pod times-candidate-\S+ was started 3 times again/,
    ],
  ])(
    'version %s, %s, is taken out, and the reason says so',
    async (version, _what, reason) => {
      await rollTo(version);
      expect(await rolledBack(version)).toMatch(reason);
      await servesOnly('1.1.0');
    },
    5 * MINUTES,
  );

  test(
    'one that does not load never gets a request',
    async () => {
      await tenant.awaits('modelversion', 'times-1.5.0', { type: 'Ready', status: 'True' });
      await flipByte(timesKey(tenant, '1.5.0'), 60);
      load.mark();
      await rollTo('1.5.0');
      expect(await rolledBack('1.5.0')).toMatch(/DigestMismatch/);
      const { failures, byVariant } = load.mark();
      expect(failures).toEqual([]);
      expect(Object.keys(byVariant)).toEqual(['stable']);
    },
    4 * MINUTES,
  );

  test(
    'the operator is killed at each step, a hand spoils the route, and it still comes to its end',
    async () => {
      load.mark();
      await rollTo('1.6.0');
      for (const weight of [20, 60]) {
        await weightIs(weight);
        expect(await killOperator()).toBeGreaterThan(0);
        await replaceOperatorPods();
        const patch = [{ op: 'replace', path: '/spec/http/0/route/0/weight', value: 0 }];
        await tenant.kubectl(
          'patch',
          'virtualservice',
          'times',
          '--type=json',
          `-p=${JSON.stringify(patch)}`,
        );
        await tenant.until('the route to be put back', 90, async () => {
          const route = await tenant.get('virtualservice', 'times');
          return at(route, 'spec.http.0.route.0.weight') === 100 - weight ? true : undefined;
        });
      }
      await tenant.awaits('modeldeployment', 'times', { type: 'Ready', status: 'True' });
      expect(load.mark().failures).toEqual([]);
      await servesOnly('1.6.0');
      expect(await tenant.kubectl('events')).toMatch(/RouteRestored/);
    },
    6 * MINUTES,
  );

  test(
    'without any traffic it waits, however long',
    async () => {
      await load.stop();
      await rollTo('1.0.0');
      const { message } = await tenant.awaits('modeldeployment', 'times', {
        ...{ type: 'Ready', reason: 'AnalysisInconclusive' },
      });
      expect(message).toMatch(/0 of 100 requests that are needed to judge/);
      const revision = textAt(await tenant.get('modeldeployment', 'times'), 'status.revision');
      expect(message).toContain(`mlops.pynomaly.io/promote=${revision}`);
    },
    3 * MINUTES,
  );
});
