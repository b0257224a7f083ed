/** The candidates of an ABTest beside the stable pods, which are its control. Pure. */
import type { ABTest } from '../../../crds/schema/ab-test.ts';
import { isConditionTrue } from '../../../crds/schema/conditions.ts';
import type { Deployment } from '../../../crds/schema/deployment.ts';
import type { ModelVersion } from '../../../crds/schema/model-version.ts';
import { holderOf } from '../model-versions.ts';
import { bucketRanges, bucketRegex } from '../../traffic/buckets.ts';
import { STABLE } from './names.ts';
import { progressOf, type Fleet } from './rollout.ts';
import type { Split } from './routing.ts';

export type TrialVariant = {
  readonly name: string;
  readonly version: ModelVersion;
  /** Percent of the units. */
  readonly weight: number;
  /** Pods it must have. */
  readonly replicas: number;
  /** Whether it has a pod that can answer. */
  readonly isServing: boolean;
};

export type Trial = {
  /** Name of the ABTest. */
  readonly test: string;
  readonly variants: readonly TrialVariant[];
  /**
   * Percent of the units by candidate, those included that were taken out: what they leave goes to control,
   * and nobody else moves.
   */
  readonly shares: readonly { readonly name: string; readonly weight: number }[];
};

/** What an ABTest calls the stable pods. */
export const CONTROL = 'control';

/** The oldest test that has given candidates a share; two never have, but a status may be late. */
export const runningTest = (
  { metadata }: Deployment,
  tests: readonly ABTest[],
): ABTest | undefined =>
  tests
    .filter((test) => test.spec.deploymentRef.name === metadata.name && splits(test))
    .toSorted((a, b) => (ageOf(a) < ageOf(b) ? -1 : 1))[0];

const ageOf = ({ metadata }: ABTest): string => `${metadata.creationTimestamp} ${metadata.name}`;

const splits = ({ metadata, spec, status }: ABTest): boolean =>
  metadata.deletionTimestamp === undefined &&
  !spec.suspend &&
  !isConditionTrue(status?.conditions, 'Complete') &&
  candidatesOf(status).length > 0;

const candidatesOf = (status: ABTest['status']) =>
  (status?.variants ?? []).filter(({ name, weight = 0 }) => name !== CONTROL && weight > 0);

export const trialOf = (
  test: ABTest | undefined,
  {
    versions,
    fleets,
    stablePods,
  }: {
    readonly versions: readonly ModelVersion[];
    readonly fleets: ReadonlyMap<string, Fleet>;
    readonly stablePods: number;
  },
): Trial | undefined => {
  if (test === undefined) return undefined;
  const variants = candidatesOf(test.status).flatMap(({ name, weight = 0 }) => {
    const wanted = test.spec.candidates.find((each) => each.name === name)?.version;
    const version = wanted === undefined ? undefined : holderOf(versions, wanted);
    if (version === undefined || name === STABLE) return [];
    const fleet = fleets.get(name);
    return [
      {
        ...{ name, version, weight },
        replicas: Math.max(1, Math.ceil((stablePods * weight) / 100)),
        isServing: fleet !== undefined && progressOf(fleet).available > 0,
      },
    ];
  });
  return { test: test.metadata.name, variants, shares: sharesOf(test) };
};

/** Those of a bandit change by its status, and units with them; others keep their candidates' shares. */
const sharesOf = ({ spec, status }: ABTest): Trial['shares'] =>
  spec.allocation?.mode !== 'bandit'
    ? spec.candidates
    : spec.candidates.map(({ name }) => ({
        name,
        weight: status?.variants?.find((each) => each.name === name)?.weight ?? 0,
      }));

/** Buckets follow from all shares, so that a candidate that has no pods for a while moves nobody. */
export const assignmentOf = ({
  variants,
  shares,
}: Trial): Pick<Split, 'assigned' | 'stableName'> => ({
  assigned: bucketRanges(shares)
    .filter(({ name }) => variants.some((each) => each.name === name && each.isServing))
    .map(({ name, buckets }) => ({ variant: name, buckets: bucketRegex(buckets) })),
  stableName: CONTROL,
});
