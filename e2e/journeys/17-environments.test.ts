import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { GatewayLoad } from './harness/gateway-load.ts';
import { Gateway, GATEWAY, ISTIO_BUILD_MS } from './harness/gateway.ts';
import { at, textAt } from './harness/kubectl.ts';
import { deployment, modelAlias } from './harness/manifests.ts';
import { killOperator, operatorIsReady, replaceOperatorPods } from './harness/operator-pods.ts';
import { RestUser } from './harness/rest.ts';
import { Caller } from './harness/serving.ts';
import { REPOSITORY, settings } from './harness/settings.ts';
import { Tenant, type Manifest } from './harness/tenant.ts';
import { timesModel, timesQuestion } from './harness/times-model.ts';

const MINUTES = 60_000;
const NAMESPACE = 'journey-environments';
const ENVIRONMENTS = ['dev', 'staging', 'production'] as const;
type Environment = (typeof ENVIRONMENTS)[number];

/** Version by version: 1.2.0 triples its input, where twice is wanted. */
const MODELS = {
  '1.0.0': 'times-2',
  '1.1.0': 'times-2',
  '1.2.0': 'times-3',
  '1.3.0': 'times-2',
} as const;
type Version = keyof typeof MODELS;

const QUESTION = timesQuestion(1, 2, 3, 4) as Readonly<Record<string, unknown>>;

/** Asks where the gate tells it to, and ends badly unless twice the input comes back. */
const PROGRAM = `
const { MLOPS_SOURCE_URL: url, MLOPS_VERSION: version } = process.env;
const body = ${JSON.stringify(JSON.stringify(QUESTION))};
fetch(url + '/infer', { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  .then((answer) => answer.json())
  .then(({ model_version, outputs }) => {
    const [found] = outputs;
    const words = version + ' answers ' + JSON.stringify(found.data);
    if (model_version === version && String(found.data) === '2,4,6,8') return console.log(words);
    console.error(words + ', expected 2,4,6,8');
    process.exit(1);
  });
`;

const twice = () => ({
  name: 'test',
  image: settings().images['mlops-operator'],
  command: ['node', '-e', PROGRAM],
  resources: { requests: { cpu: '10m', memory: '64Mi' }, limits: { memory: '128Mi' } },
});

const environment = (name: Environment, more: object): Manifest =>
  deployment(name, 'times', {
    environment: name,
    predictor: {
      model: { modelRef: { name: 'times' }, alias: name === 'dev' ? 'champion' : name },
      replicas: 1,
      resources: { requests: { cpu: '50m', memory: '128Mi' }, limits: { memory: '512Mi' } },
    },
    ...more,
  });

