import type { Experiment } from '../../../crds/schema/experiment.ts';
import {
  statusCondition,
  type ContainerState,
  type ContainerStatus,
  type Job,
  type Pod,
} from '../kubernetes-objects.ts';

import { causeFirst, isManagedElsewhere, nodesOfJob } from './node-pods.ts';

/** Why a trial's Job did not finish well. */
export type FailureClass =
  | 'Evicted'
  | 'NodeLost'
  | 'PodLost'
  | 'Killed'
  | 'ImagePull'
  | 'OutOfMemory'
  | 'DeadlineExceeded'
  | 'Error';

/** What the cluster broke, not the training. */
const INFRASTRUCTURE: readonly string[] = ['Evicted', 'NodeLost', 'PodLost', 'Killed', 'ImagePull'];
const RETRIES = 3;

/** Whether a trial is started again after this failure of its attempt. */
export const isRetried = (
  { spec }: Experiment,
  failure: FailureClass,
  attempt: number,
): boolean => {
  const { limit = RETRIES, on = INFRASTRUCTURE } = spec.trialTemplate.retryPolicy ?? {};
  return attempt < limit && on.includes(failure);
};

/** Reasons of the pod condition DisruptionTarget: https://kubernetes.io/docs/concepts/workloads/pods/disruptions/ */
const DISRUPTIONS: Readonly<Record<string, FailureClass>> = {
  PreemptionByScheduler: 'Evicted',
  EvictionByEvictionAPI: 'Evicted',
  TerminationByKubelet: 'Evicted',
  DeletionByTaintManager: 'NodeLost',
  DeletionByPodGC: 'NodeLost',
};

/** Reasons of a pod's status, which the kubelet and the node controller set. */
const POD_REASONS: Readonly<Record<string, FailureClass>> = {
  Evicted: 'Evicted',
  Preempting: 'Evicted',
  NodeShutdown: 'Evicted',
  Terminated: 'Evicted',
  NodeLost: 'NodeLost',
  DeadlineExceeded: 'DeadlineExceeded',
};

/** 128 + SIGKILL, 128 + SIGTERM. */
const KILLED = [137, 143];
const PULLING = ['ErrImagePull', 'ImagePullBackOff', 'InvalidImageName', 'ErrImageNeverPull'];

export const failureOf = (job: Job, pods: readonly Pod[]): FailureClass => {
  const { reason } = statusCondition(job.status?.conditions, 'Failed') ?? {};
  // Its pods are killed then, which must not pass for a kill by the cluster.
  if (reason === 'DeadlineExceeded') return 'DeadlineExceeded';
  const found = causeFirst(job, pods)
    .map(classOf)
    .find((each) => each !== undefined);
  if (found !== undefined) return found;
  // Pods in another cluster are not lost.
  return pods.length < nodesOfJob(job) && !isManagedElsewhere(job) ? 'PodLost' : 'Error';
};

const containersOf = ({ status }: Pod): readonly ContainerStatus[] => [
  ...(status?.initContainerStatuses ?? []),
  ...(status?.containerStatuses ?? []),
];

/** Disruptions first: they end containers by signals, which would pass for kills. */
const classOf = (pod: Pod): FailureClass | undefined => {
  const disruption = statusCondition(pod.status?.conditions, 'DisruptionTarget');
  if (disruption?.status === 'True') return DISRUPTIONS[disruption.reason ?? ''] ?? 'Evicted';
  const byReason = POD_REASONS[pod.status?.reason ?? ''];
  if (byReason !== undefined) return byReason;
  return containersOf(pod)
    .map(classOfContainer)
    .find((each) => each !== undefined);
};

const classOfContainer = ({ state, lastState }: ContainerStatus): FailureClass | undefined => {
  const ended = state?.terminated ?? lastState?.terminated;
  if (ended !== undefined && ended.exitCode !== 0) return classOfEnd(ended);
  return PULLING.includes(state?.waiting?.reason ?? '') ? 'ImagePull' : undefined;
};

const classOfEnd = ({ reason, exitCode }: NonNullable<ContainerState['terminated']>) => {
  if (reason === 'OOMKilled') return 'OutOfMemory';
  if (reason === 'ContainerStatusUnknown') return 'NodeLost';
  return KILLED.includes(exitCode) ? 'Killed' : 'Error';
};

/** So long the kubelet may try to pull an image, which never fails by itself. */
const PULL_DEADLINE_MS = 600_000;

/** Whether the pod has waited for its image for too long. */
export const isStuckPulling = (pod: Pod, now: Date): boolean =>
  pod.status?.phase === 'Pending' &&
  classOf(pod) === 'ImagePull' &&
  now.getTime() - Date.parse(pod.metadata.creationTimestamp ?? '') > PULL_DEADLINE_MS;

export const MOST_LINES = 20;
export const MOST_CHARACTERS = 2000;

/** The last lines a container of the trial left behind, as its pod's status keeps them. */
export const lastLines = (pods: readonly Pod[]): string => {
  const message = pods
    .flatMap(containersOf)
    .map(({ state, lastState }) => (state?.terminated ?? lastState?.terminated)?.message)
    .find((each) => each !== undefined && each.trim() !== '');
  return (message ?? '').trim().split('\n').slice(-MOST_LINES).join('\n').slice(-MOST_CHARACTERS);
};
