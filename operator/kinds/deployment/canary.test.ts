import { beforeEach, describe, expect, test } from '@jest/globals';

import { deployment, type Deployment } from '../../../crds/schema/deployment.ts';
import { modelAlias } from '../../../crds/schema/model-alias.ts';
import { modelVersion } from '../../../crds/schema/model-version.ts';
import { ANNOTATIONS, LABELS } from '../../../crds/schema/names.ts';
import {
  APPS_DEPLOYMENT,
  HORIZONTAL_POD_AUTOSCALER,
  POD,
  REPLICA_SET,
  SERVICE,
} from '../../runtime/kubernetes-types.ts';
import { FeatureSketch } from '../../../serving-runtime/sketches/feature-sketch.ts';
import { VIRTUAL_SERVICE } from '../../runtime/istio-types.ts';
import { ownType } from '../../runtime/own-type.ts';
import { memoryMetricProbe } from '../../probing/memory-metric-probe.ts';
import {
  memoryTrafficMeter,
  type MemoryTrafficMeter,
} from '../../scraping/memory-traffic-meter.ts';
import type { LabelStore } from '../../store/labels.ts';
import { memoryLabelStore } from '../../store/memory-labels.ts';
import { memoryPredictionStore } from '../../store/memory-predictions.ts';
import type { AppsDeployment } from '../kubernetes-objects.ts';
import { aDeployment, aReplicaSet } from '../testing/a-deployment.ts';
import { aReadyVersion, anAlias, meta, someDefaults } from '../testing/builders.ts';
import { key, World } from '../testing/world.ts';
import type { CanarySpec } from './canary.ts';
import { ownDataReader } from './own-data.ts';
import { deploymentReconciler } from './reconcile.ts';
import { type VirtualService } from './routing.ts';

const DEPLOYMENT = ownType(deployment);
const NAME = key('digits');
const CANDIDATE = key('digits-candidate');
const MINUTE = 60_000;

let world: World;
let meter: MemoryTrafficMeter;
let predictions: ReturnType<typeof memoryPredictionStore>;
let labels: LabelStore;

beforeEach(async () => {
  meter = memoryTrafficMeter();
  predictions = memoryPredictionStore();
  labels = memoryLabelStore(predictions);
  const ownData = ownDataReader({ predictions, labels });
  const probe = memoryMetricProbe(() => 0);
  const ports = { children: someDefaults(), traffic: meter, ownData, probe };
  world = new World([deploymentReconciler(ports)]);
  await world.put(ownType(modelVersion), aReadyVersion('1.0.0'));
  await world.put(ownType(modelVersion), aReadyVersion('1.1.0'));
  await world.put(ownType(modelAlias), anAlias('champion', '1.0.0'));
});

const STEPS: CanarySpec['steps'] = [
  { setWeight: 20 },
  { pause: { duration: '1m' } },
  { setWeight: 50 },
  { pause: {} },
];
const ISTIO = { istio: { gateways: ['istio-system/gateway'], hosts: ['digits.example.com'] } };
const ANALYSIS: CanarySpec['analysis'] = {
  interval: '10s',
  minimumRequests: 100,
  metrics: [{ name: 'request-success-rate', thresholdRange: { min: 0.99 } }],
};

/** Version 1.0.0 serves and 1.1.0 is wanted. */
const canaryOf = async (
  parts: Partial<CanarySpec> = {},
  predictor: Parameters<typeof aDeployment>[0] = { predictor: { replicas: 4 } },
): Promise<void> => {
  const canary = { steps: STEPS, trafficRouting: ISTIO, scaleDownDelaySeconds: 30, ...parts };
  await world.put<Deployment>(DEPLOYMENT, aDeployment({ ...predictor, strategy: { canary } }));
  await pass();
  await serve(NAME);
  await pass();
  await promote('1.1.0');
};

const promote = (version: string) =>
  world.change(ownType(modelAlias), key('digits-champion'), '/spec/version', version);
const pass = () => world.reconcile(DEPLOYMENT, NAME);
const annotate = (name: string, value: string) =>
  world.change(DEPLOYMENT, NAME, '/metadata/annotations', { [name]: value });
