import type { Condition } from '../../crds/schema/conditions.ts';
import { LABELS } from '../../crds/schema/names.ts';
import type { KubernetesObject } from '../../operator/runtime/resource-type.ts';
import { EVENT, JOB, LEASE } from '../../operator/runtime/kubernetes-types.ts';
import { trialRunId } from '../../operator/kinds/experiment/run-id.ts';
import type { StoredChange } from './api-server.ts';
import { DEPLOYMENT, EXPERIMENT, MODEL_ALIAS, MODEL_VERSION, OWN_TYPES } from './types.ts';

/** What must hold after every change; made anew for each run, so that it may remember. */
export type Watchman = {
  readonly name: string;
  /** @returns what is wrong */
  readonly see: (change: StoredChange) => string | undefined;
};

export type Told = KubernetesObject & {
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly status?: Readonly<Record<string, unknown>> & {
    readonly observedGeneration?: number;
    readonly conditions?: readonly Condition[];
  };
};

export const isOf = (
  change: StoredChange,
  type: { readonly plural: string; readonly group: string },
) => change.type.plural === type.plural && change.type.group === type.group;

const nameOf = ({ object }: StoredChange): string => `${object.kind} ${object.metadata.name}`;

export const isReady = ({ status }: Told): boolean =>
  status?.conditions?.some((each) => each.type === 'Ready' && each.status === 'True') === true;

/** Which uids were ever seen for a name; more than `most` is a violation. */
const atMostOne = (
  name: string,
  identify: (change: StoredChange) => string | undefined,
): (() => Watchman) => {
  return () => {
    const known = new Map<string, string | undefined>();
    return {
      name,
      see: (change) => {
        const id = change.what === 'ADDED' ? identify(change) : undefined;
        if (id === undefined) return undefined;
        const { uid } = change.object.metadata;
        if (!known.has(id)) known.set(id, uid);
        return known.get(id) === uid ? undefined : `${nameOf(change)} is the second for ${id}`;
      },
    };
  };
};

/** A trial's Job is made once, ever: a second one would train again and log to the same run. */
export const oneJobPerTrial = atMostOne('one Job per trial', (change) =>
  isOf(change, JOB) ? change.object.metadata.labels?.[LABELS.runId] : undefined,
);

/** A run becomes a version once, ever. */
export const oneVersionPerRun = atMostOne('one version per run', (change) =>
  isOf(change, MODEL_VERSION) ? change.object.metadata.labels?.[LABELS.runId] : undefined,
);

/** Of the objects that claim a version of a Model, one at most is Ready. */
export const oneReadyVersion = (): Watchman => {
  const ready = new Map<string, string>();
  return {
    name: 'one Ready version',
    see: (change) => {
      if (!isOf(change, MODEL_VERSION)) return undefined;
      const object = change.object as Told;
      const { uid = '' } = object.metadata;
      const { modelRef, version } = object.spec as { modelRef: { name: string }; version: string };
      const id = `${modelRef.name} ${version}`;
      const stands = change.what !== 'DELETED' && isReady(object);
      const holder = ready.get(id);
      if (!stands && holder === uid) ready.delete(id);
      if (stands && holder === undefined) ready.set(id, uid);
      return stands && holder !== undefined && holder !== uid
        ? `${nameOf(change)} is Ready, and so is another object of version ${id}`
        : undefined;
    },
  };
};

/** Bytes approved are bytes served: once known, the digest of a version stays. */
export const digestStays = (): Watchman => ({
  name: 'digest stays',
  see: (change) => {
    if (!isOf(change, MODEL_VERSION) || change.before?.metadata.uid !== change.object.metadata.uid)
      return undefined;
    const before = textAt((change.before as Told).status, 'digest');
    const after = textAt((change.object as Told).status, 'digest');
    return before === undefined || before === after
      ? undefined
      : `${nameOf(change)} had digest ${before} and has ${after ?? 'none'}`;
  },
});

/** The shares of the traffic are absent or add up to 100 percent. */
export const weightsSumTo100 = (): Watchman => ({
  name: 'weights sum to 100',
  see: (change) => {
    if (!isOf(change, DEPLOYMENT)) return undefined;
    const weights = ((change.object as Told).status?.['weights'] ?? []) as { weight: number }[];
    const sum = weights.reduce((total, { weight }) => total + weight, 0);
    return weights.length === 0 || sum === 100
      ? undefined
      : `${nameOf(change)} has weights that sum to ${sum}`;
  },
});

/** No status speaks of a spec that does not exist yet, or of an earlier one than it already did. */
export const generationsInOrder = (): Watchman => {
  const latest = new Map<string, number>();
  return {
    name: 'generations are observed in order',
    see: (change) => {
      const object = change.object as Told;
      const seen = observedBy(object);
      if (seen === undefined || !OWN_TYPES.some((type) => isOf(change, type))) return undefined;
      const { generation = 0, uid } = object.metadata;
      const before = latest.get(uid ?? '') ?? 0;
      latest.set(uid ?? '', seen);
      if (seen > generation)
        return `${nameOf(change)} observed generation ${seen} of ${generation}`;
      return seen < before
        ? `${nameOf(change)} observed generation ${seen} after ${before}`
        : undefined;
    },
  };
};

const observedBy = ({ status }: Told): number | undefined => status?.observedGeneration;

