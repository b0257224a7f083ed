import type { KubernetesObject, ResourceType } from '../../operator/runtime/resource-type.ts';
import type { Run } from '../../operator/kinds/experiment/run-store.ts';
import { APPS_DEPLOYMENT } from '../../operator/runtime/kubernetes-types.ts';
import { CHILD_TYPES, OWN_TYPES } from './types.ts';

/** May differ between two runs that ended alike: when, which identity, how many writes it took. */
const UNEQUAL = new Set([
  'uid',
  'resourceVersion',
  'generation',
  'observedGeneration',
  'managedFields',
  'creationTimestamp',
  'mlops.pynomaly.io/applied',
  'mlops.pynomaly.io/asked-again',
  'deployment.kubernetes.io/revision',
]);

export type EndOptions = {
  readonly objects: (type: ResourceType) => readonly KubernetesObject[];
  readonly runs: readonly Run[];
  readonly files: readonly string[];
  /** Begin of names of what may end in more than one way. */
  readonly ambiguous: readonly string[];
};

/** What a world came to, one line per object, apart from times, identities and counts of writes. */
export const endState = ({ objects, runs, files, ambiguous }: EndOptions): string => {
  const clear = (name: string): boolean => !ambiguous.some((each) => name.startsWith(each));
  const kept = [...OWN_TYPES, ...CHILD_TYPES].flatMap((type) =>
    objects(type)
      .filter(({ metadata }) => clear(metadata.name))
      .map((object) => line(type === APPS_DEPLOYMENT ? withoutStatus(object) : object)),
  );
  const rows = runs
    .filter(({ name }) => clear(name))
    .map(({ name, status, metrics, params }) => line({ run: name, status, metrics, params }));
  const paths = files
    .filter(
      (key) => ambiguous.every((each) => !key.includes(`/${each}`)) && !key.includes('/runs/'),
    )
    .map((key) => timeless(key));
  return [...kept, ...rows, ...paths].toSorted().join('\n');
};

const withoutStatus = ({ status: _status, ...rest }: KubernetesObject & { status?: unknown }) =>
  rest;

const line = (value: unknown): string =>
  timeless(
    JSON.stringify(value, (name, each: unknown) => {
      if (UNEQUAL.has(name)) return undefined;
      return isRecord(each)
        ? Object.fromEntries(Object.entries(each).toSorted(([a], [b]) => (a < b ? -1 : 1)))
        : each;
    }),
  );

const timeless = (text: string): string =>
  text
    .replaceAll(/\b[0-9a-f]{32}\b/g, '<run>')
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, '<time>')
    .replaceAll(/uid-\d+/g, '<uid>')
    // Told by the pass that did it; one after a crash finds it done.
    .replaceAll(/Alias \S+ (moved from \S+ to|names) it\./g, 'Alias names it.')
    // Told as far as the pod has been seen by then.
    .replaceAll(/(Job \S+ failed: ).*?( See kubectl logs)/g, '$1…$2');

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
