import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { at, listAt } from './harness/kubectl.ts';
import {
  deployment,
  exampleManifest,
  irisModel,
  model,
  modelAlias,
  modelVersion,
} from './harness/manifests.ts';
import { operatorPods, scaleService } from './harness/operator-pods.ts';
import { RestUser } from './harness/rest.ts';
import { Caller, IRIS_QUESTION } from './harness/serving.ts';
import { BUCKET, putObject } from './harness/storage.ts';
import { Tenant } from './harness/tenant.ts';

const MINUTES = 60_000;
const NAMESPACE = 'journey-without-database';

describe('PostgreSQL stops for a while', () => {
  let tenant: Tenant;
  let caller: Caller;
  let restarts: number;

  beforeAll(async () => {
    tenant = await Tenant.named(NAMESPACE);
    await putObject(`${NAMESPACE}/uploads/iris.onnx`, irisModel());
    const uri = `s3://${BUCKET}/${NAMESPACE}/uploads/iris.onnx`;
    await tenant.apply(
      model('iris'),
      modelVersion('iris', '1.0.0', uri),
      modelVersion('iris', '1.1.0', uri),
      modelAlias('iris', 'champion', '1.0.0'),
      deployment('iris', 'iris'),
    );
    await tenant.awaits('modeldeployment', 'iris', { type: 'Ready', status: 'True' });
    await tenant.awaits('modelversion', 'iris-1.1.0', { type: 'Ready', status: 'True' });
    caller = await Caller.start(NAMESPACE, 'iris', IRIS_QUESTION);
    restarts = await allRestarts();
    await scaleService('postgresql', 0);
  }, 5 * MINUTES);

  afterAll(async () => {
    await scaleService('postgresql', 1);
    await caller.stop();
    await tenant.abandon();
  }, 4 * MINUTES);

  const allRestarts = async (): Promise<number> =>
    (await operatorPods()).reduce((sum, pod) => sum + pod.restarts, 0);

  test(
    'an alias still moves, and the Deployment follows without a failed request',
    async () => {
      await tenant.apply(modelAlias('iris', 'champion', '1.1.0'));
      await tenant.awaits('modelalias', 'iris-champion', { type: 'Ready', status: 'True' }, 60);
      await tenant.until('version 1.1.0 to serve', 120, async () => {
        const found = await tenant.get('modeldeployment', 'iris');
        return at(found, 'status.servedVersion') === '1.1.0' ? true : undefined;
      });
      await caller.answeredMore(20);
      expect(caller.failures).toEqual([]);
    },
    4 * MINUTES,
  );

  test('a new Experiment says that it waits, and starts nothing', async () => {
    await tenant.apply(exampleManifest('experiment'));
    const condition = await tenant.awaits('experiment', 'digits-train', {
      type: 'Ready',
      reason: 'StoreUnavailable',
    });
    expect(condition.status).toBe('Unknown');
    expect(condition.message).toMatch(/nothing new is started; it goes on by itself/);
    expect(await tenant.list('jobs')).toEqual([]);
  }, 120_000);

  test('a search says what is missing instead of an empty answer', async () => {
    const user = await RestUser.with('view', tenant);
    const { status, body } = await user.send('GET', 'modelaliases/iris-champion/history');
    expect(status).toBe(503);
    expect(body).toMatchObject({ code: 'DatabaseUnavailable' });
    expect((await user.send('GET', 'modelaliases/iris-champion')).status).toBe(200);
  }, 60_000);

  test(
    'when it is back, the Experiment starts and ends by itself',
    async () => {
      await scaleService('postgresql', 1);
      await tenant.awaits('experiment', 'digits-train', { type: 'Complete', status: 'True' });
      expect(await tenant.list('jobs')).toHaveLength(1);
    },
    5 * MINUTES,
  );

  test('the history shows what happened in the meantime', async () => {
    const user = await RestUser.with('view', tenant);
    const moved = await tenant.until('the history to be complete', 60, async () => {
      const rows = listAt(await user.read('modelaliases/iris-champion/history'), 'items');
      return rows.find(({ operation }) => operation === 'updated');
    });
    expect(moved).toMatchObject({ generation: 2, name: 'iris-champion', namespace: NAMESPACE });
    expect(typeof moved['beforeHash']).toBe('string');
    expect(typeof moved['afterHash']).toBe('string');
  }, 70_000);

  test('the operator was not restarted by any of this', async () => {
    expect(await allRestarts()).toBe(restarts);
    await caller.answeredMore(5);
    expect(caller.failures).toEqual([]);
  });
});
