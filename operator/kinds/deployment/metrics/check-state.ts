/** What a check's Job has found out, from the Job, its pods and its Events. Pure. */
import type { Reading } from '../../../probing/measurement.ts';
import {
  statusCondition,
  type ClusterEvent,
  type Job,
  type Pod,
} from '../../kubernetes-objects.ts';
import { troubleOf } from '../../pod-report.ts';

type CheckFacts = {
  readonly job: Job;
  readonly pods: readonly Pod[];
  /** Read only while there is no pod. */
  readonly events: readonly ClusterEvent[];
};

export type CheckState =
  | { readonly isOver: true; readonly reading: Reading }
  | { readonly isOver: false; readonly words: string };

/**
 * A failed Job is bad only when a container of it ended by itself: one that was never started, or was
 * stopped at its deadline, has found out nothing.
 */
export const checkState = ({ job, pods, events }: CheckFacts): CheckState => {
  const { name, namespace = '' } = job.metadata;
  const { conditions } = job.status ?? {};
  if (statusCondition(conditions, 'Complete')?.status === 'True') {
    return { isOver: true, reading: { is: 'value', value: true, words: `Job ${name} succeeded` } };
  }
  const trouble = pods.map(troubleOf).find((each) => each !== undefined);
  const failed = statusCondition(conditions, 'Failed');
  if (failed?.status !== 'True') {
    return { isOver: false, words: pendingWords(name, pods, trouble, events) };
  }
  const why = trouble ?? failed.message ?? failed.reason ?? 'no reason given';
  if (failed.reason === 'DeadlineExceeded' || !pods.some(hasEnded)) {
    return {
      isOver: true,
      reading: { is: 'error', words: `Job ${name} did not come to its end: ${why}` },
    };
  }
  const words = `Job ${name} failed: ${why} (kubectl logs job/${name} -n ${namespace})`;
  return { isOver: true, reading: { is: 'value', value: false, words } };
};

const hasEnded = ({ status }: Pod): boolean =>
  [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])].some(
    ({ state, lastState }) => (state?.terminated ?? lastState?.terminated) !== undefined,
  );

const pendingWords = (
  name: string,
  pods: readonly Pod[],
  trouble: string | undefined,
  events: readonly ClusterEvent[],
): string => {
  if (trouble !== undefined) return `Job ${name}: ${trouble}`;
  const refusal = events.find(({ reason }) => reason === 'FailedCreate')?.message;
  if (pods.length === 0 && refusal !== undefined) {
    return `the cluster refuses the pod of Job ${name}: ${refusal}`;
  }
  return `Job ${name} is under way`;
};
