import {
  statusCondition,
  type ClusterEvent,
  type Job,
  type Pod,
  type StatusCondition,
} from '../kubernetes-objects.ts';
import { isQuota } from '../quota-words.ts';
import { troubleOf } from '../pod-report.ts';
import type { Run } from './run-store.ts';

/** How a trial stands, from its Job, the Job's pods and what the cluster said about them. */
export type TrialState =
  | { readonly state: 'starting'; readonly message: string }
  /** The cluster refuses the pods; it goes on by itself when that ends. */
  | {
      readonly state: 'refused';
      readonly reason: 'QuotaExceeded' | 'InvalidTemplate';
      readonly message: string;
    }
  | { readonly state: 'running'; readonly message: string }
  | { readonly state: 'succeeded'; readonly at: string | undefined }
  | { readonly state: 'failed'; readonly message: string; readonly at: string | undefined };

export type TrialFacts = {
  readonly job: Job;
  readonly pods: readonly Pod[];
  /** Events of the Job; read only while it has no pod. */
  readonly events: readonly ClusterEvent[];
};

export const trialState = ({ job, pods, events }: TrialFacts): TrialState => {
  const complete = statusCondition(job.status?.conditions, 'Complete');
  if (complete?.status === 'True') {
    return { state: 'succeeded', at: job.status?.completionTime ?? complete.lastTransitionTime };
  }
  const trouble = pods.map(troubleOf).find((each) => each !== undefined);
  const failed = statusCondition(job.status?.conditions, 'Failed');
  if (failed?.status === 'True') return failedState(job, failed, trouble);
  return stateUnderWay({ job, pods, events }, trouble);
};

const stateUnderWay = (
  { job, pods, events }: TrialFacts,
  trouble: string | undefined,
): TrialState => {
  const { name } = job.metadata;
  if (statusCondition(job.status?.conditions, 'Suspended')?.status === 'True') {
    return { state: 'starting', message: `Job ${name} is suspended; it waits in its queue.` };
  }
  if (pods.length === 0) return withoutPod(name, events);
  if (pods.some(({ status }) => status?.phase === 'Running')) {
    return { state: 'running', message: `Job ${name} is running.` };
  }
  const why = trouble === undefined ? '' : `: ${trouble}`;
  return { state: 'starting', message: `Job ${name} is starting${why}.` };
};

const failedState = (
  { metadata }: Job,
  failed: StatusCondition,
  trouble: string | undefined,
): TrialState => {
  const why = trouble ?? failed.message ?? failed.reason ?? 'no reason given';
  return {
    state: 'failed',
    at: failed.lastTransitionTime,
    message: `Job ${metadata.name} failed: ${why}. See kubectl logs job/${metadata.name} -n ${metadata.namespace ?? ''}.`,
  };
};

const withoutPod = (name: string, events: readonly ClusterEvent[]): TrialState => {
  const refusal = events
    .filter(({ reason }) => reason === 'FailedCreate')
    .toSorted((a, b) => (timeOf(a) < timeOf(b) ? 1 : -1))[0];
  if (refusal === undefined) {
    return { state: 'starting', message: `Job ${name} has no pod yet.` };
  }
  const words = refusal.message ?? 'no reason given';
  return isQuota(words)
    ? {
        state: 'refused',
        reason: 'QuotaExceeded',
        message: `The namespace's quota or limits refuse the pod of Job ${name}: ${words}. It starts by itself once there is room.`,
      }
    : {
        state: 'refused',
        reason: 'InvalidTemplate',
        message: `The cluster refuses the pod of Job ${name}: ${words}. Correct spec.trialTemplate in a new Experiment.`,
      };
};

const timeOf = ({ eventTime, lastTimestamp, metadata }: ClusterEvent): string =>
  lastTimestamp ?? eventTime ?? metadata.creationTimestamp ?? '';

/** How a trial ended whose Job is gone; undefined when it never ended. */
export const endedWithoutJob = (run: Run): TrialState | undefined => {
  const at = run.endTime === undefined ? undefined : new Date(run.endTime).toISOString();
  switch (run.status) {
    case 'FINISHED':
      return { state: 'succeeded', at };
    case 'FAILED':
    case 'KILLED':
      return {
        state: 'failed',
        at,
        message: `Run ${run.runId} ended as ${run.status}, and its Job is gone.`,
      };
    case 'SCHEDULED':
    case 'RUNNING':
      return undefined;
  }
};