const ready = () => world.condition(DEPLOYMENT, NAME);
const statusOf = async () => (await world.get<Deployment>(DEPLOYMENT, NAME))?.status;
const apps = (name = NAME) => world.get<AppsDeployment>(APPS_DEPLOYMENT, name);
const versionOf = async (name = NAME) =>
  (await apps(name))?.spec.template.metadata?.labels?.[LABELS.modelVersion];

/** What the deployment controller would do: all pods of the template serve, or `available` of them. */
const serve = async (name: typeof NAME, available?: number): Promise<void> => {
  const found = await apps(name);
  const replicas = found?.spec.replicas ?? 1;
  await world.change(APPS_DEPLOYMENT, name, '/status', {
    observedGeneration: found?.metadata.generation,
    replicas,
    updatedReplicas: replicas,
    availableReplicas: available ?? replicas,
    readyReplicas: available ?? replicas,
  });
};

/** Percent by destination, as the route says. */
const weights = async (): Promise<Readonly<Record<string, number>>> => {
  const route = await world.get<VirtualService>(VIRTUAL_SERVICE, NAME);
  const weighted = route?.spec.http?.find(({ name }) => name === 'weighted')?.route ?? [];
  return Object.fromEntries(
    weighted.map(({ destination: { host }, weight }) => [host.split('.')[0] ?? '', weight ?? 0]),
  );
};

/** Passes until nothing changes any more, with all pods coming up at once. */
const settle = async (): Promise<void> => {
  for (let i = 0; i < 6; i++) {
    for (const name of [NAME, CANDIDATE]) if ((await apps(name)) !== undefined) await serve(name);
    await pass();
  }
};