describe('Versions go from dev to staging to production', () => {
  let tenant: Tenant;
  let callers: readonly Caller[];

  beforeAll(async () => {
    await operatorIsReady();
    tenant = await Tenant.named(NAMESPACE);
    await tenant.apply(
      ...(await timesModel(tenant, MODELS)),
      environment('dev', {}),
      environment('staging', {
        promotion: {
          from: { name: 'dev' },
          gates: [{ job: { spec: { template: { spec: { containers: [twice()] } } } } }],
        },
      }),
      environment('production', {
        promotion: { from: { name: 'staging' }, gates: [{ bakeTime: '15s' }] },
      }),
    );
    await serves('production', '1.0.0');
    callers = await Promise.all(
      ENVIRONMENTS.map((name) => Caller.start(NAMESPACE, name, QUESTION)),
    );
  }, 10 * MINUTES);

  afterAll(async () => {
    await Promise.all(callers.map((caller) => caller.stop()));
    await tenant.abandon();
  }, 2 * MINUTES);

  const release = (version: Version) => tenant.apply(modelAlias('times', 'champion', version));
  const servedBy = async (name: Environment): Promise<string> =>
    textAt(await tenant.get('modeldeployment', name), 'status.servedVersion');
  const serves = (name: Environment, version: Version) =>
    tenant.until(`${name} to serve ${version}`, 240, async () => {
      const ready = await tenant.condition('modeldeployment', name, 'Ready');
      return ready?.status === 'True' && (await servedBy(name)) === version ? true : undefined;
    });
  const failures = (): readonly string[] => callers.flatMap((each) => each.failures);

  test.each(['environments', 'blue-green'])('the example %s is accepted', async (file) => {
    const path = join(REPOSITORY, `examples/04-environments/${file}.yaml`);
    const told = await tenant.kubectl('apply', '--dry-run=server', '-f', path);
    expect(told).toMatch(/created \(server dry run\)/);
  });

  test(
    'a good one passes a Job and a time, and not one request fails',
    async () => {
      await release('1.1.0');
      for (const name of ENVIRONMENTS) await serves(name, '1.1.0');
      const jobs = await tenant.list('jobs');
      expect(jobs.map((job) => textAt(job, 'metadata.name'))).toEqual([
        expect.stringMatching(/^staging-gate-[0-9a-f]{8}-1$/),
        expect.stringMatching(/^staging-gate-[0-9a-f]{8}-1$/),
      ]);
      const since = Date.parse(
        textAt(await tenant.get('modeldeployment', 'production'), 'status.promotion.since'),
      );
      expect(Date.now() - since).toBeGreaterThanOrEqual(15_000);
      const story = await tenant.kubectl('describe', 'modeldeployment', 'production');
      expect(story).toMatch(/gate 1 of 1: it bakes until/);
      expect(story).toMatch(/Alias production moved from 1\.0\.0 to version 1\.1\.0/);
      expect(failures()).toEqual([]);
    },
    6 * MINUTES,
  );

  test(
    'a wrong one comes as far as its Job, whose words say why',
    async () => {
      await release('1.2.0');
      const { message } = await tenant.awaits('modeldeployment', 'staging', {
        ...{ type: 'Promoted', reason: 'GateFailed' },
      });
      expect(message).toContain('1.2.0 answers [3,6,9,12], expected 2,4,6,8');
      const job = textAt(await tenant.get('modeldeployment', 'staging'), 'status.promotion.job');
      expect(message).toContain(`mlops.pynomaly.io/retry=${job}`);
      expect(await servedBy('staging')).toBe('1.1.0');
      expect(await servedBy('production')).toBe('1.1.0');
      await tenant.kubectl(
        'annotate',
        'modeldeployment',
        'staging',
        '--overwrite',
        `mlops.pynomaly.io/retry=${job}`,
      );
      const again = job.replace(/-1$/, '-2');
      await tenant.until('the second Job to fail', 120, async () => {
        const found = await tenant.condition('modeldeployment', 'staging', 'Promoted');
        return found?.message.includes(`Job ${again} failed`) === true ? true : undefined;
      });
      expect(failures()).toEqual([]);
    },
    6 * MINUTES,
  );

  test(
    'the operator is killed on the way, and the next good one still arrives, tested once',
    async () => {
      await release('1.3.0');
      await serves('dev', '1.3.0');
      expect(await killOperator()).toBeGreaterThan(0);
      await replaceOperatorPods();
      await serves('staging', '1.3.0');
      expect(await killOperator()).toBeGreaterThan(0);
      await replaceOperatorPods();
      await serves('production', '1.3.0');
      const jobs = (await tenant.list('jobs')).map((job) => textAt(job, 'metadata.name'));
      expect(jobs.filter((name) => name.endsWith('-2'))).toHaveLength(1);
      expect(jobs.filter((name) => name.endsWith('-1'))).toHaveLength(3);
      expect(failures()).toEqual([]);
    },
    8 * MINUTES,
  );
});

