import { beforeEach, describe, expect, test } from '@jest/globals';

import { deployment, type Deployment } from '../../../../crds/schema/deployment.ts';
import { modelAlias } from '../../../../crds/schema/model-alias.ts';
import { modelVersion } from '../../../../crds/schema/model-version.ts';
import { memoryMetricProbe, type MemoryMetricProbe } from '../../../probing/memory-metric-probe.ts';
import { ApiError } from '../../../runtime/cluster.ts';
import { VIRTUAL_SERVICE } from '../../../runtime/istio-types.ts';
import { APPS_DEPLOYMENT, JOB, POD } from '../../../runtime/kubernetes-types.ts';
import { ownType } from '../../../runtime/own-type.ts';
import {
  memoryTrafficMeter,
  type MemoryTrafficMeter,
} from '../../../scraping/memory-traffic-meter.ts';
import { noTraffic } from '../../../traffic/traffic.ts';
import type { AppsDeployment, Job } from '../../kubernetes-objects.ts';
import { aDeployment } from '../../testing/a-deployment.ts';
import { aReadyVersion, anAlias, meta, someDefaults } from '../../testing/builders.ts';
import { memoryOwnData } from '../../testing/own-data.ts';
import { key, World } from '../../testing/world.ts';
import type { AnalysisSpec } from './verdict.ts';
import { deploymentReconciler } from '../reconcile.ts';
import type { VirtualService } from '../routing.ts';

const DEPLOYMENT = ownType(deployment);
const [NAME, CANDIDATE] = [key('digits'), key('digits-candidate')];
const ERRORS = {
  name: 'errors',
  prometheus: { address: 'http://prometheus', query: 'errors{s="${candidate.service}"}' },
  thresholdRange: { max: 0.1 },
};
const SMOKE = {
  name: 'smoke',
  job: { spec: { template: { spec: { containers: [{ name: 'ask', image: 'ask' }] } } } },
};

let world: World;
let probe: MemoryMetricProbe;
let meter: MemoryTrafficMeter;
/** What the candidate has answered. */
let requests: number;

beforeEach(async () => {
  meter = memoryTrafficMeter();
  probe = memoryMetricProbe(() => world.now().getTime());
  requests = 500;
  world = new World([
    deploymentReconciler({
      children: someDefaults(),
      traffic: meter,
      probe,
      ownData: memoryOwnData(),
    }),
  ]);
  await world.put(ownType(modelVersion), aReadyVersion('1.0.0'));
  await world.put(ownType(modelVersion), aReadyVersion('1.1.0'));
  await world.put(ownType(modelAlias), anAlias('champion', '1.0.0'));
});

const pass = () => world.reconcile(DEPLOYMENT, NAME);
const ready = () => world.condition(DEPLOYMENT, NAME);
const uid = async () => (await world.get(DEPLOYMENT, NAME))?.metadata.uid ?? '';
const serve = async (name: typeof NAME): Promise<void> => {
  const found = await world.get<AppsDeployment>(APPS_DEPLOYMENT, name);
  if (found === undefined) return;
  const pods = found.spec.replicas ?? 1;
  await world.change(APPS_DEPLOYMENT, name, '/status', {
    observedGeneration: found.metadata.generation,
    ...{ replicas: pods, updatedReplicas: pods, availableReplicas: pods, readyReplicas: pods },
  });
};
/** Passes until nothing changes any more, with all pods coming up at once. */
const settle = async (): Promise<void> => {
  for (let i = 0; i < 5; i++) {
    await serve(NAME);
    await serve(CANDIDATE);
    await pass();
  }
};
/** An interval later. */
const later = async (seconds = 10): Promise<void> => {
  world.advance(seconds * 1000);
  await pass();
  await pass();
};

