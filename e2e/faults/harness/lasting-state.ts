import { paths } from './apps.ts';
import type { KubeClient } from './kube-client.ts';

/** What differs from one run to the next although the same was done: identities, clocks, addresses. */
const PASSING = new Set([
  'uid',
  'resourceVersion',
  'creationTimestamp',
  'deletionTimestamp',
  'lastTransitionTime',
  'clusterIP',
  'clusterIPs',
  'namespace',
  'time',
  // A fingerprint with the owner's uid in it.
  'mlops.pynomaly.io/applied',
]);

/**
 * All Apps and children of a namespace without what is different in each run; who manages which
 * fields is in it.
 */
export const lastingState = async (kube: KubeClient, namespace: string): Promise<unknown> => {
  const { apps, configMaps, deployments, services } = paths(namespace);
  const lists = await Promise.all(
    [apps, configMaps, deployments, services].map((path) => kube.list(path)),
  );
  return lists.map((objects) => objects.map((object) => lasting(object)));
};

const lasting = (value: unknown): unknown => {
  if (Array.isArray(value)) {
    const parts = value.map(lasting);
    // Entries of managedFields stand in the order of their times.
    return parts.every(isManagerEntry) ? parts.toSorted(byText) : parts;
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !PASSING.has(key))
      .map(([key, part]) => [key.startsWith('k:{"uid"') ? 'k:uid' : key, lasting(part)] as const),
  );
};

const isManagerEntry = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'fieldsType' in value;

const byText = (a: unknown, b: unknown): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);
