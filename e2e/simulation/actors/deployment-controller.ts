import { createHash } from 'node:crypto';
import type {
  AppsDeployment,
  Pod,
  ReplicaSet,
} from '../../../operator/kinds/kubernetes-objects.ts';
import { same } from '../../../operator/runtime/coverage.ts';
import { APPS_DEPLOYMENT, POD, REPLICA_SET } from '../../../operator/runtime/kubernetes-types.ts';
import { keyOf, type ObjectKey } from '../../../operator/runtime/resource-type.ts';
import { controllerOfIts, itself, startActor, type ActorWorld } from './actor.ts';
import { KUBELET_FINALIZER } from './kubelet.ts';

const BY = { fieldManager: 'kube-controller-manager' };
const REVISION = 'deployment.kubernetes.io/revision';
const HASH = 'pod-template-hash';

/**
 * kube-controller-manager's Deployment and ReplicaSet controllers in one: a ReplicaSet for each
 * template, a rolling update of one pod at a time with none missing, and status.
 */
export const startDeploymentController = (world: ActorWorld): void => {
  startActor(world, {
    name: 'deployment',
    slowestMs: 400,
    wakes: (change) => {
      const own =
        itself(APPS_DEPLOYMENT)(change) ?? controllerOfIts(REPLICA_SET, APPS_DEPLOYMENT)(change);
      if (own !== undefined) return own;
      const set = controllerOfIts(POD, REPLICA_SET)(change);
      return set && { ...set, name: set.name.slice(0, set.name.lastIndexOf('-')) };
    },
    sync: (key) => syncDeployment(world, key),
  });
};

type Fleet = {
  readonly apps: AppsDeployment;
  readonly sets: readonly ReplicaSet[];
  readonly current: ReplicaSet;
};

const syncDeployment = async (world: ActorWorld, key: ObjectKey): Promise<undefined> => {
  const apps = await world.server.cluster.get<AppsDeployment>(APPS_DEPLOYMENT, key);
  if (apps === undefined || apps.metadata.deletionTimestamp !== undefined) return;
  const fleet = await withCurrentSet(world, apps);
  if (fleet === undefined) return;
  const wanted = apps.spec.replicas ?? 1;
  const ready = readyOf(world, fleet.current);
  const pods = podsOf(world, fleet.current).length;
  await scale(world, fleet.current, Math.min(wanted, Math.max(pods, ready + 1)));
  for (const old of fleet.sets.filter((each) => each !== fleet.current))
    await scale(world, old, Math.min(podsOf(world, old).length, Math.max(0, wanted - ready)));
  await tell(world, fleet);
};

/** Makes the ReplicaSet of the template, or gives the one there is the newest revision. */
const withCurrentSet = async (
  world: ActorWorld,
  apps: AppsDeployment,
): Promise<Fleet | undefined> => {
  const { server } = world;
  const hash = createHash('sha256')
    .update(JSON.stringify(apps.spec.template))
    .digest('hex')
    .slice(0, 8);
  const sets = server
    .live<ReplicaSet>(REPLICA_SET)
    .filter(({ metadata }) => metadata.ownerReferences?.[0]?.uid === apps.metadata.uid);
  const newest = Math.max(0, ...sets.map(revisionOf));
  const current = sets.find(({ metadata }) => metadata.labels?.[HASH] === hash);
  if (current === undefined) {
    await server.cluster.create(REPLICA_SET, setOf(apps, hash, newest + 1), BY);
    return undefined;
  }
  if (revisionOf(current) < newest) {
    await annotate(world, current, String(newest + 1));
    return undefined;
  }
  await annotate(world, apps, String(revisionOf(current)));
  return { apps, sets, current };
};

const revisionOf = ({ metadata }: ReplicaSet): number =>
  Number(metadata.annotations?.[REVISION] ?? 0);

