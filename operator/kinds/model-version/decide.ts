import { findCondition, isConditionTrue } from '../../../crds/schema/conditions.ts';
import type { ModelVersion } from '../../../crds/schema/model-version.ts';
import { ANNOTATIONS } from '../../../crds/schema/names.ts';
import type { LocationRefusal, StorageLocation } from '../../artifacts/locations.ts';
import type { Outcome } from '../../runtime/reconciler.ts';
import { isReady, modelKeyOf } from '../model-versions.ts';
import { condition, ready, restated, stalled, working } from '../outcome.ts';
import { verified } from './judge.ts';
import { aside } from './standing.ts';

export type Observation = {
  readonly version: ModelVersion;
  readonly modelExists: boolean;
  /** The ModelVersion that has this (model, version); the object itself when it may have it. */
  readonly holder: ModelVersion | undefined;
  /** Another object of the same (model, version) that is Ready. */
  readonly rival: ModelVersion | undefined;
  readonly location: StorageLocation | LocationRefusal;
  /** The newest serving pod that found other bytes than it should. */
  readonly complaint: { readonly podUid: string } | undefined;
};

export type BundledLocation = Extract<StorageLocation, { bundled: true }>;
export type ForeignLocation = Exclude<StorageLocation, BundledLocation>;

/** What to do next: say how it stands, or read the bytes to find out. */
export type Step =
  | { readonly do: 'tell'; readonly outcome: Outcome }
  | {
      readonly do: 'read';
      readonly id: string;
      readonly location: BundledLocation;
      readonly expected: string | undefined;
    }
  | {
      readonly do: 'read-in-pod';
      readonly id: string;
      readonly location: ForeignLocation;
      readonly expected: string | undefined;
    };

/**
 * A version is read once; then its verdict stands, since everything it depends on is immutable. It
 * is read again only when a pod that loads it finds other bytes, once for each such pod.
 */
export const decide = (observation: Observation): Step => {
  const obstacle = obstacleOf(observation);
  if (obstacle !== undefined) return { do: 'tell', outcome: obstacle };
  const { version, location, complaint } = observation;
  if (location.scheme === 'refused') throw new Error('a refused location is an obstacle');
  if (isVerified(version) && complaint === undefined) {
    return { do: 'tell', outcome: verified(version) };
  }
  const expected = version.spec.verification?.digest ?? version.status?.digest;
  const id = `inspect:${version.spec.storageUri}:${occasionOf(observation)}`;
  return location.scheme === 's3' && location.bundled
    ? { do: 'read', id, location, expected }
    : { do: 'read-in-pod', id, location, expected };
};

export const isVerified = ({ status }: ModelVersion): boolean =>
  status?.digest !== undefined && isConditionTrue(status.conditions, 'ArtifactVerified');

/** What makes this reading another one than the last. */
const occasionOf = ({ version, complaint }: Observation): string =>
  complaint?.podUid ??
  (isVerified(version) ? '' : (version.metadata.annotations?.[ANNOTATIONS.reconcileAt] ?? ''));

const obstacleOf = (observation: Observation): Outcome | undefined =>
  notShared(observation.version) ??
  withoutModel(observation) ??
  taken(observation) ??
  takenStill(observation) ??
  notAllowed(observation) ??
  notReadable(observation);

const notShared = (version: ModelVersion): Outcome | undefined => {
  const model = modelKeyOf(version);
  if (model.namespace === version.metadata.namespace) return undefined;
  return stalled(
    ready(
      'False',
      'NotShared',
      `spec.modelRef.namespace is ${model.namespace}, and Model ${model.name} there is not shared with ${version.metadata.namespace}; leave the field out to use a Model of this namespace.`,
    ),
    aside(version),
  );
};

const withoutModel = ({ version, modelExists }: Observation): Outcome | undefined => {
  if (modelExists) return undefined;
  const { name, namespace } = modelKeyOf(version);
  return working(
    ready(
      'False',
      'ModelNotFound',
      `There is no Model ${name} in namespace ${namespace}; create it, and this version goes on by itself.`,
    ),
    aside(version),
  );
};

const taken = ({ version, holder }: Observation): Outcome | undefined => {
  if (holder === undefined || holder.metadata.uid === version.metadata.uid) return undefined;
  return stalled(
    ready(
      'False',
      'VersionTaken',
      `ModelVersion ${holder.metadata.name} has version ${holder.spec.version} of Model ${version.spec.modelRef.name} already and is older; delete this object, or give it another version (build metadata does not count).`,
    ),
    aside(version),
  );
};

/** Two objects of one version are never Ready at once: the holder waits until the other has let go. */
const takenStill = ({ version, rival }: Observation): Outcome | undefined => {
  if (rival === undefined || isReady(version)) return undefined;
  return working(
    ready(
      'False',
      'VersionTaken',
      `ModelVersion ${rival.metadata.name}, which is younger, is Ready as version ${rival.spec.version} of Model ${version.spec.modelRef.name}; this object goes on as soon as that one has given way.`,
    ),
    aside(version),
  );
};

const notAllowed = ({ version, location }: Observation): Outcome | undefined =>
  location.scheme === 'refused'
    ? stalled(ready('False', 'UriNotAllowed', location.message), aside(version))
    : undefined;

/** What this release does not read, with another way to the same end. */
const notReadable = ({ version, location }: Observation): Outcome | undefined => {
  const why = location.scheme === 'refused' ? undefined : unreadable(version, location);
  return why === undefined
    ? undefined
    : stalled(ready('False', 'NotImplemented', `This release ${why}`), aside(version));
};

const unreadable = ({ spec }: ModelVersion, location: StorageLocation): string | undefined => {
  if (location.scheme === 's3' && location.bundled) return undefined;
  if (spec.modelFormat.name !== 'onnx') {
    return `reads format ${spec.modelFormat.name} from the bundled store only: upload the file there, or convert it to onnx.`;
  }
  if (location.scheme === 's3') {
    return location.folder
      ? 'reads a single file from a bucket of your own: name the .onnx file in spec.storageUri.'
      : undefined;
  }
  return spec.secretRef === undefined
    ? undefined
    : `uses spec.secretRef with s3:// only: leave it out to read ${location.scheme}:// without credentials, or put the file into a bucket.`;
};

/** What was found before stays said while the bytes are read again, so that nothing flaps. */
const LASTING: readonly string[] = [
  'Ready',
  'DigestMismatch',
  'TooLarge',
  'InvalidModel',
  'ArtifactNotFound',
  'ArtifactUnreadable',
  'StoreUnavailable',
];

/** How a version stands while its bytes are read. */
export const whileReading = (version: ModelVersion, where: string): Outcome => {
  const before = findCondition(version.status?.conditions, 'Ready');
  const told = findCondition(version.status?.conditions, 'ArtifactVerified');
  if (before !== undefined && told !== undefined && LASTING.includes(before.reason)) {
    return working(restated(before), aside(version));
  }
  const message = `The bytes at ${version.spec.storageUri} are being read ${where}.`;
  return working(ready('Unknown', 'WaitingForArtifact', message), {
    ...aside(version),
    conditions: [condition('ArtifactVerified', 'Unknown', 'WaitingForArtifact', message)],
  });
};