/** Version 1.1.0 comes up beside 1.0.0, and stands at 20 %. */
const canaryOf = async (metrics: readonly object[], more: object = {}): Promise<void> => {
  const analysis = { interval: '10s', minimumRequests: 100, metrics, ...more };
  const steps = [
    { setWeight: 20 },
    { pause: { duration: '1m' } },
    { setWeight: 50 },
    { pause: {} },
  ];
  const canary = {
    ...{ steps, scaleDownDelaySeconds: 30, analysis: analysis as unknown as AnalysisSpec },
    trafficRouting: { istio: { hosts: ['digits.example.com'] } },
  };
  const predictor = { replicas: 4 };
  await world.put<Deployment>(DEPLOYMENT, aDeployment({ predictor, strategy: { canary } }));
  meter.play(await uid(), { traffic: { ...noTraffic, requests } });
  await pass();
  await serve(NAME);
  await pass();
  await world.change(ownType(modelAlias), key('digits-champion'), '/spec/version', '1.1.0');
  await settle();
};
const weight = async (): Promise<number> => {
  const route = await world.get<VirtualService>(VIRTUAL_SERVICE, NAME);
  const weighted = route?.spec.http?.find(({ name }) => name === 'weighted')?.route ?? [];
  return weighted.find(({ destination }) => destination.host.includes('candidate'))?.weight ?? 0;
};
const jobs = () => world.list<Job>(JOB);
const jobEnds = async (name: string, type: 'Complete' | 'Failed', exitCode = 0): Promise<void> => {
  await world.change(JOB, key(name), '/status', { conditions: [{ type, status: 'True' }] });
  if (exitCode === 0) return;
  const labels = { 'batch.kubernetes.io/job-name': name };
  await world.put(POD, {
    metadata: { ...meta(`${name}-p`), labels },
    status: {
      containerStatuses: [
        { name: 'ask', state: { terminated: { exitCode, reason: 'Error', message: 'wrong sum' } } },
      ],
    },
  });
};

describe('a canary with metrics from elsewhere', () => {
  test('goes on while they are good', async () => {
    probe.play('errors', { is: 'value', value: 0.05 });
    await canaryOf([ERRORS]);
    await later(61);
    await settle();
    expect(await weight()).toBe(50);
    expect(new URLSearchParams(probe.asked[0]?.request.body).get('query')).toBe(
      'errors{s="digits-candidate"}',
    );
  });

  test('goes back in the pass that sees one out of its range, with the numbers', async () => {
    probe.play('errors', { is: 'value', value: 0.05 });
    await canaryOf([ERRORS]);
    expect(await weight()).toBe(20);
    probe.play('errors', { is: 'value', value: 0.4 });
    await later();
    expect(await weight()).toBe(0);
    expect(await ready()).toMatch(
      /^False RolledBack: Version 1.1.0 was taken out \(AnalysisFailed: errors is 0.4, wanted at most 0.1; 1 of \d+ measurement\(s\) bad, none is forgiven\)/,
    );
  });

  test('is not judged by what was said of the version before it, whose pods still leave', async () => {
    await world.put(ownType(modelVersion), aReadyVersion('1.2.0'));
    const web = { name: 'errors', web: { url: 'http://kpi' }, thresholdRange: { max: 0.1 } };
    probe.play('errors', { is: 'value', value: 0.4 });
    await canaryOf([web]);
    await later();
    expect(await ready()).toMatch(/^False RolledBack: Version 1.1.0 /);
    expect(await world.get(APPS_DEPLOYMENT, CANDIDATE)).toBeDefined();
    probe.play('errors', { is: 'value', value: 0.05 });
    await world.change(ownType(modelAlias), key('digits-champion'), '/spec/version', '1.2.0');
    await settle();
    expect(await weight()).toBe(20);
    await later(61);
    await settle();
    expect(await weight()).toBe(50);
  });

  test('goes back even where too few requests came to judge the others', async () => {
    requests = 0;
    probe.play('errors', { is: 'value', value: 0.4 });
    await canaryOf([ERRORS, { name: 'request-success-rate', thresholdRange: { min: 0.9 } }]);
    await later();
    expect(await ready()).toContain('AnalysisFailed: errors is 0.4');
  });

  test.each([
    [{ is: 'no-data', words: 'no series fits the query' }, 'errors: no series fits the query'],
    [{ is: 'error', words: 'no answer within 5 s' }, 'errors: no answer within 5 s'],
  ] as const)('waits for ever on %j', async (reading, words) => {
    probe.play('errors', reading);
    await canaryOf([ERRORS]);
    for (let i = 0; i < 20; i++) await later();
    expect(await weight()).toBe(20);
    expect(await ready()).toMatch(/^False AnalysisInconclusive: /);
    expect(await ready()).toContain(`it waits for better numbers (${words})`);
  });

  test('waits for requests although they are good', async () => {
    requests = 0;
    probe.play('errors', { is: 'value', value: 0 });
    await canaryOf([ERRORS]);
    await later(61);
    expect(await ready()).toContain('0 of 100 requests that are needed to judge');
  });

  test('does not count what was measured at an earlier share, or in the initial delay', async () => {
    probe.play('errors', { is: 'value', value: 0.05 });
    await canaryOf([{ ...ERRORS, initialDelay: '2m' }]);
    await later(61);
    expect(probe.asked).toEqual([]);
    expect(await ready()).toContain('errors: not measured yet');
    await later(70);
    await settle();
    expect(await weight()).toBe(50);
  });

  test('says which placeholder stands for nothing', async () => {
    await canaryOf([{ ...ERRORS, prometheus: { ...ERRORS.prometheus, query: '${candidate.x}' } }]);
    await later(61);
    expect(await ready()).toContain('errors: not measured yet (${candidate.x} stands for nothing');
  });

  test('forgets all when it is over', async () => {
    probe.play('errors', { is: 'value', value: 0.4 });
    await canaryOf([ERRORS]);
    await later();
    await later(40);
    await settle();
    expect(await world.get(APPS_DEPLOYMENT, CANDIDATE)).toBeUndefined();
    const [{ id } = { id: '' }] = probe.asked;
    expect(probe.measurements(await uid(), id, new Date(0))).toEqual([]);
    expect(probe.forgotten).toContain(await uid());
  });
});