const annotate = async (
  { server }: ActorWorld,
  object: AppsDeployment | ReplicaSet,
  revision: string,
): Promise<void> => {
  const { annotations } = object.metadata;
  if (annotations?.[REVISION] === revision) return;
  const type = object.kind === 'Deployment' ? APPS_DEPLOYMENT : REPLICA_SET;
  const path = `/metadata/annotations/${REVISION.replaceAll('/', '~1')}`;
  await server.cluster.patch(
    type,
    keyOf(object),
    annotations === undefined
      ? [{ op: 'add', path: '/metadata/annotations', value: { [REVISION]: revision } }]
      : [{ op: 'add', path, value: revision }],
    BY,
  );
};

const setOf = (apps: AppsDeployment, hash: string, revision: number): ReplicaSet => ({
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  metadata: {
    name: `${apps.metadata.name}-${hash}`,
    namespace: apps.metadata.namespace ?? '',
    labels: { ...apps.spec.template.metadata?.labels, [HASH]: hash },
    annotations: { [REVISION]: String(revision) },
    ownerReferences: [
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        name: apps.metadata.name,
        uid: apps.metadata.uid ?? '',
        controller: true,
      },
    ],
  },
  spec: { replicas: 0, template: apps.spec.template },
  status: { replicas: 0, readyReplicas: 0 },
});

const podsOf = ({ server }: ActorWorld, set: ReplicaSet): readonly Pod[] =>
  server
    .live<Pod>(POD)
    .filter(({ metadata }) => metadata.ownerReferences?.[0]?.uid === set.metadata.uid)
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined);

const isServing = ({ status }: Pod): boolean => status?.containerStatuses?.[0]?.ready === true;

const readyOf = (world: ActorWorld, set: ReplicaSet): number =>
  podsOf(world, set).filter(isServing).length;

const scale = async (world: ActorWorld, set: ReplicaSet, wanted: number): Promise<void> => {
  const { cluster } = world.server;
  const pods = podsOf(world, set);
  for (let number = 0; pods.length < wanted && number < wanted; number++) {
    const pod = podOf(set, number);
    if (world.server.one(POD, pod.metadata.namespace ?? '', pod.metadata.name) === undefined)
      await cluster.create(POD, pod, BY);
  }
  for (const pod of pods.slice(wanted)) await cluster.delete(POD, keyOf(pod));
  const status = { replicas: Math.min(pods.length, wanted), readyReplicas: readyOf(world, set) };
  const { replicas, readyReplicas } = set.status ?? {};
  if (
    set.spec.replicas === wanted &&
    replicas === status.replicas &&
    readyReplicas === status.readyReplicas
  )
    return;
  await cluster.patch(
    REPLICA_SET,
    keyOf(set),
    [
      { op: 'add', path: '/spec/replicas', value: wanted },
      { op: 'add', path: '/status', value: status },
    ],
    BY,
  );
};

const podOf = (set: ReplicaSet, number: number): Pod =>
  ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `${set.metadata.name}-${number}`,
      namespace: set.metadata.namespace ?? '',
      labels: set.metadata.labels ?? {},
      finalizers: [KUBELET_FINALIZER],
      ownerReferences: [
        {
          apiVersion: 'apps/v1',
          kind: 'ReplicaSet',
          name: set.metadata.name,
          uid: set.metadata.uid ?? '',
          controller: true,
        },
      ],
    },
    spec: set.spec.template.spec,
    status: { phase: 'Pending' },
  }) as Pod;

const tell = async (world: ActorWorld, { apps, sets, current }: Fleet): Promise<void> => {
  const ready = sets.reduce((sum, set) => sum + readyOf(world, set), 0);
  const status = {
    observedGeneration: apps.metadata.generation ?? 0,
    replicas: sets.reduce((sum, set) => sum + podsOf(world, set).length, 0),
    updatedReplicas: podsOf(world, current).length,
    readyReplicas: ready,
    availableReplicas: ready,
  };
  if (same(apps.status, status)) return;
  await world.server.cluster.patch(
    APPS_DEPLOYMENT,
    keyOf(apps),
    [
      { op: 'test', path: '/metadata/uid', value: apps.metadata.uid },
      { op: 'add', path: '/status', value: status },
    ],
    BY,
  );
};
