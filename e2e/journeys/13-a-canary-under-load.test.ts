import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { GatewayLoad } from './harness/gateway-load.ts';
import { Gateway, GATEWAY, ISTIO_BUILD_MS } from './harness/gateway.ts';
import { at, listAt } from './harness/kubectl.ts';
import { deployment } from './harness/manifests.ts';
import { namePods } from './harness/named-pods.ts';
import { operatorIsReady } from './harness/operator-pods.ts';
import { misdirected, POD_FIELDS } from './harness/pod-readiness.ts';
import { expectShare, givenRollout, type Rollout } from './harness/rollout.ts';
import { Tenant } from './harness/tenant.ts';
import { timesModel, timesQuestion } from './harness/times-model.ts';
import { Watched } from './harness/watched.ts';

const MINUTES = 60_000;
const NAMESPACE = 'journey-load';
const HOST = 'load.example.com';
/** In all; a tenth in CI. */
const REQUESTS = process.env['SOAK'] === '1' ? 100_000 : 10_000;
const WEIGHTS = [10, 50, 90];
const PER_STEP = REQUESTS / (WEIGHTS.length + 2);
const SCALE_DOWN_DELAY_SECONDS = 10;
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
      scaleDownDelaySeconds: SCALE_DOWN_DELAY_SECONDS,
      trafficRouting: { istio: { gateways: [GATEWAY], hosts: [HOST] } },
    },
  },
};

describe(`A canary under constant load, ${REQUESTS} requests`, () => {
  let tenant: Tenant;
  let gateway: Gateway;
  let load: GatewayLoad;
  let times: Rollout;
  let pods: Watched<keyof typeof POD_FIELDS>;
  let forgetPods = async (): Promise<void> => undefined;

  beforeAll(async () => {
    gateway = await Gateway.start();
    await operatorIsReady();
    tenant = await Tenant.named(NAMESPACE);
    times = givenRollout(tenant, 'times');
    await tenant.apply(
      ...(await timesModel(tenant, { '1.0.0': 'times-2', '1.1.0': 'times-3' })),
      deployment('times', 'times', SPEC),
    );
    await times.then.serves();
    pods = await Watched.start(NAMESPACE, 'pods', POD_FIELDS);
    forgetPods = await namePods();
    const options = { host: HOST, model: 'times', question: QUESTION, clients: 8, restMs: 2 };
    load = await GatewayLoad.start(gateway, options);
  }, ISTIO_BUILD_MS);

  afterAll(async () => {
    await load.stop();
    await forgetPods();
    await gateway.close();
    await tenant.abandon();
  }, 2 * MINUTES);

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
      if (weight === WEIGHTS[0]) await times.when.wants('1.1.0');
      const revision = await times.then.pausesAt(weight);
      const answers = await counted();
      expect(answers.failures).toEqual([]);
      expectShare(answers, weight);
      await times.when.isPromoted(revision);
    },
    withRequests(240),
  );

  test(
    'both versions have autoscalers that act meanwhile',
    async () => {
      await times.then.serves(240);
      expect(load.mark().failures).toEqual([]);
      await times.when.wants('1.0.0');
      await times.then.pausesAt(10);
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
    'an abort takes the new version out, its requests before its pods, and none fails',
    async () => {
      await counted();
      const routes = await Watched.start(NAMESPACE, 'virtualservices', {
        candidate: '.spec.http[?(@.name=="weighted")].route[*].destination.host',
      });
      await times.when.isAborted(await times.then.revision());
      await tenant.awaits('modeldeployment', 'times', { type: 'Ready', reason: 'RolledBack' });
      await times.then.candidateIsGone();
      expect(load.mark().failures).toEqual([]);
      const { failures, byVariant } = await counted();
      expect(failures).toEqual([]);
      expect(Object.keys(byVariant)).toEqual(['stable']);
      routes.stop();
      const withoutCandidate = routes.changes.find(
        ({ fields }) => !fields.candidate.includes('times-candidate.'),
      );
      const began = routes.changes[0]?.at ?? 0;
      // Pods of the rollout before may still be on their way out, and are heard of until they are gone.
      const stopped = () =>
        pods.changes.filter(
          ({ fields }) => fields.name.startsWith('times-candidate-') && fields.stops !== '',
        );
      const firstStopped = await tenant.until('the pods of the candidate to stop', 60, async () =>
        stopped().find(
          ({ at: when, fields: { name } }, index, all) =>
            when > began && all.findIndex(({ fields }) => fields.name === name) === index,
        ),
      );
      const stayedMs = firstStopped.at - (withoutCandidate?.at ?? Infinity);
      // The operator counts from the second it wrote the route in.
      expect(stayedMs).toBeGreaterThan((SCALE_DOWN_DELAY_SECONDS - 2) * 1000);
    },
    withRequests(300),
  );

  test('in all that time not one request went to a pod that was not ready', () => {
    pods.stop();
    expect(load.answersOfPods.length).toBeGreaterThan(REQUESTS);
    // Of both versions, of pods that came with a rollout, and of those the autoscalers made.
    expect(new Set(load.answersOfPods.map(({ ip }) => ip)).size).toBeGreaterThan(3);
    expect(load.repeated).toBe(0);
    expect(misdirected(load.answersOfPods, pods.changes).slice(0, 5)).toEqual([]);
  });
});