describe('a canary with a Job as a metric', () => {
  test('runs it once at its share, without requests, and goes on when it succeeds', async () => {
    requests = 0;
    await canaryOf([SMOKE]);
    const [job, ...others] = await jobs();
    expect(others).toEqual([]);
    await later(61);
    expect(await ready()).toContain(
      `smoke: not measured yet (Job ${job?.metadata.name} is under way)`,
    );
    await jobEnds(job?.metadata.name ?? '', 'Complete');
    await settle();
    expect(await weight()).toBe(50);
    // At the new share it runs again.
    const names = (await jobs()).map(({ metadata }) => metadata.name);
    expect(names).toHaveLength(2);
  });

  test('does not run it twice when the operator forgets all', async () => {
    await canaryOf([SMOKE]);
    const before = await jobs();
    world.restart();
    await settle();
    expect(await jobs()).toEqual(before);
  });

  test('goes back when it fails, with the exit code and the last words', async () => {
    await canaryOf([SMOKE]);
    const name = (await jobs())[0]?.metadata.name ?? '';
    await jobEnds(name, 'Failed', 3);
    await later(20);
    expect(await weight()).toBe(0);
    expect(await ready()).toContain(
      `AnalysisFailed: smoke is false: Job ${name} failed: container ask ended with Error, exit code 3: wrong sum (kubectl logs job/${name} -n demo); 1 of 1 measurement(s) bad, none is forgiven`,
    );
    await settle();
    // Its log stays to be read.
    expect(await jobs()).toHaveLength(1);
  });

  test('runs it again after an interval where a failure is forgiven', async () => {
    await canaryOf([{ ...SMOKE, failureLimit: 1 }]);
    const first = (await jobs())[0]?.metadata.name ?? '';
    await jobEnds(first, 'Failed', 3);
    await later();
    const names = (await jobs()).map(({ metadata }) => metadata.name);
    expect(names).toEqual([first, first.replace(/-0$/, '-1')]);
    await jobEnds(names[1] ?? '', 'Complete');
    await later(61);
    await settle();
    expect(await weight()).toBe(50);
  });

  test('ends one that runs when the canary is taken back for another reason', async () => {
    probe.play('errors', { is: 'value', value: 0.05 });
    await canaryOf([SMOKE, ERRORS]);
    expect(await jobs()).toHaveLength(1);
    probe.play('errors', { is: 'value', value: 0.5 });
    await later();
    expect(await ready()).toContain('AnalysisFailed: errors is 0.5');
    expect(await jobs()).toEqual([]);
  });

  test('waits where the cluster refuses it, in the words of the cluster', async () => {
    world.through = (cluster) =>
      new Proxy(cluster, {
        get: (target, name) =>
          name === 'create'
            ? () => Promise.reject(new ApiError(422, 'Invalid', 'spec.template: Required value'))
            : (Reflect.get(target, name) as () => unknown).bind(target),
      });
    await canaryOf([SMOKE]);
    await later(61);
    expect(await weight()).toBe(20);
    expect(await ready()).toMatch(
      /^False AnalysisInconclusive: .* Not measured: smoke: the cluster refuses Job digits-check-\S+-0: spec.template: Required value\./,
    );
  });
});
