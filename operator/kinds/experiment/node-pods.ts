import {
  statusCondition,
  type ContainerStatus,
  type Job,
  type Pod,
} from '../kubernetes-objects.ts';
import { troubleOf } from '../pod-report.ts';
import { COMPLETION_INDEX } from './nodes.ts';

/** How many pods a Job runs side by side, each a node of one training; 1 for any other Job. */
export const nodesOfJob = ({ spec }: Job): number => {
  const { completionMode, completions, parallelism } = spec;
  const together = completionMode === 'Indexed' && completions === parallelism;
  return together && typeof completions === 'number' ? Math.max(1, completions) : 1;
};

/** Which node of its Job a pod is; undefined in a Job that has no nodes. */
const nodeOfPod = ({ metadata }: Pod): number | undefined => {
  const index = metadata.annotations?.[COMPLETION_INDEX] ?? metadata.labels?.[COMPLETION_INDEX];
  return index === undefined || !/^\d+$/.test(index) ? undefined : Number(index);
};

/** The pod whose log is the trial's: that of node 0, as all nodes would say the same. */
export const firstNode = (pods: readonly Pod[]): Pod | undefined =>
  pods.find((pod) => nodeOfPod(pod) === 0 && pod.status?.phase !== 'Failed') ??
  pods.find((pod) => (nodeOfPod(pod) ?? 0) === 0);

/** How many nodes are up, or have finished well already. */
export const nodesUp = (pods: readonly Pod[]): number =>
  new Set(
    pods
      .filter(({ status }) => status?.phase === 'Running' || status?.phase === 'Succeeded')
      .map(nodeOfPod),
  ).size;

/** Pods of several nodes in the order in which they failed: the others fail because of the first. */
export const causeFirst = (job: Job, pods: readonly Pod[]): readonly Pod[] =>
  nodesOfJob(job) === 1
    ? pods
    : pods.toSorted(
        (a, b) =>
          Number(isRemoved(a)) - Number(isRemoved(b)) ||
          compare(failedAt(a), failedAt(b)) ||
          compare(nodeOfPod(a) ?? 0, nodeOfPod(b) ?? 0),
      );

/** Two infinities are the same. */
const compare = (a: number, b: number): number => (a === b ? 0 : a < b ? -1 : 1);

/** Once one node has failed, the Job's controller deletes the others; an evicted one is deleted, too. */
const isRemoved = (pod: Pod): boolean =>
  pod.metadata.deletionTimestamp !== undefined && disruptionOf(pod) === undefined;

const disruptionOf = ({ status }: Pod) => {
  const found = statusCondition(status?.conditions, 'DisruptionTarget');
  return found?.status === 'True' ? found : undefined;
};

/** When the first container of the pod ended badly, or the cluster turned against it; in ms. */
const failedAt = (pod: Pod): number => {
  const containers: readonly ContainerStatus[] = [
    ...(pod.status?.initContainerStatuses ?? []),
    ...(pod.status?.containerStatuses ?? []),
  ];
  const ends = containers
    .map(({ state, lastState }) => state?.terminated ?? lastState?.terminated)
    .filter((ended) => ended !== undefined && ended.exitCode !== 0)
    .map((ended) => ended?.finishedAt);
  const times = [...ends, disruptionOf(pod)?.lastTransitionTime]
    .map((time) => Date.parse(time ?? ''))
    .filter((time) => !Number.isNaN(time));
  return Math.min(Number.POSITIVE_INFINITY, ...times);
};

export type Trouble = { readonly pod: Pod; readonly words: string };

/** What is wrong with the pods of a Job, the cause first; it says on which node. */
export const troubleOfPods = (job: Job, pods: readonly Pod[]): Trouble | undefined => {
  for (const pod of causeFirst(job, pods)) {
    const words = troubleOf(pod);
    if (words !== undefined) return { pod, words: `${whichNode(job, pod)}${words}` };
  }
  return undefined;
};

const whichNode = (job: Job, pod: Pod): string => {
  const [node, nodes] = [nodeOfPod(pod), nodesOfJob(job)];
  return nodes === 1 || node === undefined ? '' : `node ${node} of ${nodes}: `;
};

/** Its controller was told to wait, by a queue such as Kueue's or by a person. */
export const isSuspended = ({ spec, status }: Job): boolean =>
  spec['suspend'] === true ||
  (spec['suspend'] === undefined &&
    statusCondition(status?.conditions, 'Suspended')?.status === 'True');

/** Its pods are another controller's, and may be in another cluster (Kueue's MultiKueue). */
export const isManagedElsewhere = ({ spec }: Job): boolean =>
  typeof spec['managedBy'] === 'string' && spec['managedBy'] !== 'kubernetes.io/job-controller';

/** Whether only the Job's Events can say why pods are missing. */
export const lacksPods = (job: Job, pods: readonly Pod[]): boolean =>
  pods.length < nodesOfJob(job) && !isSuspended(job) && !isManagedElsewhere(job);
