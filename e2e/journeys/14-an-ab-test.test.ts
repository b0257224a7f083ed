import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { Gateway, GATEWAY, ISTIO_BUILD_MS } from './harness/gateway.ts';
import { at, listAt } from './harness/kubectl.ts';
import { deployment } from './harness/manifests.ts';
import { operatorIsReady } from './harness/operator-pods.ts';
import { RestUser } from './harness/rest.ts';
import { Tenant, type Manifest } from './harness/tenant.ts';
import { timesModel, timesQuestion } from './harness/times-model.ts';

const MINUTES = 60_000;
const NAMESPACE = 'journey-abtest';
const HOST = 'abtest.example.com';
const UNITS = 1200;
/** Of the units of each variant so many percent buy: what the better one is worth. */
const BUYS = { control: 10, bigger: 40 } as const;

const QUESTION = JSON.stringify(timesQuestion(1, 2, 3, 4));

const SPEC = {
  predictor: {
    model: { modelRef: { name: 'times' }, alias: 'champion' },
    replicas: 1,
    resources: { requests: { cpu: '50m', memory: '128Mi' }, limits: { memory: '512Mi' } },
    logger: { mode: 'request', sampleRate: 1 },
  },
  strategy: {
    canary: {
      steps: [{ setWeight: 50 }, { pause: { duration: '5s' } }],
      scaleDownDelaySeconds: 5,
      trafficRouting: { istio: { gateways: [GATEWAY], hosts: [HOST] } },
    },
  },
};

const abTest = (name: string): Manifest => ({
  kind: 'ABTest',
  metadata: { name },
  spec: {
    deploymentRef: { name: 'times' },
    candidates: [{ name: 'bigger', version: '1.1.0', weight: 50 }],
    unit: { header: 'x-user-id' },
    metrics: {
      goal: [{ name: 'purchase', type: 'proportion', direction: 'increase' }],
      guardrails: [
        {
          ...{ name: 'request-error-rate', type: 'proportion', direction: 'decrease' },
          margin: { absolute: 0.05 },
        },
      ],
      secondary: [{ name: 'request-duration', type: 'mean', direction: 'decrease' }],
    },
    ...{ minimumRuntime: '20s', minimumSamples: 400, onDecision: 'promote' },
  },
});

