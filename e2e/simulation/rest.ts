import { ANNOTATIONS } from '../../crds/schema/names.ts';
import type { KubernetesObject, ResourceType } from '../../operator/runtime/resource-type.ts';
import type { Run } from '../../operator/kinds/experiment/run-store.ts';
import { idOfVersion, isReady, type Told } from './invariants.ts';
import { MODEL_ALIAS, MODEL_VERSION, OWN_TYPES, SIMULATED_TYPES } from './types.ts';

/** A world at rest: all that is left when nothing has happened for a while. */
export type Rest = {
  readonly objects: (type: ResourceType) => readonly KubernetesObject[];
  /** Those that lead. */
  readonly leaders: readonly Leader[];
  readonly runs: readonly Run[];
  /** Keys in the artifact store. */
  readonly files: readonly string[];
  /** What stands in it, apart from times and identities; and how a run without faults ended. */
  readonly end: string;
  readonly cleanEnd: string;
};

export type Leader = {
  readonly identity: string;
  readonly debug: Readonly<Record<string, unknown>>;
  readonly cached: (type: ResourceType) => readonly KubernetesObject[] | undefined;
};

/** What must hold in a world at rest: says what does not. */
export type RestInvariant = {
  readonly name: string;
  readonly faults: (rest: Rest) => readonly string[];
};

const words = ({ kind, metadata }: KubernetesObject): string => `${kind} ${metadata.name}`;

/** Somebody leads, and only one. */
export const oneLeads: RestInvariant = {
  name: 'one leads',
  faults: ({ leaders }) =>
    leaders.length === 1
      ? []
      : [`${leaders.length} replicas lead: ${leaders.map(({ identity }) => identity).join()}`],
};

/** What was deleted is gone: no finalizer holds it. */
export const nothingIsHeld: RestInvariant = {
  name: 'no finalizer left',
  faults: ({ objects }) =>
    SIMULATED_TYPES.flatMap(objects)
      .filter(({ metadata }) => metadata.deletionTimestamp !== undefined)
      .map(
        (each) =>
          `${words(each)} is still being deleted: ${each.metadata.finalizers?.join() ?? ''}`,
      ),
};

/** Every object's last word is about its spec as it is. */
export const statusIsCurrent: RestInvariant = {
  name: 'status is about the spec as it is',
  faults: ({ objects }) =>
    OWN_TYPES.flatMap(objects)
      .filter(({ metadata }) => metadata.annotations?.[ANNOTATIONS.paused] !== 'true')
      .filter((each) => (each as Told).status?.observedGeneration !== each.metadata.generation)
      .map(
        (each) =>
          `${words(each)} has generation ${each.metadata.generation ?? 0}, its status is about ${(each as Told).status?.observedGeneration ?? 'none'}`,
      ),
};

/** No key waits, works or fails. */
export const queuesAreEmpty: RestInvariant = {
  name: 'queues are empty',
  faults: ({ leaders }) =>
    leaders.flatMap(({ debug }) =>
      Object.entries(debug).flatMap(([name, queue]) => {
        const { ready, active, failing } = queue as Readonly<Record<string, unknown>>;
        const busy = [ready, active, failing].filter((each) => sizeOf(each) > 0);
        return busy.length === 0 ? [] : [`queue ${name}: ${JSON.stringify(queue)}`];
      }),
    ),
};

const sizeOf = (value: unknown): number =>
  typeof value === 'number' ? value : Array.isArray(value) ? value.length : 0;

/** The leader's caches hold what the server holds, version by version. */
export const cachesAreTrue: RestInvariant = {
  name: 'caches are true',
  faults: ({ leaders, objects }) =>
    leaders.flatMap(({ cached }) =>
      OWN_TYPES.flatMap((type) => {
        const known = versionsOf(cached(type) ?? []);
        const real = versionsOf(objects(type));
        return known === real ? [] : [`${type.plural}: cached ${known}; real ${real}`];
      }),
    ),
};

