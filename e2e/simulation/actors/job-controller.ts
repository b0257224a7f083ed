import type { Job, Pod } from '../../../operator/kinds/kubernetes-objects.ts';
import { JOB, POD } from '../../../operator/runtime/kubernetes-types.ts';
import { keyOf, type ObjectKey } from '../../../operator/runtime/resource-type.ts';
import { timestamp } from '../../../crds/schema/conditions.ts';
import { controllerOfIts, itself, startActor, type ActorWorld } from './actor.ts';
import { KUBELET_FINALIZER } from './kubelet.ts';

const BY = { fieldManager: 'kube-controller-manager' };

/** kube-controller-manager's Job controller, for Jobs of one pod: makes pods, counts them, ends the Job. */
export const startJobController = (world: ActorWorld): void => {
  const wakes = [itself(JOB), controllerOfIts(POD, JOB)];
  startActor(world, {
    name: 'job',
    slowestMs: 400,
    wakes: (change) => wakes.map((each) => each(change)).find((key) => key !== undefined),
    sync: (key) => syncJob(world, key),
  });
};

const syncJob = async ({ server, clock }: ActorWorld, key: ObjectKey): Promise<undefined> => {
  const job = await server.cluster.get<Job>(JOB, key);
  if (job === undefined || job.metadata.deletionTimestamp !== undefined) return;
  if ((job.status?.conditions ?? []).length > 0) return;
  const pods = server
    .live<Pod>(POD)
    .filter(({ metadata }) => metadata.ownerReferences?.[0]?.uid === job.metadata.uid);
  const failed = pods.filter(({ status }) => status?.phase === 'Failed').length;
  const at = timestamp(new Date(clock.now()));
  const limit = Number(job.spec['backoffLimit'] ?? 6);
  if (pods.some(({ status }) => status?.phase === 'Succeeded')) {
    await end(server, job, { type: 'Complete', at });
  } else if (failed > limit) {
    await end(server, job, { type: 'Failed', at });
  } else if (pods.length === failed) {
    await server.cluster.create(POD, podOf(job, pods.length), BY);
    await setStatus(server, job, { active: 1, startTime: job.status?.startTime ?? at });
  }
  return undefined;
};

type Server = ActorWorld['server'];

const end = (
  server: Server,
  job: Job,
  { type, at }: { readonly type: 'Complete' | 'Failed'; readonly at: string },
): Promise<unknown> =>
  setStatus(server, job, {
    ...job.status,
    active: 0,
    ...(type === 'Complete' ? { completionTime: at } : {}),
    conditions: [
      {
        type,
        status: 'True',
        lastTransitionTime: at,
        message: type === 'Failed' ? 'too often' : '',
      },
    ],
  });

const setStatus = (server: Server, job: Job, status: Job['status']): Promise<unknown> =>
  server.cluster.patch(
    JOB,
    keyOf(job),
    [
      { op: 'test', path: '/metadata/uid', value: job.metadata.uid },
      { op: 'add', path: '/status', value: status },
    ],
    BY,
  );

const podOf = (job: Job, number: number): Pod => {
  const { metadata, spec } = job.spec.template;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `${job.metadata.name}-${job.metadata.uid ?? ''}-${number}`,
      namespace: job.metadata.namespace ?? '',
      labels: { ...metadata?.labels, 'batch.kubernetes.io/job-name': job.metadata.name },
      finalizers: [KUBELET_FINALIZER],
      ownerReferences: [
        {
          apiVersion: 'batch/v1',
          kind: 'Job',
          name: job.metadata.name,
          uid: job.metadata.uid ?? '',
          controller: true,
        },
      ],
    },
    spec,
    status: { phase: 'Pending' },
  } as Pod;
};
