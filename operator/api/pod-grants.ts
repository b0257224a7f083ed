import { LABELS } from '../../crds/schema/names.ts';
import type { Cluster } from '../runtime/cluster.ts';
import { POD } from '../runtime/kubernetes-types.ts';
import type { Identity } from './identity.ts';

/** What a pod may do because of what it is; tenants' namespaces hold no roles of ours. */
export type PodGrants = {
  readonly namespace: string;
  /** The pod runs a trial of this Experiment: it may track that Experiment's runs. */
  readonly experiment?: string;
  /** The pod serves this ModelVersion (its name as a label value): it may read that version's bytes. */
  readonly modelVersion?: string;
  /** The pod serves for this Deployment: it may hand in what it logs of its requests. */
  readonly deployment?: string;
};

export type PodGrantsLookup = (identity: Identity) => Promise<PodGrants | undefined>;

/**
 * Reads the pod a token is bound to, and what its labels entitle it to. The uid must match, or a
 * pod that took over a deleted pod's name would inherit its rights. The answer is kept with the
 * identity, and so for as long as the token's review is.
 */
export const createPodGrants = (cluster: Cluster): PodGrantsLookup => {
  const known = new WeakMap<Identity, Promise<PodGrants | undefined>>();
  return async (identity) => {
    const found = known.get(identity) ?? lookup(cluster, identity);
    known.set(identity, found);
    try {
      return await found;
    } catch (error) {
      known.delete(identity);
      throw error;
    }
  };
};

const lookup = async (cluster: Cluster, identity: Identity): Promise<PodGrants | undefined> => {
  const { namespace, podName, podUid } = identity;
  if (namespace === undefined || podName === undefined || podUid === undefined) return undefined;
  const pod = await cluster.get(POD, { namespace, name: podName });
  if (pod?.metadata.uid !== podUid) return undefined;
  const labels = pod.metadata.labels ?? {};
  const experiment = labels[LABELS.experiment];
  const deployment = labels[LABELS.deployment];
  const modelVersion = deployment === undefined ? undefined : labels[LABELS.modelVersion];
  return {
    namespace,
    ...(experiment === undefined ? {} : { experiment }),
    ...(modelVersion === undefined ? {} : { modelVersion }),
    ...(deployment === undefined ? {} : { deployment }),
  };
};
