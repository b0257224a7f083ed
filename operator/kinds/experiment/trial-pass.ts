import type { Experiment } from '../../../crds/schema/experiment.ts';
import { JOB, POD } from '../../runtime/kubernetes-types.ts';
import type { Outcome, Pass } from '../../runtime/reconciler.ts';
import {
  isSameType,
  type KubernetesObject,
  type ResourceType,
} from '../../runtime/resource-type.ts';
import type { Job, Pod } from '../kubernetes-objects.ts';
import { ready, stalled } from '../outcome.ts';
import type { PodDefaults } from '../restricted-pod.ts';
import { kept } from './decide.ts';
import { COMPLETION_INDEX } from './nodes.ts';
import { TRAIN_JOB, trialType } from './trial-kinds.ts';
import { asJob, fromJob } from './trial-object.ts';
import { trackedReplica } from './trial-view.ts';

/** On pods of a JobSet, and so on those of a TrainJob, which makes one of its own name. */
const JOB_SET_NAME = 'jobset.sigs.k8s.io/jobset-name';
const REPLICATED_JOB = 'jobset.sigs.k8s.io/replicatedjob-name';
const LOOK_AGAIN_MS = 30_000;
const MOST_PODS = 500;

/** Why nothing can start where the cluster does not have the kind of the trials. */
export const kindMissing = (experiment: Experiment, pass: Pass): Outcome | undefined => {
  const type = trialType(experiment);
  if (isSameType(type, JOB) || pass.serves(type)) return undefined;
  const message = `spec.trialTemplate.trialSpec is a ${type.kind}, but this cluster has no ${type.plural}.${type.group} (${type.version}); install it, or use a Job. It is looked for again every 30 seconds.`;
  return stalled(ready('False', 'KindNotInstalled', message), {
    status: kept(experiment.status),
    requeueAfterMs: LOOK_AGAIN_MS,
  });
};

/**
 * A pass in which Jobs are what trials of the Experiment are made of: where those are JobSets or
 * TrainJobs, each is seen as a Job, and a Job that is made becomes one of them.
 */
export const trialPass = async (
  experiment: Experiment,
  pass: Pass,
  defaults: PodDefaults,
): Promise<Pass> => {
  const type = trialType(experiment);
  if (isSameType(type, JOB)) return pass;
  const view = (object: KubernetesObject): Job => asJob(experiment, object);
  const isJob = (asked: ResourceType): boolean => isSameType(asked, JOB);
  const pods = isSameType(type, TRAIN_JOB) ? await podsOfTrainer(experiment, pass) : [];
  const owners = new Map(pass.owned(type).map((each) => [each.metadata.name, each.metadata.uid]));
  const tracked = trackedReplica(experiment);
  const adopted = (pod: Pod): Pod => adoptedPod(pod, owners, tracked);
  const seen: Pick<Pass, 'owned' | 'ensure' | 'delete' | 'cachedList'> = {
    owned: <T extends KubernetesObject>(asked: ResourceType) =>
      (isJob(asked) ? pass.owned(type).map(view) : pass.owned(asked)) as readonly T[],
    ensure: async <T extends KubernetesObject>(
      asked: ResourceType,
      child: KubernetesObject,
      options?: Parameters<Pass['ensure']>[2],
    ) => {
      if (!isJob(asked)) return pass.ensure<T>(asked, child, options);
      const made = await pass.ensure(type, fromJob(experiment, child as Job, defaults), options);
      return view(made) as unknown as T;
    },
    delete: (asked, object) => pass.delete(isJob(asked) ? type : asked, object),
    cachedList: <T extends KubernetesObject>(asked: ResourceType) =>
      (isSameType(asked, POD)
        ? [...pass.cachedList<Pod>(POD), ...pods].map(adopted)
        : pass.cachedList(asked)) as readonly T[],
  };
  const live: Pass['live'] = {
    list: (asked, options) => pass.live.list(asked, options),
    get: async <T extends KubernetesObject>(
      asked: ResourceType,
      key: Parameters<Pass['live']['get']>[1],
    ) => {
      if (!isJob(asked)) return pass.live.get<T>(asked, key);
      const found = await pass.live.get(type, key);
      return found === undefined ? undefined : (view(found) as unknown as T);
    },
  };
  return { ...pass, ...seen, live };
};

/** They carry no label of ours, so that no cache has them. */
const podsOfTrainer = async ({ metadata }: Experiment, pass: Pass): Promise<readonly Pod[]> => {
  if (pass.owned(TRAIN_JOB).length === 0) return [];
  const { namespace } = metadata;
  const page = await pass.live.list<Pod>(POD, {
    ...{ namespace, labelSelector: JOB_SET_NAME, limit: MOST_PODS },
  });
  return page.items;
};

/** Stands for: not the first node, whose log is read. */
const BESIDE = '1';

/** Owned by a Job of the JobSet; seen as owned by what the trial is. */
const adoptedPod = (
  pod: Pod,
  owners: ReadonlyMap<string, string | undefined>,
  tracked: string | undefined,
): Pod => {
  const { labels, annotations } = pod.metadata;
  const name = labels?.[JOB_SET_NAME] ?? '';
  const uid = owners.get(name);
  if (uid === undefined) return pod;
  const ownerReferences = [{ apiVersion: 'batch/v1', kind: 'Job', name, uid }];
  const replica = labels?.[REPLICATED_JOB];
  const beside = replica !== undefined && tracked !== undefined && replica !== tracked;
  const own = beside ? { annotations: { ...annotations, [COMPLETION_INDEX]: BESIDE } } : {};
  return { ...pod, metadata: { ...pod.metadata, ...own, ownerReferences } };
};
