import { findCondition } from '../../../../crds/schema/conditions.ts';
import { experiment, type Experiment } from '../../../../crds/schema/experiment.ts';
import { until } from '../../../../e2e/faults/harness/until.ts';
import { memoryArtifactStore } from '../../../artifacts/memory-artifact-store.ts';
import { systemClock } from '../../../runtime/clock.ts';
import type { Cluster } from '../../../runtime/cluster.ts';
import type { KubernetesCluster } from '../../../runtime/kubernetes-cluster.ts';
import { NAMESPACE } from '../../../runtime/kubernetes-types.ts';
import { MemoryPodLogs } from '../../../runtime/memory-pod-logs.ts';
import { ownType } from '../../../runtime/own-type.ts';
import type { ObjectKey } from '../../../runtime/resource-type.ts';
import { TestOperator } from '../../../runtime/testing/test-operator.ts';
import { someDefaults } from '../../testing/builders.ts';
import { MemoryRunStore } from '../memory-run-store.ts';
import { MemorySearchEngine } from '../memory-search-engine.ts';
import { MemoryTrialStore } from '../memory-trial-store.ts';
import { experimentReconciler } from '../reconcile.ts';

const EXPERIMENT = ownType(experiment);

/** The message of its condition Ready, once that has the reason. */
export const readyFor = (
  cluster: Pick<Cluster, 'get'>,
  key: ObjectKey,
  { reason, seconds }: { readonly reason: string; readonly seconds: number },
): Promise<string> =>
  until(`${key.name} ${reason}`, seconds, async () => {
    const found = await cluster.get<Experiment>(EXPERIMENT, key);
    const condition = findCondition(found?.status?.conditions, 'Ready');
    return condition?.reason === reason ? condition.message : undefined;
  });

/** The Experiments of a new namespace, reconciled on a real API server; all else is in memory. */
export const operatorIn = async (
  cluster: KubernetesCluster,
  namespace: string,
): Promise<TestOperator> => {
  const home = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } };
  await cluster.create(NAMESPACE, home, { fieldManager: 'test' });
  const runs = new MemoryRunStore();
  const reconciler = experimentReconciler({
    ...{ runs, trials: new MemoryTrialStore(runs), search: new MemorySearchEngine() },
    ...{ logs: new MemoryPodLogs(), artifacts: memoryArtifactStore(), children: someDefaults() },
  });
  const operator = new TestOperator({
    ...{ cluster, clock: systemClock, namespaces: [namespace], reconcilers: [reconciler] },
  });
  void operator.start();
  return operator;
};