describe('A version gets copies of requests, and its answers are compared', () => {
  const HOST = 'shadow.example.com';
  let tenant: Tenant;
  let gateway: Gateway;
  let load: GatewayLoad;
  let user: RestUser;

  beforeAll(async () => {
    gateway = await Gateway.start();
    await operatorIsReady();
    tenant = await Tenant.named('journey-shadow');
    await tenant.apply(
      ...(await timesModel(tenant, { '1.0.0': 'times-2', '1.1.0': 'times-2', '1.2.0': 'times-3' })),
      deployment('times', 'times', {
        predictor: {
          model: { modelRef: { name: 'times' }, alias: 'champion' },
          replicas: 1,
          resources: { requests: { cpu: '50m', memory: '128Mi' }, limits: { memory: '512Mi' } },
          logger: { mode: 'response', sampleRate: 1 },
        },
        strategy: {
          canary: {
            steps: [{ setMirrorRoute: { name: 'copy' } }, { pause: {} }],
            scaleDownDelaySeconds: 5,
            trafficRouting: { istio: { gateways: [GATEWAY], hosts: [HOST] } },
          },
        },
      }),
    );
    await tenant.awaits('modeldeployment', 'times', { type: 'Ready', status: 'True' });
    const options = { host: HOST, model: 'times', question: QUESTION, clients: 2, restMs: 20 };
    load = await GatewayLoad.start(gateway, options);
    user = await RestUser.with('view', tenant);
  }, ISTIO_BUILD_MS);

  afterAll(async () => {
    await load.stop();
    await gateway.close();
    await tenant.abandon();
  }, 2 * MINUTES);

  /** Two hundred pairs, of a version that waits at the step after the mirror. */
  const reportOf = async (candidate: Version) => {
    await tenant.awaits('modeldeployment', 'times', { type: 'Ready', reason: 'RolloutPaused' });
    load.mark();
    return tenant.until('200 pairs', 120, async () => {
      const path = `modeldeployments/times/shadow-report?candidate=${candidate}`;
      const report = await user.read(path);
      return Number(at(report, 'pairs')) >= 200 ? report : undefined;
    });
  };
  const abort = async () => {
    const revision = textAt(await tenant.get('modeldeployment', 'times'), 'status.revision');
    const annotation = `mlops.pynomaly.io/abort=${revision}`;
    await tenant.kubectl('annotate', 'modeldeployment', 'times', '--overwrite', annotation);
    await tenant.awaits('modeldeployment', 'times', { type: 'Ready', reason: 'RolledBack' });
  };

  test(
    'of one that is right, the report says that it agrees; every answer is the stable one',
    async () => {
      await tenant.apply(modelAlias('times', 'champion', '1.1.0'));
      const report = await reportOf('1.1.0');
      expect(at(report, 'agreement')).toBe(1);
      expect(at(report, 'candidate.errors')).toBe(0);
      expect(Number(at(report, 'candidate.p50Ms'))).toBeGreaterThan(0);
      const { failures, byVariant, versions } = load.mark();
      expect({ failures, versions }).toEqual({ failures: [], versions: ['1.0.0'] });
      expect(Object.keys(byVariant)).toEqual(['stable']);
      await tenant.until('the status to say so', 60, async () => {
        const found = await tenant.get('modeldeployment', 'times');
        return at(found, 'status.shadow.agreement') === 1 ? true : undefined;
      });
      await abort();
    },
    5 * MINUTES,
  );

  test(
    'of one that is wrong, it says by how much',
    async () => {
      await tenant.apply(modelAlias('times', 'champion', '1.2.0'));
      const report = await reportOf('1.2.0');
      expect(at(report, 'agreement')).toBe(0);
      // Three times the input instead of twice: a third of the larger one, and 4 at most.
      expect(at(report, 'outputs.0.maxAbsolute')).toBe(4);
      expect(Number(at(report, 'outputs.0.maxRelative'))).toBeCloseTo(1 / 3, 6);
      const { failures, versions } = load.mark();
      expect({ failures, versions }).toEqual({ failures: [], versions: ['1.0.0'] });
      await abort();
    },
    5 * MINUTES,
  );
});
