import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';

import { clusterDaemon } from '../cluster/cluster-processes.ts';
import { restart } from '../cluster/cluster.ts';
import { holdsResources } from '../cluster/process-table.ts';
import { demoContext } from './harness/demo-target.ts';
import { textAt } from './harness/kubectl.ts';
import { exampleManifest } from './harness/manifests.ts';
import { operatorIsReady, type OperatorPod } from './harness/operator-pods.ts';
import { Caller, DIGITS_QUESTION } from './harness/serving.ts';
import { Tenant } from './harness/tenant.ts';
import { until } from './harness/until.ts';

const MINUTES = 60_000;

describe('The API server is killed and started again in the middle of the example', () => {
  let tenant: Tenant;
  let before: readonly OperatorPod[];

  beforeAll(async () => {
    before = await operatorIsReady();
    tenant = await Tenant.named('journey-apiserver');
  }, 3 * MINUTES);

  afterAll(async () => {
    await tenant.abandon();
  }, 2 * MINUTES);

  const killApiserver = async (): Promise<void> => {
    const { pidFile } = clusterDaemon('kube-apiserver');
    const pid = Number(readFileSync(pidFile, 'utf8'));
    process.kill(pid, 'SIGKILL');
    await until('the port to be free', 10, async () => (holdsResources(pid) ? undefined : true));
    await restart(demoContext(), 'kube-apiserver');
  };

  test(
    'the training goes on, and its model is served',
    async () => {
      await tenant.apply(exampleManifest('model'), exampleManifest('experiment'));
      await tenant.until('the training to start', 60, async () =>
        (await tenant.list('pods')).find((pod) => textAt(pod, 'status.phase') === 'Running'),
      );
      await killApiserver();
      await tenant.apply(exampleManifest('deployment'));
      await tenant.awaits('experiment', 'digits-train', { type: 'Complete', status: 'True' });
      await tenant.awaits('modeldeployment', 'digits', { type: 'Ready', status: 'True' });
    },
    6 * MINUTES,
  );

  test(
    'a second time, nothing that serves notices',
    async () => {
      const caller = await Caller.start(tenant.namespace, 'digits', DIGITS_QUESTION);
      await killApiserver();
      await caller.answeredMore(20);
      await caller.stop();
      expect(caller.failures).toEqual([]);
    },
    3 * MINUTES,
  );

  test('there is one Job, one version, one ReplicaSet', async () => {
    const count = async (kind: string): Promise<number> => (await tenant.list(kind)).length;
    expect(await count('jobs')).toBe(1);
    expect(await count('modelversions')).toBe(1);
    expect(await count('replicasets')).toBe(1);
  });

  test(
    'the operator pods are the same as before and were not restarted',
    async () => {
      const facts = (pods: readonly OperatorPod[]) =>
        pods
          .map(({ uid, restarts }) => ({ uid, restarts }))
          .sort((a, b) => (a.uid < b.uid ? -1 : 1));
      expect(facts(await operatorIsReady())).toEqual(facts(before));
    },
    2 * MINUTES,
  );

  test(
    'the operator acts on changes again',
    async () => {
      await tenant.kubectl(
        ...['patch', 'modeldeployment', 'digits', '--type=merge'],
        ...['-p', '{"spec":{"predictor":{"minReplicas":2}}}'],
      );
      await tenant.until('two pods to serve', 90, async () => {
        const apps = await tenant.get('modeldeployment', 'digits');
        return (apps?.['status'] as { readyReplicas?: number }).readyReplicas === 2
          ? true
          : undefined;
      });
    },
    2 * MINUTES,
  );
});