describe('a new version', () => {
  test('gets nothing before its pods are ready, then what the step says', async () => {
    await canaryOf();
    await pass();
    expect(await weights()).toEqual({ digits: 100 });
    // A fifth of 4 pods, rounded up.
    expect((await apps(CANDIDATE))?.spec.replicas).toBe(1);
    expect(await versionOf()).toBe('digits-1.0.0');
    expect(await versionOf(CANDIDATE)).toBe('digits-1.1.0');
    expect(await ready()).toContain('0 of 1 pod(s) of it are ready');
    await world.put(REPLICA_SET, aReplicaSet('1.0.0', 4));
    await serve(CANDIDATE);
    await pass();
    expect(await weights()).toEqual({ digits: 80, 'digits-candidate': 20 });
    expect(await statusOf()).toMatchObject({
      servedVersion: '1.0.0',
      candidateVersion: '1.1.0',
      weights: [
        { name: 'candidate', version: '1.1.0', weight: 20 },
        { name: 'stable', version: '1.0.0', weight: 80 },
      ],
    });
  });

  test('says what the cluster has against its pods', async () => {
    await canaryOf();
    await pass();
    await world.change(APPS_DEPLOYMENT, CANDIDATE, '/status', {
      observedGeneration: (await apps(CANDIDATE))?.metadata.generation,
      conditions: [{ type: 'ReplicaFailure', status: 'True', message: 'exceeded quota: small' }],
    });
    await pass();
    expect(await ready()).toContain(
      '0 of 1 pod(s) of it are ready; the cluster refuses pods: exceeded quota: small',
    );
  });

  test('goes through all steps, takes over, and its own pods go in the end', async () => {
    await canaryOf();
    await settle();
    expect(await ready()).toMatch(/^False RolloutProgressing: .*20 %.*step 2 of 4.*lasts until/);
    world.advance(MINUTE);
    await settle();
    expect(await weights()).toEqual({ digits: 50, 'digits-candidate': 50 });
    expect((await apps(CANDIDATE))?.spec.replicas).toBe(2);
    const { revision = '' } = (await statusOf()) ?? {};
    expect(await ready()).toContain(
      `RolloutPaused: Version 1.1.0 gets 50 % of the requests (step 4 of 4): it waits until somebody goes on. To go on: kubectl annotate modeldeployment digits -n demo --overwrite mlops.pynomaly.io/promote=${revision}`,
    );
    await annotate(ANNOTATIONS.promote, revision);
    await pass();
    expect((await apps(CANDIDATE))?.spec.replicas).toBe(4);
    expect(await weights()).toEqual({ digits: 50, 'digits-candidate': 50 });
    await serve(CANDIDATE);
    await pass();
    expect(await weights()).toEqual({ 'digits-candidate': 100 });
    expect(await versionOf()).toBe('digits-1.1.0');
    await serve(NAME);
    await pass();
    expect(await weights()).toEqual({ digits: 100 });
    expect(await ready()).toMatch(/^True Ready: Version 1.1.0 serves all requests on 4 pod/);
    expect(await apps(CANDIDATE)).toBeDefined();
    world.advance(31_000);
    await pass();
    expect(await apps(CANDIDATE)).toBeUndefined();
    expect(await world.get(SERVICE, CANDIDATE)).toBeUndefined();
  });

  test('keeps its place when the operator is another one', async () => {
    await canaryOf();
    await settle();
    world.restart();
    await settle();
    expect(await weights()).toEqual({ digits: 80, 'digits-candidate': 20 });
    expect((await statusOf())?.currentStepIndex).toBe(1);
  });

  test('loses its share as soon as none of its pods is ready', async () => {
    await canaryOf();
    await settle();
    await serve(CANDIDATE, 0);
    await pass();
    expect(await weights()).toEqual({ digits: 100 });
  });

  test('is taken out when its pods crash again and again; those of the one before say nothing', async () => {
    await canaryOf();
    await settle();
    const crashing = async (version: string): Promise<void> => {
      await world.put(POD, {
        metadata: meta(`digits-candidate-${version}`, {
          labels: {
            [LABELS.deployment]: 'digits',
            [LABELS.variant]: 'candidate',
            [LABELS.modelVersion]: `digits-${version}`,
          },
        }),
        status: {
          containerStatuses: [
            {
              name: 'serving',
              restartCount: 3,
              lastState: { terminated: { exitCode: 137, reason: 'OOMKilled' } },
            },
          ],
        },
      });
    };
    await crashing('0.9.0');
    await pass();
    expect(await ready()).toMatch(/^False RolloutProgressing/);
    await crashing('1.1.0');
    await pass();
    expect(await ready()).toMatch(
      /^False RolledBack: .*Crashing: pod digits-candidate-1.1.0 was started 3 times again .*OOMKilled/,
    );
    expect(await weights()).toEqual({ digits: 100 });
  });

  test('makes way for a newer one, which starts from the first step', async () => {
    await world.put(ownType(modelVersion), aReadyVersion('1.2.0'));
    await canaryOf();
    await settle();
    await promote('1.2.0');
    await pass();
    expect(await weights()).toEqual({ digits: 100 });
    expect(await versionOf(CANDIDATE)).toBe('digits-1.2.0');
    expect((await statusOf())?.currentStepIndex).toBe(0);
  });

  test('is taken out again when the alias goes back', async () => {
    await canaryOf();
    await settle();
    await promote('1.0.0');
    await pass();
    expect(await weights()).toEqual({ digits: 100 });
    expect(await ready()).toMatch(/^True Ready/);
    world.advance(31_000);
    await pass();
    expect(await apps(CANDIDATE)).toBeUndefined();
  });

  test('takes over without steps where it served within the rollback window', async () => {
    await canaryOf({ steps: [{ setWeight: 50 }], rollbackWindow: { revisions: 1 } });
    await settle();
    await settle();
    expect(await ready()).toMatch(/^True Ready: Version 1.1.0/);
    world.advance(31_000);
    await pass();
    await promote('1.0.0');
    await pass();
    expect(await versionOf()).toBe('digits-1.0.0');
    expect(await apps(CANDIDATE)).toBeUndefined();
  });

  test('is watched by an autoscaler of its own, which keeps what the step needs', async () => {
    await canaryOf({}, { predictor: { minReplicas: 2, maxReplicas: 8 } });
    await settle();
    expect(await world.get(HORIZONTAL_POD_AUTOSCALER, CANDIDATE)).toMatchObject({
      spec: { minReplicas: 1, maxReplicas: 8, scaleTargetRef: { name: 'digits-candidate' } },
    });
    expect(await world.get(HORIZONTAL_POD_AUTOSCALER, NAME)).toMatchObject({
      spec: { minReplicas: 2, maxReplicas: 8 },
    });
  });
});