/** What says Ready about the spec as it is, means that spec: an earlier one's verdict never counts for it. */
export const readyMeansThisSpec = (): Watchman => ({
  name: 'Ready means this spec',
  see: (change) => {
    const object = change.object as Told;
    if (!isReady(object) || observedBy(object) !== object.metadata.generation) return undefined;
    const [wanted, told] = isOf(change, MODEL_ALIAS)
      ? [textAt(object.spec, 'version'), textAt(object.status, 'version')]
      : isOf(change, DEPLOYMENT)
        ? [versionAskedFor(object), textAt(object.status, 'servedVersion')]
        : [];
    return wanted === undefined || told === undefined || wanted === told
      ? undefined
      : `${nameOf(change)} is Ready at ${told}, not at ${wanted}`;
  },
});

const versionAskedFor = ({ spec }: Told): string | undefined =>
  (spec?.['predictor'] as { readonly model: { readonly version?: string } }).model.version;

const textAt = (fields: object | undefined, name: string): string | undefined => {
  const value = (fields as Readonly<Record<string, unknown>> | undefined)?.[name];
  return typeof value === 'string' ? value : undefined;
};

/** A status is about the object it stands in, not about an earlier one of its name. */
export const statusOfThisObject = (): Watchman => ({
  name: 'status of this object',
  see: (change) => {
    if (!isOf(change, EXPERIMENT)) return undefined;
    const trial = (change.object as Told).status?.['currentOptimalTrial'] as
      { readonly runId?: string } | undefined;
    const own = trialRunId(change.object.metadata.uid ?? '', 0);
    return trial === undefined || trial.runId === own
      ? undefined
      : `${nameOf(change)} shows run ${trial.runId ?? ''}, which is another object's`;
  },
});

/** The operator takes off its own finalizers and nobody else's. */
export const foreignFinalizersStay = (): Watchman => ({
  name: 'foreign finalizers stay',
  see: (change) => {
    const writer = writerOf(change);
    if (change.before === undefined || writer?.startsWith('mlops') !== true) return undefined;
    const left = change.object.metadata.finalizers ?? [];
    const lost = (change.before.metadata.finalizers ?? []).find(
      (each) => !each.startsWith('mlops.pynomaly.io/') && !left.includes(each),
    );
    return lost === undefined ? undefined : `${nameOf(change)} lost ${lost} to ${writer}`;
  },
});

/** An alias that the operator makes or moves names a version that exists. */
export const aliasesNameVersions = (): Watchman => {
  const versions = new Map<string | undefined, string>();
  return {
    name: 'aliases name versions that exist',
    see: (change) => {
      const id = idOfVersion(change.object);
      const { uid } = change.object.metadata;
      if (isOf(change, MODEL_VERSION) && change.what === 'DELETED') versions.delete(uid);
      else if (isOf(change, MODEL_VERSION)) versions.set(uid, id);
      if (!isOf(change, MODEL_ALIAS) || writerOf(change) !== 'mlops-experiment') return undefined;
      const moved = change.before === undefined || idOfVersion(change.before) !== id;
      return moved && ![...versions.values()].includes(id)
        ? `${nameOf(change)} names ${id}`
        : undefined;
    },
  };
};

/** `<model> <version>` of a ModelVersion, or of what an alias names. */
export const idOfVersion = ({ spec }: Told): string =>
  `${textAt(spec?.['modelRef'] as object | undefined, 'name') ?? ''} ${textAt(spec, 'version') ?? ''}`;

const writerOf = ({ object }: StoredChange): string | undefined =>
  object.metadata.managedFields?.[0]?.manager;

/** A Lease that passes from one replica to another counts it, so that terms can be told apart. */
export const leaseHandsAreCounted = (): Watchman => ({
  name: 'lease hands are counted',
  see: (change) => {
    if (!isOf(change, LEASE) || change.before === undefined) return undefined;
    const [before, after] = [handOf(change.before), handOf(change.object)];
    const taken = after.holder !== '' && after.holder !== before.holder;
    return taken && after.count <= before.count
      ? `the Lease went from ${before.holder} to ${after.holder} without being counted`
      : undefined;
  },
});

const handOf = (lease: KubernetesObject) => {
  const { spec } = lease as Told;
  return {
    holder: textAt(spec, 'holderIdentity') ?? '',
    count: Number(spec?.['leaseTransitions'] ?? 0),
  };
};

export const watchmen: readonly (() => Watchman)[] = [
  oneJobPerTrial,
  oneVersionPerRun,
  oneReadyVersion,
  digestStays,
  weightsSumTo100,
  generationsInOrder,
  readyMeansThisSpec,
  statusOfThisObject,
  foreignFinalizersStay,
  aliasesNameVersions,
  leaseHandsAreCounted,
];

/** Only the holder of the Lease writes: what another replica had sent arrives before it leads. */
export const writerFault = (
  holder: string | undefined,
  write: { readonly identity: string; readonly what: string; readonly plural: string },
): string | undefined =>
  // Standing for election is everybody's right; Events are a courtesy and may come late.
  write.identity === holder || write.plural === LEASE.plural || write.plural === EVENT.plural
    ? undefined
    : `${write.identity} wrote ${write.what}, while ${holder === undefined || holder === '' ? 'nobody' : holder} held the Lease`;
