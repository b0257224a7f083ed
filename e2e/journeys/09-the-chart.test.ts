import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import {
  pipelineExample,
  pipelineRunExample,
  retrainPolicyExample,
} from '../../crds/testing/example-manifests.ts';
import { installChart, SYSTEM_NAMESPACE } from '../demo/install.ts';
import { demoContext, demoTarget } from './harness/demo-target.ts';
import { helm, kubectl, kubectlJson, listAt, textAt, tryKubectl } from './harness/kubectl.ts';
import { deployment, irisModel, model, modelAlias, modelVersion } from './harness/manifests.ts';
import { operatorIsReady } from './harness/operator-pods.ts';
import { RestUser } from './harness/rest.ts';
import { Caller, IRIS_QUESTION } from './harness/serving.ts';
import { FINALIZER_DEADLINE_SECONDS } from './harness/settings.ts';
import { BUCKET, putObject } from './harness/storage.ts';
import { Tenant, type Manifest } from './harness/tenant.ts';

const MINUTES = 60_000;
const NAMESPACE = 'journey-chart';
const RELEASE = 'mlops-operator';

describe('An administrator looks after the chart', () => {
  let tenant: Tenant;
  let caller: Caller | undefined;

  beforeAll(async () => {
    await operatorIsReady();
    tenant = await Tenant.named(NAMESPACE);
    await putObject(`${NAMESPACE}/uploads/iris.onnx`, irisModel());
    await tenant.apply(
      model('iris'),
      modelVersion('iris', '1.0.0', `s3://${BUCKET}/${NAMESPACE}/uploads/iris.onnx`),
      modelAlias('iris', 'champion', '1.0.0'),
      deployment('iris', 'iris'),
    );
    await tenant.awaits('modeldeployment', 'iris', { type: 'Ready', status: 'True' });
  }, 5 * MINUTES);

  afterAll(async () => {
    await caller?.stop();
    await tenant.abandon();
  }, 2 * MINUTES);

  test(
    'helm test passes',
    async () => {
      const said = await helm('test', RELEASE, '-n', SYSTEM_NAMESPACE, '--timeout', '2m');
      expect(said).toMatch(/Phase:\s+Succeeded/);
    },
    3 * MINUTES,
  );

  test.each([
    ['Pipeline', pipelineExample],
    ['PipelineRun', pipelineRunExample],
    ['RetrainPolicy', retrainPolicyExample],
  ] as readonly (readonly [string, object])[])(
    'a valid %s is accepted and says honestly that nothing is done with it',
    async (kind, example) => {
      const manifest = example as Manifest;
      await tenant.apply(manifest);
      const ready = await tenant.awaits(
        `${kind.toLowerCase()}.mlops.pynomaly.io`,
        manifest.metadata.name,
        { type: 'Ready', status: 'Unknown' },
        30,
      );
      expect(ready.reason).toBe('NotImplemented');
    },
    40_000,
  );

  test('every pod of the chart and of tenants passes PodSecurity restricted, which is enforced', async () => {
    for (const namespace of [SYSTEM_NAMESPACE, NAMESPACE]) {
      const found = await kubectlJson('get', 'namespace', namespace);
      const labels = (found['metadata'] as { labels: Record<string, string> }).labels;
      expect(labels['pod-security.kubernetes.io/enforce']).toBe('restricted');
      const pods = listAt(await kubectlJson('get', 'pods', '-n', namespace), 'items');
      expect(pods.length).toBeGreaterThan(0);
      expect(pods.map((pod) => textAt(pod, 'status.phase'))).not.toContain('Failed');
    }
    const root = await tryKubectl([
      ...['run', 'root', '-n', SYSTEM_NAMESPACE, '--image=localhost/nothing:1', '--dry-run=server'],
    ]);
    expect(root.stderr).toMatch(/violates PodSecurity "restricted/);
  });

  test('who may view can read but not write through the REST API', async () => {
    const viewer = await RestUser.with('view', tenant);
    expect((await viewer.send('GET', 'models/iris')).status).toBe(200);
    const refused = await viewer.send('POST', 'models', {
      apiVersion: 'mlops.pynomaly.io/v1alpha1',
      kind: 'Model',
      metadata: { name: 'mine' },
      spec: {},
    });
    expect(refused.status).toBe(403);
    expect(refused.body).toMatchObject({
      detail: expect.stringContaining('may not create models'),
    });
    expect((await viewer.send('GET', 'modelversions/iris-1.0.0/artifact')).status).toBe(403);
    expect(await tenant.get('model', 'mine')).toBeUndefined();
  }, 60_000);

  test('who may edit can, and the object says for whom it was written', async () => {
    const editor = await RestUser.with('edit', tenant);
    const made = await editor.send('POST', 'models', {
      apiVersion: 'mlops.pynomaly.io/v1alpha1',
      kind: 'Model',
      metadata: { name: 'mine' },
      spec: {},
    });
    expect(made.status).toBe(201);
    const live = await tenant.get('model', 'mine');
    expect(JSON.stringify(live?.['metadata'])).toContain(
      `"mlops.pynomaly.io/requested-by":"system:serviceaccount:${NAMESPACE}:journey-edit"`,
    );
  }, 60_000);

  test(
    'uninstalling the chart leaves every object and the served model in place',
    async () => {
      caller = await Caller.start(NAMESPACE, 'iris', IRIS_QUESTION);
      const before = await objects();
      await helm('uninstall', RELEASE, '-n', SYSTEM_NAMESPACE, '--wait', '--timeout', '3m');
      expect(await objects()).toEqual(before);
      await caller.answeredMore(20);
      expect(caller.failures).toEqual([]);
    },
    5 * MINUTES,
  );

  test(
    'installing it again takes all of it over, with nothing made anew',
    async () => {
      const pods = await kubectl(['get', 'pods', '-n', NAMESPACE, '-o', 'name']);
      const before = await objects();
      await installChart(demoContext(), demoTarget(), [
        '--set',
        `operator.finalizerDeadline=${FINALIZER_DEADLINE_SECONDS}s`,
      ]);
      await operatorIsReady();
      expect(await objects()).toEqual(before);
      await tenant.apply(
        modelVersion('iris', '1.1.0', `s3://${BUCKET}/${NAMESPACE}/uploads/iris.onnx`),
      );
      await tenant.awaits('modelversion', 'iris-1.1.0', { type: 'Ready', status: 'True' });
      expect(await kubectl(['get', 'pods', '-n', NAMESPACE, '-o', 'name'])).toBe(pods);
      await caller?.answeredMore(20);
      expect(caller?.failures).toEqual([]);
    },
    7 * MINUTES,
  );

  /** Our objects of the namespace by name and uid: an object that was made anew has another. */
  const objects = async (): Promise<readonly string[]> => {
    const columns = 'custom-columns=KIND:.kind,NAME:.metadata.name,UID:.metadata.uid';
    const list = await kubectl(['get', 'mlops', '-n', NAMESPACE, '--no-headers', '-o', columns]);
    return list
      .split('\n')
      .filter((line) => line !== '')
      .sort();
  };
});