describe('the metrics of the new version', () => {
  const played = async (requests: number, failures: number): Promise<void> => {
    const durations = { bounds: [], counts: [0] };
    const { uid = '' } = (await world.get(DEPLOYMENT, NAME))?.metadata ?? {};
    meter.play(uid, { traffic: { requests, failures, durations } });
  };
  /** With a new measurement. */
  const next = async () => {
    world.advance(MINUTE);
    await pass();
    await pass();
  };

  test('are awaited: without requests it goes no further, however long', async () => {
    await canaryOf({ analysis: ANALYSIS });
    await settle();
    await next();
    await next();
    expect(await ready()).toMatch(
      /^False AnalysisInconclusive: .*20 %.*0 of 100 requests that are needed to judge/,
    );
    expect(await weights()).toEqual({ digits: 80, 'digits-candidate': 20 });
  });

  test('let it go on when they are good', async () => {
    await canaryOf({ analysis: ANALYSIS });
    await played(200, 0);
    await settle();
    await next();
    await settle();
    expect(await weights()).toEqual({ digits: 50, 'digits-candidate': 50 });
  });

  test('bring the old one back in one pass when they are surely bad, and say why', async () => {
    await canaryOf({ analysis: ANALYSIS });
    await settle();
    await played(200, 40);
    await next();
    expect(await weights()).toEqual({ digits: 100 });
    expect(await ready()).toMatch(
      /^False RolledBack: Version 1.1.0 was taken out \(AnalysisFailed: request-success-rate is 80 % on 200 requests, wanted at least 99 %\)/,
    );
    expect(await versionOf()).toBe('digits-1.0.0');
    expect((await apps())?.spec.replicas).toBe(4);
    world.advance(31_000);
    await pass();
    expect(await apps(CANDIDATE)).toBeUndefined();
    await settle();
    expect(await apps(CANDIDATE)).toBeUndefined();
  });

  test('that are neither good nor surely bad keep it where it is', async () => {
    await canaryOf({ analysis: ANALYSIS });
    await settle();
    await played(200, 3);
    await next();
    await settle();
    expect(await ready()).toMatch(/^False AnalysisInconclusive: .*request-success-rate is 98.5 %/);
  });

  test('are asked of the pods that have an address', async () => {
    await canaryOf({ analysis: ANALYSIS });
    await settle();
    await world.put(POD, {
      metadata: meta('digits-candidate-a', {
        labels: {
          [LABELS.deployment]: 'digits',
          [LABELS.variant]: 'candidate',
          [LABELS.modelVersion]: 'digits-1.1.0',
        },
      }),
      status: { podIP: '198.51.100.7' },
    });
    await next();
    expect(meter.measurements.at(-1)?.pods).toEqual([
      expect.objectContaining({ name: 'digits-candidate-a', ip: '198.51.100.7', port: 8080 }),
    ]);
  });
});