describe('Two versions are compared on live traffic', () => {
  let tenant: Tenant;
  let gateway: Gateway;
  const variantOf = new Map<string, string>();

  beforeAll(async () => {
    gateway = await Gateway.start();
    await operatorIsReady();
    tenant = await Tenant.named(NAMESPACE);
    await tenant.apply(
      ...(await timesModel(tenant, { '1.0.0': 'times-2', '1.1.0': 'times-3' })),
      deployment('times', 'times', SPEC),
    );
    await tenant.awaits('modeldeployment', 'times', { type: 'Ready', status: 'True' });
  }, ISTIO_BUILD_MS);

  afterAll(async () => {
    await gateway.close();
    await tenant.abandon();
  }, 2 * MINUTES);

  /** Who answers a unit: the variant as the response says, and the version that computed. */
  const ask = async (unit: string) => {
    const { status, headers, body } = await gateway.ask(HOST, '/v2/models/times/infer', {
      ...{ method: 'POST', body: QUESTION },
      headers: { 'content-type': 'application/json', 'x-user-id': unit },
    });
    if (status !== 200) throw new Error(`${status}: ${body}`);
    const { model_version: version } = JSON.parse(body) as { model_version: string };
    return { variant: String(headers['x-mlops-variant']), version };
  };
  const units = Array.from({ length: UNITS }, (_, i) => `user-${i}`);

  test(
    'the test starts when its candidate is routed; a second one waits and says for which',
    async () => {
      await tenant.apply(abTest('bigger-model'));
      await tenant.awaits('abtest', 'bigger-model', { type: 'Ready', reason: 'TestRunning' });
      await tenant.apply(abTest('second'));
      const { message } = await tenant.awaits('abtest', 'second', {
        ...{ type: 'Ready', reason: 'WaitingForTest' },
      });
      expect(message).toMatch(/ABTest bigger-model on the same Deployment is older/);
      await tenant.kubectl('delete', 'abtest', 'second');
    },
    4 * MINUTES,
  );

  test(
    'each unit keeps its variant, and half of them get the candidate',
    async () => {
      // The gateway learns of the test a moment after it was routed.
      await tenant.until('the gateway to split', 60, async () =>
        (await ask('user-0')).variant === 'stable' ? undefined : true,
      );
      for (const unit of units) {
        const { variant, version } = await ask(unit);
        variantOf.set(unit, variant);
        expect(version).toBe(variant === 'bigger' ? '1.1.0' : '1.0.0');
      }
      const again = units.filter((_, i) => i % 6 === 0);
      for (const unit of again) expect((await ask(unit)).variant).toBe(variantOf.get(unit));
      const candidates = [...variantOf.values()].filter((variant) => variant === 'bigger').length;
      // 600 of 1,200, and 5 standard deviations of sqrt(1200 × 0.25) = 17.3 on each side.
      expect(candidates).toBeGreaterThan(513);
      expect(candidates).toBeLessThan(687);
      expect(new Set(variantOf.values())).toEqual(new Set(['control', 'bigger']));
    },
    4 * MINUTES,
  );

  test('what came of it is handed in, and what is wrong is refused alone', async () => {
    const user = await RestUser.with('edit', tenant);
    const outcomes = units
      .filter(
        (unit, i) => i % 100 < (variantOf.get(unit) === 'bigger' ? BUYS.bigger : BUYS.control),
      )
      .map((unit) => ({ id: `order-of-${unit}`, unit, metric: 'purchase', value: 1 }));
    const { status, body } = await user.send('POST', 'abtests/bigger-model/outcomes', {
      outcomes: [...outcomes, { id: 'x', unit: 'user-1', metric: 'joy', value: 1 }],
    });
    expect(status).toBe(200);
    expect(at(body, 'taken')).toBe(outcomes.length);
    expect(listAt(body, 'refused')).toHaveLength(1);
    const repeated = await user.send('POST', 'abtests/bigger-model/outcomes', { outcomes });
    expect(at(repeated.body, 'duplicates')).toBe(outcomes.length);
  }, 60_000);

  test(
    'the better one wins, the alias moves, and it takes over by the steps of the Deployment',
    async () => {
      await tenant.awaits('abtest', 'bigger-model', { type: 'Complete', status: 'True' }, 240);
      const found = await tenant.get('abtest', 'bigger-model');
      expect(at(found, 'status.decision')).toBe('bigger');
      expect(at(found, 'status.samples')).toBe(UNITS);
      expect(at(found, 'status.sampleRatioMismatch')).toBe(false);
      const report = await tenant.kubectl('describe', 'abtest', 'bigger-model');
      expect(report).toMatch(/bigger is better than control\. Alias champion moves to 1\.1\.0/);
      expect(report).toMatch(/bigger, purchase: \+0\.\d+ \[\+0\.\d+, \+0\.\d+\] better/);
      expect(report).toMatch(/bigger, request-error-rate: .* safe/);
      expect(report).toMatch(/bigger, request-duration: .* \(secondary\)/);
      expect(at(await tenant.get('modelalias', 'times-champion'), 'spec.version')).toBe('1.1.0');
      await tenant.until('version 1.1.0 to serve all', 240, async () => {
        const ready = await tenant.condition('modeldeployment', 'times', 'Ready');
        return ready?.message.startsWith('Version 1.1.0 serves all') === true ? true : undefined;
      });
      expect(await ask('user-0')).toEqual({ variant: 'stable', version: '1.1.0' });
    },
    9 * MINUTES,
  );

  test('the filter at the gateway and the pods of the candidate are gone', async () => {
    await tenant.until('the pods of the candidate to be gone', 60, async () =>
      (await tenant.get('deployment.apps', 'times-bigger')) === undefined ? true : undefined,
    );
    const filters = await tenant.kubectl('get', 'envoyfilters', '-n', 'istio-system', '-o', 'name');
    expect(filters).not.toMatch(/mlops-abtest-/);
  }, 90_000);
});