const versionsOf = (objects: readonly KubernetesObject[]): string =>
  objects
    .map(({ metadata }) => `${metadata.name}@${metadata.resourceVersion ?? ''}`)
    .toSorted()
    .join(' ');

/** What is Ready by reference is Ready for a reason: the version an alias names. */
export const aliasesAreTrue: RestInvariant = {
  name: 'a Ready alias names a Ready version',
  faults: ({ objects }) => {
    const ready = objects(MODEL_VERSION).filter((each) => isReady(each as Told));
    const named = ready.map((each) => idOfVersion(each as Told));
    return objects(MODEL_ALIAS)
      .filter((alias) => isReady(alias as Told) && !named.includes(idOfVersion(alias as Told)))
      .map((alias) => `${words(alias)} is Ready, but ${idOfVersion(alias as Told)} is not`);
  },
};

/** Nothing outlives what owns it: children, runs and files. */
export const nothingIsOrphaned: RestInvariant = {
  name: 'nothing is orphaned',
  faults: ({ objects, runs, files }) => {
    const all = SIMULATED_TYPES.flatMap(objects);
    const uids = new Set(all.map(({ metadata }) => metadata.uid));
    const orphans = all
      .filter(
        ({ metadata }) => metadata.ownerReferences?.some(({ uid }) => !uids.has(uid)) === true,
      )
      .map((each) => `${words(each)} has no owner any more`);
    const rows = runs
      .filter(({ experiment }) => !uids.has(experiment.uid))
      .map(({ name }) => `run ${name} is left of an Experiment that is gone`);
    const ids = new Set(runs.map(({ runId }) => runId));
    const left = files.filter((key) => key.includes('/runs/') && !ids.has(key.split('/')[2] ?? ''));
    return [...orphans, ...rows, ...left.map((key) => `file ${key} is left of a run that is gone`)];
  },
};

/** A run's row says what its Job says: none runs without a Job that runs. */
export const runsAreTrue: RestInvariant = {
  name: 'no run without an end',
  faults: ({ runs }) =>
    runs
      .filter(({ status }) => status === 'RUNNING' || status === 'SCHEDULED')
      .map(({ name, status }) => `run ${name} is ${status} in a world at rest`),
};

/** The world ends as it does when nothing goes wrong. */
export const endsAsTheCleanRun: RestInvariant = {
  name: 'ends as the clean run',
  faults: ({ end, cleanEnd }) => (end === cleanEnd ? [] : [firstDifference(cleanEnd, end)]),
};

/** The first line that is not in both, from a little before where it differs from its counterpart. */
const firstDifference = (clean: string, end: string): string => {
  const [left, right] = [clean.split('\n'), end.split('\n')];
  const missing = left.find((line) => !right.includes(line));
  const added = right.find((line) => !left.includes(line));
  if (missing === undefined) return `there is ${added?.slice(0, 300) ?? ''} besides`;
  const counterpart = right
    .filter((line) => !left.includes(line))
    .toSorted((a, b) => commonStart(missing, b) - commonStart(missing, a))[0];
  if (counterpart === undefined) return `there is no ${missing.slice(0, 300)}`;
  const from = Math.max(0, commonStart(missing, counterpart) - 80);
  const name = /"name":"([^"]*)","namespace"/.exec(missing)?.[1] ?? '';
  return `${name}: without faults …${missing.slice(from, from + 240)}…, now …${counterpart.slice(from, from + 240)}…`;
};

const commonStart = (left: string, right: string): number => {
  let index = 0;
  while (index < left.length && left[index] === right[index]) index += 1;
  return index;
};

export const restInvariants: readonly RestInvariant[] = [
  oneLeads,
  nothingIsHeld,
  statusIsCurrent,
  queuesAreEmpty,
  cachesAreTrue,
  aliasesAreTrue,
  nothingIsOrphaned,
  runsAreTrue,
  endsAsTheCleanRun,
];
