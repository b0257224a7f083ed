import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { exactInterval } from '../../operator/statistics/binomial-bounds.ts';
import { GatewayLoad } from './harness/gateway-load.ts';
import { Gateway, GATEWAY, ISTIO_BUILD_MS } from './harness/gateway.ts';
import { at, listAt, textAt } from './harness/kubectl.ts';
import { deployment, modelAlias } from './harness/manifests.ts';
import { operatorIsReady } from './harness/operator-pods.ts';
import { Tenant } from './harness/tenant.ts';
import { timesModel, timesQuestion } from './harness/times-model.ts';

const MINUTES = 60_000;
const NAMESPACE = 'journey-load';
const HOST = 'load.example.com';
/** In all; a tenth in CI. */
const REQUESTS = process.env['SOAK'] === '1' ? 100_000 : 10_000;
const WEIGHTS = [10, 50, 90];
const PER_STEP = REQUESTS / (WEIGHTS.length + 2);
/** So seldom is a share outside its bounds by chance alone. */
const CHANCE = 1e-6;
/** For a step that takes so long besides its requests, of which a hundred a second is slow. */
const withRequests = (seconds: number): number => seconds * 1000 + (PER_STEP / 100) * 1000;

const QUESTION = timesQuestion(1, 2, 3, 4);

const SPEC = {
  predictor: {
    model: { modelRef: { name: 'times' }, alias: 'champion' },
    minReplicas: 1,
    maxReplicas: 3,
    resources: { requests: { cpu: '50m', memory: '128Mi' }, limits: { memory: '512Mi' } },
  },
  strategy: {
    canary: {
      steps: WEIGHTS.flatMap((setWeight) => [{ setWeight }, { pause: {} }]),
      scaleDownDelaySeconds: 10,
      trafficRouting: { istio: { gateways: [GATEWAY], hosts: [HOST] } },
    },
  },
};

describe(`A canary under constant load, ${REQUESTS} requests`, () => {
  let tenant: Tenant;
  let gateway: Gateway;
  let load: GatewayLoad;

  beforeAll(async () => {
    gateway = await Gateway.start();
    await operatorIsReady();
    tenant = await Tenant.named(NAMESPACE);
    await tenant.apply(
      ...(await timesModel(tenant, { '1.0.0': 'times-2', '1.1.0': 'times-3' })),
      deployment('times', 'times', SPEC),
    );
    await tenant.awaits('modeldeployment', 'times', { type: 'Ready', status: 'True' });
    const options = { host: HOST, model: 'times', question: QUESTION, clients: 8, restMs: 2 };
    load = await GatewayLoad.start(gateway, options);
  }, ISTIO_BUILD_MS);

  afterAll(async () => {
    await load.stop();
    await gateway.close();
    await tenant.abandon();
  }, 2 * MINUTES);

  const status = async (path: string): Promise<string> =>
    textAt(await tenant.get('modeldeployment', 'times'), `status.${path}`);
  const annotate = (annotation: string) =>
    tenant.kubectl('annotate', 'modeldeployment', 'times', '--overwrite', annotation);
  const weightIs = (weight: number) =>
    tenant.until(`a share of ${weight} %`, 120, async () => {
      const found = await tenant.get('modeldeployment', 'times');
      const first = listAt(found, 'status.weights')[0];
      return at(first, 'name') === 'candidate' && at(first, 'weight') === weight ? true : undefined;
    });
  const pausesAt = async (weight: number): Promise<string> => {
    await weightIs(weight);
    await tenant.awaits('modeldeployment', 'times', { type: 'Ready', reason: 'RolloutPaused' });
    return status('revision');
  };
  /** The gateway learns of a weight within a second or so; what it answered meanwhile does not count. */
  const counted = async (): Promise<ReturnType<GatewayLoad['mark']>> => {
    await load.answered(200);
    expect(load.mark().failures).toEqual([]);
    await load.answered(PER_STEP, 600);
    return load.mark();
  };

  test.each(WEIGHTS)(
    '%d % of the requests go to the new version, and none fails',
    async (weight) => {
      if (weight === WEIGHTS[0]) await tenant.apply(modelAlias('times', 'champion', '1.1.0'));
      const revision = await pausesAt(weight);
      const { total, byVariant, failures } = await counted();
      expect(failures).toEqual([]);
      const successes = byVariant['candidate'] ?? 0;
      const { lower, upper } = exactInterval({ successes, units: total }, CHANCE);
      expect(lower).toBeLessThanOrEqual(weight / 100);
      expect(upper).toBeGreaterThanOrEqual(weight / 100);
      await annotate(`mlops.pynomaly.io/promote=${revision}`);
    },
    withRequests(240),
  );

  test(
    'both versions have autoscalers that act meanwhile',
    async () => {
      await tenant.awaits('modeldeployment', 'times', { type: 'Ready', status: 'True' }, 240);
      expect(load.mark().failures).toEqual([]);
      await tenant.apply(modelAlias('times', 'champion', '1.0.0'));
      await pausesAt(10);
      for (const name of ['times', 'times-candidate']) {
        await tenant.until(`the autoscaler of ${name} to act`, 120, async () => {
          const found = await tenant.get('horizontalpodautoscaler', name);
          const active = listAt(found, 'status.conditions').find(
            (each) => at(each, 'type') === 'ScalingActive',
          );
          return at(active, 'status') === 'True' ? true : undefined;
        });
      }
      const scaled = await tenant.get('deployment.apps', 'times');
      expect(Number(at(scaled, 'spec.replicas'))).toBeGreaterThan(1);
    },
    8 * MINUTES,
  );

  test(
    'an abort takes the new version out, and none fails',
    async () => {
      const revision = await status('revision');
      await counted();
      await annotate(`mlops.pynomaly.io/abort=${revision}`);
      await tenant.awaits('modeldeployment', 'times', { type: 'Ready', reason: 'RolledBack' });
      await tenant.until('the candidate to be gone', 90, async () =>
        (await tenant.get('deployment.apps', 'times-candidate')) === undefined ? true : undefined,
      );
      expect(load.mark().failures).toEqual([]);
      const { failures, byVariant } = await counted();
      expect(failures).toEqual([]);
      expect(Object.keys(byVariant)).toEqual(['stable']);
    },
    withRequests(300),
  );
});