describe('labels and sketches of the new version', () => {
  const OWN: CanarySpec['analysis'] = {
    ...{ interval: '10s', minimumRequests: 100 },
    metrics: [
      { name: 'prediction-error', thresholdRange: { max: 0.1 } },
      { name: 'drift', thresholdRange: { max: 0.2 } },
    ],
  };
  const next = async () => {
    world.advance(MINUTE);
    await pass();
    await pass();
  };
  const record = (value: number): string =>
    JSON.stringify({ outputs: [{ name: 'Y', shape: [1], data: [value] }] });
  /** The version answered so often, so often with another number than the truth. */
  const answered = async (version: string, answers: number, wrong: number): Promise<void> => {
    const at = world.now().toISOString();
    const ids = Array.from({ length: answers }, (_, i) => `${version}-${at}-${String(i)}`);
    const logged = ids.map((id, i) => ({
      ...{ id, at, version, status: 200, latencyMs: 1, unit: undefined, variant: undefined },
      record: record(i < wrong ? 9 : 1),
    }));
    const sketch = new FeatureSketch();
    ids.forEach((_, i) => {
      sketch.addNumber(i < wrong ? 9 : 1);
    });
    const window = { version, role: 'output', feature: 'Y', windowStart: at, windowMs: 1 } as const;
    await predictions.append(NAME_OF_LOG, {
      ...{ batchId: `${version} ${at}`, predictions: logged },
      sketches: [{ ...window, sketch: JSON.stringify(sketch.summary()) }],
    });
    const sent = ids.map((predictionId) => ({ predictionId, output: undefined, truths: [1] }));
    await labels.append(NAME_OF_LOG, sent, world.now().getTime());
  };
  const played = async (): Promise<void> => {
    const { uid = '' } = (await world.get(DEPLOYMENT, NAME))?.metadata ?? {};
    const durations = { bounds: [], counts: [0] };
    meter.play(uid, { traffic: { requests: 1000, failures: 0, durations } });
  };
  const NAME_OF_LOG = { namespace: 'demo', name: 'digits' };

  beforeEach(async () => {
    await canaryOf({ analysis: OWN });
    await settle();
    await played();
    await next();
  });

  test('are awaited: nothing is promoted without them', async () => {
    await next();
    await settle();
    expect(await ready()).toMatch(
      /AnalysisInconclusive: .*0 of 100 labels of version 1.1.0 .*POST the truth to .*namespaces.demo.modeldeployments.digits.labels/,
    );
    expect(await weights()).toEqual({ digits: 80, 'digits-candidate': 20 });
  });

  test('let it go on when they are good', async () => {
    await answered('1.0.0', 400, 0);
    await answered('1.1.0', 300, 3);
    await next();
    await settle();
    expect(await weights()).toEqual({ digits: 50, 'digits-candidate': 50 });
  });

  test('bring the old one back in one pass when its answers are wrong', async () => {
    await answered('1.1.0', 200, 80);
    await next();
    expect(await weights()).toEqual({ digits: 100 });
    expect(await ready()).toMatch(
      /^False RolledBack: .*AnalysisFailed: prediction-error \(share of wrong answers\) is 40 % on 200 labels, wanted at most 10 %/,
    );
  });

  test('bring the old one back when its answers are distributed differently, whatever is true', async () => {
    await answered('1.0.0', 400, 200);
    await answered('1.1.0', 300, 0);
    await next();
    expect(await ready()).toMatch(
      /^False RolledBack: .*AnalysisFailed: drift \(population stability index\) of Y is \S+ on 300 values of version 1.1.0 against 400 of 1.0.0, wanted at most 0.2/,
    );
  });
});

describe('a person', () => {
  test('ends it, and tries it again', async () => {
    await canaryOf();
    await settle();
    const { revision = '' } = (await statusOf()) ?? {};
    await annotate(ANNOTATIONS.abort, revision);
    await pass();
    expect(await weights()).toEqual({ digits: 100 });
    expect(await ready()).toMatch(/^False RolledBack: .*Aborted/);
    const attempt = (await statusOf())?.revision ?? '';
    await annotate(ANNOTATIONS.retry, attempt);
    await settle();
    expect(await weights()).toEqual({ digits: 80, 'digits-candidate': 20 });
  });

  test('who names another revision is told so', async () => {
    await canaryOf();
    await settle();
    await annotate(ANNOTATIONS.promote, 'something.1');
    world.advance(10_000);
    await pass();
    expect((await statusOf())?.currentStepIndex).toBe(1);
    expect(world.events).toContainEqual(expect.objectContaining({ reason: 'AnnotationIgnored' }));
  });

  test('holds it at its step', async () => {
    await canaryOf();
    await settle();
    const { revision = '' } = (await statusOf()) ?? {};
    await annotate(ANNOTATIONS.pause, revision.split('.')[0] ?? '');
    world.advance(10 * MINUTE);
    await settle();
    expect(await ready()).toMatch(/^False RolloutPaused: .*held by the annotation/);
  });

  test('promotes it in full', async () => {
    await canaryOf();
    await settle();
    const { revision = '' } = (await statusOf()) ?? {};
    await annotate(ANNOTATIONS.promote, `${revision.split('.')[0] ?? ''}.full`);
    await settle();
    expect(await ready()).toMatch(/^True Ready: Version 1.1.0/);
  });
});

