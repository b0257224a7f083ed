import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { Gateway, GATEWAY, ISTIO_BUILD_MS } from './harness/gateway.ts';
import { at, listAt } from './harness/kubectl.ts';
import { LabelledLoad } from './harness/labelled-load.ts';
import { deployment, modelAlias } from './harness/manifests.ts';
import { operatorIsReady } from './harness/operator-pods.ts';
import { RestUser } from './harness/rest.ts';
import { Tenant } from './harness/tenant.ts';
import { timesModel } from './harness/times-model.ts';

const MINUTES = 60_000;
const NAMESPACE = 'journey-wrong-answers';
const HOST = 'answers.example.com';

/** `times-3` answers as fast as `times-2` and never fails; what it answers is wrong. */
const MODELS = {
  '1.0.0': 'times-2',
  '1.1.0': 'times-3',
  '1.2.0': 'times-3',
  '1.3.0': 'times-2',
} as const;
type Version = keyof typeof MODELS;

const SPEC = {
  predictor: {
    model: { modelRef: { name: 'times' }, alias: 'champion' },
    replicas: 1,
    resources: { requests: { cpu: '50m', memory: '128Mi' }, limits: { memory: '512Mi' } },
    logger: { mode: 'response', sampleRate: 1 },
  },
  strategy: {
    canary: {
      steps: [{ setWeight: 50 }, { analysis: {} }],
      analysis: {
        interval: '2s',
        minimumRequests: 100,
        metrics: [
          { name: 'request-success-rate', thresholdRange: { min: 0.99 } },
          { name: 'prediction-error', thresholdRange: { max: 0.05 } },
          { name: 'drift', thresholdRange: { max: 0.2 } },
        ],
      },
      scaleDownDelaySeconds: 5,
      trafficRouting: { istio: { gateways: [GATEWAY], hosts: [HOST] } },
    },
  },
};

describe('A new version that answers wrongly', () => {
  let tenant: Tenant;
  let gateway: Gateway;
  let user: RestUser;
  let load: LabelledLoad;

  beforeAll(async () => {
    gateway = await Gateway.start();
    await operatorIsReady();
    tenant = await Tenant.named(NAMESPACE);
    await tenant.apply(...(await timesModel(tenant, MODELS)), deployment('times', 'times', SPEC));
    await tenant.awaits('modeldeployment', 'times', { type: 'Ready', status: 'True' });
    user = await RestUser.with('edit', tenant);
    load = await LabelledLoad.start(gateway, user, { host: HOST, deployment: 'times' });
  }, ISTIO_BUILD_MS);

  afterAll(async () => {
    await load.stop();
    await gateway.close();
    await tenant.abandon();
  }, 2 * MINUTES);

  const rollTo = (version: Version) => tenant.apply(modelAlias('times', 'champion', version));
  const rolledBack = (version: Version): Promise<string> =>
    tenant.until(`version ${version} to be taken out`, 300, async () => {
      const found = await tenant.condition('modeldeployment', 'times', 'Ready');
      const isIt = found?.message.startsWith(`Version ${version} was taken out`) === true;
      return isIt && found?.reason === 'RolledBack' ? found.message : undefined;
    });
  const candidateIsGone = () =>
    tenant.until('the candidate to be gone', 90, async () =>
      (await tenant.get('deployment.apps', 'times-candidate')) === undefined ? true : undefined,
    );

  test('cannot be told where answers are not logged: that is refused', async () => {
    const { ok, stderr } = await tenant.tryApply(
      deployment('blind', 'times', {
        ...SPEC,
        predictor: { ...SPEC.predictor, logger: undefined },
      }),
    );
    expect(ok).toBe(false);
    expect(stderr).toContain('set predictor.logger with mode all or response');
  });

  test(
    'waits for labels, and is taken out for its prediction error once they come, with the numbers',
    async () => {
      load.posting = false;
      await rollTo('1.1.0');
      await tenant.until('it to wait for labels', 120, async () => {
        const found = await tenant.condition('modeldeployment', 'times', 'Ready');
        const isIt = /0 of 100 labels of version 1\.1\.0 .*POST the truth to \/api\/v1\//;
        return found?.reason === 'AnalysisInconclusive' && isIt.test(found.message)
          ? true
          : undefined;
      });
      load.posting = true;
      expect(await rolledBack('1.1.0')).toMatch(
        /AnalysisFailed: prediction-error \(share of wrong answers\) is 100 % on \d+ labels, wanted at most 5 %/,
      );
      await candidateIsGone();
      expect(load.failures).toEqual([]);
      const found = await tenant.get('modeldeployment', 'times');
      expect(at(found, 'status.lastFailureInfo.reason')).toBe('AnalysisFailed');
      const story = await tenant.kubectl('describe', 'modeldeployment', 'times');
      expect(story).toMatch(/RolledBack.*prediction-error/);
    },
    8 * MINUTES,
  );

  test('has labels that are taken once, and unknown ones are counted and said', async () => {
    // Of this run: the database remembers those of one before, in the same cluster.
    const unknown = `nobody-asked-this-${Date.now()}`;
    const labels = [{ predictionId: unknown, truth: 1 }, { predictionId: 'no-truth' }];
    const { status, body } = await user.send('POST', 'modeldeployments/times/labels', { labels });
    expect(status).toBe(200);
    expect(body).toMatchObject({ taken: 1, waiting: 1, duplicates: 0 });
    expect(listAt(body, 'refused')).toHaveLength(1);
    const again = await user.send('POST', 'modeldeployments/times/labels', { labels });
    expect(again.body).toMatchObject({ taken: 0, waiting: 1, duplicates: 1 });
    const viewer = await RestUser.with('view', tenant);
    const refused = await viewer.send('POST', 'modeldeployments/times/labels', { labels });
    expect(refused.status).toBe(403);
  }, 60_000);

  test(
    'is taken out for its drift where nobody knows the truth',
    async () => {
      load.posting = false;
      await rollTo('1.2.0');
      expect(await rolledBack('1.2.0')).toMatch(
        /AnalysisFailed: drift \(population stability index\) of \S+ is \S+ on \d+ values of version 1\.2\.0 against \d+ of 1\.0\.0, wanted at most 0\.2/,
      );
      await candidateIsGone();
      expect(load.failures).toEqual([]);
    },
    8 * MINUTES,
  );

  test(
    'but one that answers rightly takes over',
    async () => {
      load.posting = true;
      await rollTo('1.3.0');
      await tenant.until('version 1.3.0 to serve all', 360, async () => {
        const ready = await tenant.condition('modeldeployment', 'times', 'Ready');
        return ready?.message.startsWith('Version 1.3.0 serves all') === true ? true : undefined;
      });
      expect(load.failures).toEqual([]);
    },
    8 * MINUTES,
  );
});
