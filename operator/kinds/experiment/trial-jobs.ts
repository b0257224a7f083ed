import { CORE_EVENT, JOB } from '../../runtime/kubernetes-types.ts';
import type { Pass } from '../../runtime/reconciler.ts';
import type { ClusterEvent, Job } from '../kubernetes-objects.ts';

/** A cache that has not caught up yet must not lead to a second Job. */
export const findJob = async (wanted: Job, pass: Pass): Promise<Job | undefined> => {
  const { name, namespace = '' } = wanted.metadata;
  const owned = pass.owned<Job>(JOB).find(({ metadata }) => metadata.name === name);
  if (owned !== undefined) return owned;
  const live = await pass.live.get<Job>(JOB, { namespace, name });
  // One that is not ours is refused where it would be created.
  return live === undefined ? undefined : pass.ensure<Job>(JOB, wanted);
};

/** When the trial began, in ms since 1970. */
export const startOf = (job: Job, pass: Pass): number =>
  Date.parse(job.status?.startTime ?? job.metadata.creationTimestamp ?? pass.now.toISOString());

/** Only a Job's Events say why it has no pod. */
export const eventsOf = async (job: Job, pass: Pass): Promise<readonly ClusterEvent[]> => {
  const { namespace = '', uid } = job.metadata;
  const page = await pass.live.list<ClusterEvent>(CORE_EVENT, {
    namespace,
    fieldSelector: `involvedObject.uid=${uid ?? ''}`,
    limit: 500,
  });
  return page.items;
};
