import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { at, listAt } from './harness/kubectl.ts';
import { deployment, irisModel, model, modelAlias, modelVersion } from './harness/manifests.ts';
import { Caller, IRIS_QUESTION } from './harness/serving.ts';
import { BUCKET, digestOf, flipByte, putObject } from './harness/storage.ts';
import { Tenant } from './harness/tenant.ts';

const MINUTES = 60_000;
const NAMESPACE = 'journey-flipped';
const KEY = `${NAMESPACE}/uploads/second.onnx`;

describe('A byte flips in the storage after a version was verified', () => {
  let tenant: Tenant;
  let caller: Caller;

  beforeAll(async () => {
    tenant = await Tenant.named(NAMESPACE);
    await putObject(`${NAMESPACE}/uploads/first.onnx`, irisModel());
    await putObject(KEY, irisModel());
    await tenant.apply(
      model('iris'),
      modelVersion('iris', '1.0.0', `s3://${BUCKET}/${NAMESPACE}/uploads/first.onnx`),
      modelAlias('iris', 'champion', '1.0.0'),
      deployment('iris', 'iris'),
    );
    await tenant.awaits('modeldeployment', 'iris', { type: 'Ready', status: 'True' });
    caller = await Caller.start(NAMESPACE, 'iris', IRIS_QUESTION);
  }, 4 * MINUTES);

  afterAll(async () => {
    await caller.stop();
    await tenant.abandon();
  }, 2 * MINUTES);

  test('the new version is read and found good', async () => {
    await tenant.apply(
      modelVersion('iris', '1.1.0', `s3://${BUCKET}/${KEY}`, {
        verification: { digest: digestOf(irisModel()) },
      }),
    );
    await tenant.awaits('modelversion', 'iris-1.1.0', { type: 'Ready', status: 'True' });
    await flipByte(KEY, 300);
  }, 60_000);

  test(
    'its pods never become ready, and the Deployment goes back to the version before',
    async () => {
      await tenant.apply(modelAlias('iris', 'champion', '1.1.0'));
      let readyPods = 0;
      const condition = await tenant.until('the roll-back', 150, async () => {
        const sets = await tenant.list('replicasets');
        readyPods += sets
          .filter((set) => JSON.stringify(at(set, 'spec.template.metadata')).includes('iris-1.1.0'))
          .reduce((sum, set) => sum + Number(at(set, 'status.readyReplicas') ?? 0), 0);
        const found = await tenant.condition('modeldeployment', 'iris', 'Ready');
        return found?.reason === 'RolledBack' ? found : undefined;
      });
      expect(readyPods).toBe(0);
      expect(condition.status).toBe('False');
      expect(condition.message).toMatch(/Version 1\.0\.0, the last good one, serves instead/);
    },
    3 * MINUTES,
  );

  test('the Deployment remembers what failed, and where all traffic goes', async () => {
    const found = await tenant.until('all traffic on 1.0.0', 60, async () => {
      const object = await tenant.get('modeldeployment', 'iris');
      return listAt(object, 'status.weights').length === 1 ? object : undefined;
    });
    expect(at(found, 'status.servedVersion')).toBe('1.0.0');
    expect(listAt(found, 'status.weights')).toEqual([
      { name: 'stable', version: '1.0.0', weight: 100 },
    ]);
    expect(at(found, 'status.lastFailureInfo')).toMatchObject({
      version: '1.1.0',
      reason: 'DigestMismatch',
    });
  }, 70_000);

  test('the ModelVersion names both digests', async () => {
    const condition = await tenant.awaits(
      'modelversion',
      'iris-1.1.0',
      { type: 'ArtifactVerified', status: 'False' },
      60,
    );
    const flipped = irisModel();
    flipped.writeUInt8(flipped.readUInt8(300) ^ 1, 300);
    expect(condition.reason).toBe('DigestMismatch');
    expect(condition.message).toContain(digestOf(irisModel()));
    expect(condition.message).toContain(digestOf(flipped));
  }, 70_000);

  test('the old version answered every request all the while', async () => {
    await caller.answeredMore(20);
    expect(caller.failures).toEqual([]);
    expect(caller.versions).toEqual(['1.0.0']);
  }, 70_000);
});
