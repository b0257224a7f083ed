import type { Experiment } from '../../../crds/schema/experiment.ts';
import {
  statusCondition,
  type ClusterEvent,
  type Job,
  type Pod,
  type StatusCondition,
} from '../kubernetes-objects.ts';
import { isQuota } from '../quota-words.ts';
import {
  isManagedElsewhere,
  isSuspended,
  nodesOfJob,
  nodesUp,
  troubleOfPods,
  type Trouble,
} from './node-pods.ts';
import { nodesOf } from './nodes.ts';
import { QUEUE_NAME } from './queue-labels.ts';
import type { Run } from './run-store.ts';

/** How a trial stands, from its Job, the Job's pods and what the cluster said about them. */
export type TrialState =
  | { readonly state: 'starting'; readonly message: string }
  /** It is suspended: whoever did that lets it start, or the queue it waits in. */
  | { readonly state: 'queued'; readonly message: string }
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
  /** Events of the Job; read only while it lacks pods. */
  readonly events: readonly ClusterEvent[];
};

export const trialState = ({ job, pods, events }: TrialFacts): TrialState => {
  const complete = statusCondition(job.status?.conditions, 'Complete');
  if (complete?.status === 'True') {
    return { state: 'succeeded', at: job.status?.completionTime ?? complete.lastTransitionTime };
  }
  const trouble = troubleOfPods(job, pods);
  const failed = statusCondition(job.status?.conditions, 'Failed');
  if (failed?.status === 'True') return failedState(job, failed, trouble);
  return stateUnderWay({ job, pods, events }, trouble);
};

const stateUnderWay = (
  { job, pods, events }: TrialFacts,
  trouble: Trouble | undefined,
): TrialState => {
  const { name } = job.metadata;
  if (isManagedElsewhere(job) && (job.status?.active ?? 0) > 0) {
    const manager = String(job.spec['managedBy']);
    return { state: 'running', message: `Job ${name} is running where ${manager} took it.` };
  }
  if (isSuspended(job)) return { state: 'queued', message: whileSuspended(job) };
  const refused = pods.length < nodesOfJob(job) ? refusalOf(name, events) : undefined;
  if (refused !== undefined) return refused;
  if (pods.length === 0) return { state: 'starting', message: `Job ${name} has no pod yet.` };
  return withPods(job, pods, trouble);
};

const withPods = (job: Job, pods: readonly Pod[], trouble: Trouble | undefined): TrialState => {
  const { name } = job.metadata;
  const [nodes, up] = [nodesOfJob(job), nodesUp(pods)];
  if (up >= nodes) {
    const on = nodes === 1 ? '' : ` on ${nodes} nodes`;
    return { state: 'running', message: `Job ${name} is running${on}.` };
  }
  const count = nodes === 1 ? '' : `, ${up} of ${nodes} nodes are up`;
  const why = trouble === undefined ? '' : `: ${trouble.words}`;
  return { state: 'starting', message: `Job ${name} is starting${count}${why}.` };
};

const whileSuspended = ({ metadata }: Job): string => {
  const queue = metadata.labels?.[QUEUE_NAME];
  return queue === undefined
    ? `Job ${metadata.name} is suspended; it starts once its spec.suspend is false.`
    : `Job ${metadata.name} is suspended; it waits in its queue ${queue} (kubectl get workloads says for what).`;
};

const failedState = (
  job: Job,
  failed: StatusCondition,
  trouble: Trouble | undefined,
): TrialState => {
  const { name, namespace = '' } = job.metadata;
  const why = trouble?.words ?? failed.message ?? failed.reason ?? 'no reason given';
  // Of several pods kubectl would choose one.
  const log =
    trouble === undefined || nodesOfJob(job) === 1 ? `job/${name}` : trouble.pod.metadata.name;
  return {
    state: 'failed',
    at: failed.lastTransitionTime,
    message: `Job ${name} failed: ${why}. See kubectl logs ${log} -n ${namespace}.`,
  };
};

const refusalOf = (name: string, events: readonly ClusterEvent[]): TrialState | undefined => {
  const refusal = events
    .filter(({ reason }) => reason === 'FailedCreate')
    .toSorted((a, b) => (timeOf(a) < timeOf(b) ? 1 : -1))[0];
  if (refusal === undefined) return undefined;
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

/**
 * How a trial ended whose Job is gone; undefined when it never ended. That the run is finished says
 * nothing of a trial on several nodes: any one of them may have said it.
 */
export const endedWithoutJob = (experiment: Experiment, run: Run): TrialState | undefined => {
  if (nodesOf(experiment) > 1 && run.status === 'FINISHED') return undefined;
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
