import { experiment } from '../../../crds/schema/experiment.ts';
import type { ExperimentIdentity } from '../../kinds/experiment/run-store.ts';
import type { Cluster } from '../../runtime/cluster.ts';
import { ownType } from '../../runtime/own-type.ts';
import type { KubernetesObject, ObjectKey } from '../../runtime/resource-type.ts';
import { ExpiringCache } from '../expiring-cache.ts';

export const EXPERIMENT = ownType(experiment);

/** Finds Experiments by what MLflow clients know of them: a name, or an id, which is the uid. */
export type ExperimentDirectory = {
  byName(namespace: string, name: string): Promise<KubernetesObject | undefined>;
  byId(id: string): Promise<KubernetesObject | undefined>;
  /** So that one which was just made or named is found by its id without a list. */
  remember(object: KubernetesObject): void;
};

const PAGE = 500;
/** Clients that ask for ids that do not exist cause one list in this time, however many they are. */
const INDEX_HOLDS_MS = 1_000;
const MAX_KNOWN = 10_000;
/** Lists in that time for ids that are not in the index, as those of Experiments made just now are. */
const LISTS_IN_VAIN = 5;

export const createExperimentDirectory = (
  cluster: Cluster,
  now: () => number,
): ExperimentDirectory => {
  const known = new Map<string, ObjectKey>();
  const index = new ExpiringCache<ReadonlyMap<string, ObjectKey>>(now, LISTS_IN_VAIN);
  /** Which of the lists of this time is looked at; several ask for the same one at once. */
  const turn = { since: -Infinity, list: 0 };
  const live = async (id: string, key: ObjectKey | undefined) => {
    const object = key === undefined ? undefined : await cluster.get(EXPERIMENT, key);
    return object?.metadata.uid === id ? object : undefined;
  };
  const remember: ExperimentDirectory['remember'] = ({ metadata }) => {
    if (known.size >= MAX_KNOWN) known.clear();
    const { uid = '', namespace = '', name } = metadata;
    known.set(uid, { namespace, name });
  };
  const keyOfId = async (id: string): Promise<ObjectKey | undefined> => {
    if (now() >= turn.since + INDEX_HOLDS_MS) Object.assign(turn, { since: now(), list: 0 });
    for (let list = turn.list; list < LISTS_IN_VAIN; list++) {
      const before = now();
      let fresh = false;
      const keys = await index.get(`${turn.since} ${list}`, async () => {
        fresh = true;
        return { value: await readIndex(cluster), expiresAt: before + INDEX_HOLDS_MS };
      });
      const key = keys.get(id);
      if (key !== undefined || fresh) return key;
      turn.list = Math.max(turn.list, Math.min(list + 1, LISTS_IN_VAIN - 1));
    }
    return undefined;
  };
  const byId: ExperimentDirectory['byId'] = async (id) => {
    // What clients take for the default experiment, when nobody named one.
    if (id === '0' || id === '') return undefined;
    const before = await live(id, known.get(id));
    if (before !== undefined) return before;
    const key = await keyOfId(id);
    const found = await live(id, key);
    if (found === undefined || key === undefined) return undefined;
    remember(found);
    return found;
  };
  return {
    byName: (namespace, name) => cluster.get(EXPERIMENT, { namespace, name }),
    byId,
    remember,
  };
};

const readIndex = async (cluster: Cluster): Promise<ReadonlyMap<string, ObjectKey>> => {
  const keys = new Map<string, ObjectKey>();
  for await (const { metadata } of allExperiments(cluster, undefined)) {
    const { uid, namespace = '', name } = metadata;
    if (uid !== undefined) keys.set(uid, { namespace, name });
  }
  return keys;
};

/** Every Experiment of a namespace, or of all. */
export async function* allExperiments(
  cluster: Cluster,
  namespace: string | undefined,
): AsyncGenerator<KubernetesObject> {
  let continueToken: string | undefined;
  do {
    const page = await cluster.list(EXPERIMENT, {
      limit: PAGE,
      ...(namespace === undefined ? {} : { namespace }),
      ...(continueToken === undefined ? {} : { continueToken }),
    });
    yield* page.items;
    continueToken = page.continueToken === '' ? undefined : page.continueToken;
  } while (continueToken !== undefined);
}

export const experimentIdentity = ({ metadata }: KubernetesObject): ExperimentIdentity => ({
  uid: metadata.uid ?? '',
  namespace: metadata.namespace ?? '',
  name: metadata.name,
});
