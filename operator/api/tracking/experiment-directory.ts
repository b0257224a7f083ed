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
};

const PAGE = 500;
/** Clients that ask for ids that do not exist cause one list in this time, however many they are. */
const INDEX_HOLDS_MS = 1_000;
const MAX_KNOWN = 10_000;

export const createExperimentDirectory = (
  cluster: Cluster,
  now: () => number,
): ExperimentDirectory => {
  const known = new Map<string, ObjectKey>();
  const index = new ExpiringCache<ReadonlyMap<string, ObjectKey>>(now, 1);
  const live = async (id: string, key: ObjectKey | undefined) => {
    const object = key === undefined ? undefined : await cluster.get(EXPERIMENT, key);
    return object?.metadata.uid === id ? object : undefined;
  };
  const byId: ExperimentDirectory['byId'] = async (id) => {
    // What clients take for the default experiment, when nobody named one.
    if (id === '0' || id === '') return undefined;
    const before = await live(id, known.get(id));
    if (before !== undefined) return before;
    const keys = await index.get('all', async () => ({
      value: await readIndex(cluster),
      expiresAt: now() + INDEX_HOLDS_MS,
    }));
    const key = keys.get(id);
    const found = await live(id, key);
    if (found === undefined || key === undefined) return undefined;
    if (known.size >= MAX_KNOWN) known.clear();
    known.set(id, key);
    return found;
  };
  return { byName: (namespace, name) => cluster.get(EXPERIMENT, { namespace, name }), byId };
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
