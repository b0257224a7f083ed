import { LABELS } from '../../../crds/schema/names.ts';
import type { Pod } from '../../../operator/kinds/kubernetes-objects.ts';
import { RunNotFound } from '../../../operator/kinds/experiment/run-store.ts';
import { POD } from '../../../operator/runtime/kubernetes-types.ts';
import { keyOf, type ObjectKey } from '../../../operator/runtime/resource-type.ts';
import { itself, startActor, type ActorWorld } from './actor.ts';

/** Stands for the grace period: a deleted pod goes when the kubelet has ended it. */
export const KUBELET_FINALIZER = 'simulation/kubelet';
const BY = { fieldManager: 'kubelet' };

/** How a pod ends that does not go on for ever. */
export type PodEnd = { readonly phase: 'Succeeded' | 'Failed'; readonly message?: string };

/** What the programs in pods do. */
export type Programs = {
  /** A pod of a trial: logs, uploads and ends. */
  train(pod: Pod): Promise<PodEnd>;
  /** A pod that reads a version from foreign storage. */
  inspect(pod: Pod): Promise<PodEnd>;
  /** Why a serving pod cannot load its model, as its last words; undefined: it serves. */
  trouble(pod: Pod): string | undefined;
};

/** Starts pods, runs them to their end or keeps them serving, and ends those that are deleted. */
export const startKubelet = (world: ActorWorld, programs: Programs): void => {
  const node: Node = { world, programs, busy: new Set() };
  startActor(world, {
    name: 'kubelet',
    slowestMs: 1_500,
    wakes: itself(POD),
    sync: (key) => syncPod(node, key),
  });
};

type Node = {
  readonly world: ActorWorld;
  readonly programs: Programs;
  /** Pods whose program runs just now, by uid. */
  readonly busy: Set<string | undefined>;
};

const syncPod = async (node: Node, key: ObjectKey): Promise<undefined> => {
  const { world, busy } = node;
  const pod = await world.server.cluster.get<Pod>(POD, key);
  if (pod === undefined) return undefined;
  if (pod.metadata.deletionTimestamp !== undefined) {
    await world.server.cluster.patch(
      POD,
      key,
      [{ op: 'remove', path: '/metadata/finalizers/0' }],
      BY,
    );
    return undefined;
  }
  if (pod.status?.phase === 'Pending') {
    await setStatus(world, pod, { phase: 'Running' });
    return undefined;
  }
  if (pod.status?.phase !== 'Running' || busy.has(pod.metadata.uid)) return undefined;
  return pod.metadata.labels?.[LABELS.deployment] === undefined
    ? runToEnd(node, pod)
    : serve(node, pod);
};

const runToEnd = async ({ world, programs, busy }: Node, pod: Pod): Promise<undefined> => {
  busy.add(pod.metadata.uid);
  const isTrial = pod.metadata.labels?.[LABELS.experiment] !== undefined;
  const { phase, message = '' } = await (
    isTrial ? programs.train(pod) : programs.inspect(pod)
  ).catch((error: unknown): PodEnd => {
    // Its run was deleted under it, so its client gets an error.
    if (error instanceof RunNotFound) return { phase: 'Failed', message: error.message };
    throw error;
  });
  const terminated = { exitCode: phase === 'Succeeded' ? 0 : 1, message };
  await setStatus(world, pod, {
    phase,
    containerStatuses: [{ name: 'main', state: { terminated } }],
  });
  return undefined;
};

const serve = async ({ world, programs }: Node, pod: Pod): Promise<undefined> => {
  if (pod.status?.containerStatuses !== undefined) return undefined;
  const message = programs.trouble(pod);
  const container =
    message === undefined
      ? { name: 'serving', ready: true, state: { running: {} } }
      : {
          name: 'serving',
          ready: false,
          state: { waiting: { reason: 'CrashLoopBackOff' } },
          lastState: { terminated: { exitCode: 1, message } },
        };
  await setStatus(world, pod, { phase: 'Running', containerStatuses: [container] });
  return undefined;
};

const setStatus = (
  { server }: ActorWorld,
  pod: Pod,
  status: NonNullable<Pod['status']>,
): Promise<unknown> =>
  server.cluster.patch(
    POD,
    keyOf(pod),
    [
      { op: 'test', path: '/metadata/uid', value: pod.metadata.uid },
      { op: 'add', path: '/status', value: status },
    ],
    BY,
  );
