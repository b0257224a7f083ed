import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { at } from './harness/kubectl.ts';
import { deployment, modelAlias } from './harness/manifests.ts';
import { metricServer } from './harness/metric-server.ts';
import { operatorIsReady } from './harness/operator-pods.ts';
import { settings } from './harness/settings.ts';
import { Tenant } from './harness/tenant.ts';
import { timesModel, timesQuestion } from './harness/times-model.ts';

const MINUTES = 60_000;
const NAMESPACE = 'journey-canary-metrics';

/** Version by version: the model, of which only `times-2` doubles. */
const MODELS = {
  '1.0.0': 'times-2',
  '1.1.0': 'times-2',
  '1.2.0': 'times-2',
  '1.3.0': 'times-2',
  '1.4.0': 'times-3',
  '1.5.0': 'times-2',
  '1.6.0': 'times-2',
} as const;
type Version = keyof typeof MODELS;

/** What others say of them; nobody knows of 1.5.0. */
const SAID = {
  '1.1.0': { errors: 0.01, satisfaction: 0.93 },
  '1.2.0': { errors: 0.4, satisfaction: 0.93 },
  '1.3.0': { errors: 0.01, satisfaction: 0.31 },
  '1.4.0': { errors: 0.01, satisfaction: 0.93 },
};

/** Asks the candidate, and it alone, to double 8. */
const PROGRAM = `
const body = JSON.stringify(${JSON.stringify(timesQuestion(8, 8, 8, 8))});
const answer = await fetch(process.argv[1] + '/infer', { method: 'POST', body, headers: { 'content-type': 'application/json' } });
const { outputs, model_version } = await answer.json();
const [found] = outputs[0].data;
console.log('version ' + model_version + ' answers ' + found + ', not 16');
process.exit(found === 16 && model_version === process.argv[2] ? 0 : 3);
`;

const metrics = () => [
  {
    name: 'errors',
    prometheus: {
      address: 'http://metrics',
      query: 'errors{service="${candidate.service}",version="${candidate.version}"}',
    },
    thresholdRange: { max: 0.1 },
  },
  {
    name: 'satisfaction',
    web: {
      url: 'http://metrics.${deployment.namespace}.svc/kpi/${candidate.version}',
      jsonPath: '{$.users[0].satisfaction}',
    },
    thresholdRange: { min: 0.8 },
  },
  {
    name: 'answers',
    job: {
      spec: {
        template: {
          spec: {
            securityContext: { runAsUser: 65532 },
            containers: [
              {
                name: 'ask',
                image: settings().images['mlops-operator'],
                command: ['node', '--input-type=module', '-e', PROGRAM],
                args: ['${candidate.url}', '${candidate.version}'],
              },
            ],
          },
        },
      },
    },
  },
];

const canary = (judgedBy: readonly object[]) => ({
  strategy: {
    canary: {
      steps: [{ setWeight: 50 }, { pause: { duration: '4s' } }],
      analysis: { interval: '2s', minimumRequests: 0, metrics: judgedBy },
      scaleDownDelaySeconds: 2,
    },
  },
});

describe('A new version is judged by what others say about it', () => {
  let tenant: Tenant;

  beforeAll(async () => {
    await operatorIsReady();
    tenant = await Tenant.named(NAMESPACE);
    await tenant.apply(
      ...metricServer(SAID),
      ...(await timesModel(tenant, MODELS)),
      deployment('times', 'times', canary(metrics())),
    );
    await tenant.awaits('modeldeployment', 'times', { type: 'Ready', status: 'True' });
    await tenant.kubectl('rollout', 'status', 'deployment.apps/metrics', '--timeout=60s');
  }, 6 * MINUTES);

  afterAll(() => tenant.abandon(), MINUTES);

  const rollTo = (version: Version) => tenant.apply(modelAlias('times', 'champion', version));
  const saysOf = (version: Version, reason: string): Promise<string> =>
    tenant.until(`version ${version} to be ${reason}`, 150, async () => {
      const found = await tenant.condition('modeldeployment', 'times', 'Ready');
      const isIt = found?.message.startsWith(`Version ${version} `) === true;
      return isIt && found?.reason === reason ? found.message : undefined;
    });

  test(
    'one that all call good takes over',
    async () => {
      await rollTo('1.1.0');
      expect(await saysOf('1.1.0', 'Ready')).toContain('serves all requests');
    },
    4 * MINUTES,
  );

  test.each<[string, Version, RegExp]>([
    [
      'Prometheus',
      '1.2.0',
      /AnalysisFailed: errors is 0\.4, wanted at most 0\.1; 1 of \d+ measurement\(s\) bad/,
    ],
    [
      'a web server',
      '1.3.0',
      /AnalysisFailed: satisfaction is 0\.31, wanted at least 0\.8; 1 of \d+ measurement\(s\) bad/,
    ],
    [
      'a Job',
      '1.4.0',
      /AnalysisFailed: answers is false: Job times-check-\S+-0 failed: container ask ended with Error, exit code 3: version 1\.4\.0 answers 24, not 16/,
    ],
  ])(
    'one that %s calls bad goes back, with the numbers',
    async (_who, version, reason) => {
      await rollTo(version);
      expect(await saysOf(version, 'RolledBack')).toMatch(reason);
      const found = await tenant.get('modeldeployment', 'times');
      expect(at(found, 'status.servedVersion')).toBe('1.1.0');
    },
    4 * MINUTES,
  );

  test(
    'one that nobody knows anything of waits',
    async () => {
      await rollTo('1.5.0');
      expect(await saysOf('1.5.0', 'AnalysisInconclusive')).toContain(
        'errors: no series fits the query',
      );
    },
    4 * MINUTES,
  );

  test(
    'nobody has the operator ask what only it can reach',
    async () => {
      const web = { url: 'https://kubernetes.default.svc/version', jsonPath: '{$.major}' };
      const metric = { name: 'spy', web, thresholdRange: { min: 1 } };
      await tenant.apply(deployment('times', 'times', canary([metric])));
      await rollTo('1.6.0');
      expect(await saysOf('1.6.0', 'AnalysisInconclusive')).toMatch(
        /spy: kubernetes\.default\.svc has the address \S+, which is not public/,
      );
    },
    4 * MINUTES,
  );
});