describe('the route', () => {
  test('that somebody changed or deleted is put back, with an Event', async () => {
    await canaryOf();
    await settle();
    await world.change(VIRTUAL_SERVICE, NAME, '/spec/http/0/route/0/weight', 1);
    await pass();
    expect(await weights()).toEqual({ digits: 80, 'digits-candidate': 20 });
    const restored = () => world.events.filter(({ reason }) => reason === 'RouteRestored').length;
    expect(restored()).toBe(1);
    const live = await world.get<VirtualService>(VIRTUAL_SERVICE, NAME);
    await world.cluster.delete(VIRTUAL_SERVICE, NAME, { uid: live?.metadata.uid ?? '' });
    await pass();
    expect(await weights()).toEqual({ digits: 80, 'digits-candidate': 20 });
    expect(restored()).toBe(2);
    await pass();
    expect(restored()).toBe(2);
  });

  test('does not take a host that an older route elsewhere has', async () => {
    const theirs = {
      metadata: {
        ...meta('theirs'),
        namespace: 'other',
        creationTimestamp: '2020-01-01T00:00:00Z',
      },
      spec: { hosts: ['digits.example.com'], gateways: ['istio-system/gateway'], http: [] },
    };
    await world.put(VIRTUAL_SERVICE, theirs);
    await canaryOf();
    const route = await world.get<VirtualService>(VIRTUAL_SERVICE, NAME);
    expect(route?.spec.hosts).toEqual(['digits.demo.svc.cluster.local']);
    expect(await world.condition(DEPLOYMENT, NAME, 'TrafficRouting')).toMatch(
      /^False HostTaken: Host digits.example.com belongs to VirtualService theirs in namespace other/,
    );
  });

  test('sends copies and requests with a header to the new version', async () => {
    const match = [{ headerName: 'X-Tester', exact: 'yes' }];
    await canaryOf({
      steps: [
        { setHeaderRoute: { name: 'testers', match } },
        { setMirrorRoute: { name: 'shadow', percentage: 35 } },
        { pause: {} },
      ],
    });
    await settle();
    const route = await world.get<VirtualService>(VIRTUAL_SERVICE, NAME);
    expect(route?.spec.http).toMatchObject([
      {
        match: [{ headers: { 'x-tester': { exact: 'yes' } } }],
        route: [{ destination: { host: 'digits-candidate.demo.svc.cluster.local' } }],
      },
      { name: 'weighted', mirrors: [{ percentage: { value: 35 } }] },
    ]);
    expect(await weights()).toEqual({ digits: 100 });
  });

  test('is not there without Istio, and pods behind one Service split the requests', async () => {
    world.missing.add('virtualservices');
    await canaryOf();
    await settle();
    expect(await world.get(VIRTUAL_SERVICE, NAME)).toBeUndefined();
    expect(await world.get(SERVICE, NAME)).toMatchObject({
      spec: { selector: { [LABELS.deployment]: 'digits' } },
    });
    expect(await world.condition(DEPLOYMENT, NAME, 'TrafficRouting')).toMatch(
      /^False TrafficRoutingUnavailable/,
    );
    expect((await apps(CANDIDATE))?.spec.replicas).toBe(1);
  });

  test('is looked for now and then where Istio may come later', async () => {
    world.missing.add('virtualservices');
    await canaryOf();
    await promote('1.0.0');
    expect(await pass()).toEqual({ requeueAfterMs: 30_000 });
  });
});
