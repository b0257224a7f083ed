import semver from 'semver';

import { isConditionTrue } from '../../crds/schema/conditions.ts';
import type { ModelVersion } from '../../crds/schema/model-version.ts';

/** A Model by the namespace it lives in. */
export type ModelKey = { readonly namespace: string; readonly name: string };

/** Which Model an object means that names it from its own namespace. */
export const modelKeyOf = (object: {
  readonly metadata: { readonly namespace: string };
  readonly spec: {
    readonly modelRef: { readonly name: string; readonly namespace?: string | undefined };
  };
}): ModelKey => ({
  namespace: object.spec.modelRef.namespace ?? object.metadata.namespace,
  name: object.spec.modelRef.name,
});

export const versionsOf = (
  all: readonly ModelVersion[],
  model: ModelKey,
): readonly ModelVersion[] =>
  all.filter((each) => {
    const key = modelKeyOf(each);
    return key.name === model.name && key.namespace === model.namespace;
  });

/** Build metadata does not tell versions apart (SemVer 2.0.0, item 10). */
export const sameVersion = (a: string, b: string): boolean => semver.eq(a, b);

/** Who was there first has the version; the uid breaks ties, so every pass finds the same one. */
const byAge = (a: ModelVersion, b: ModelVersion): number =>
  compareText(a.metadata.creationTimestamp, b.metadata.creationTimestamp) ||
  compareText(a.metadata.uid, b.metadata.uid);

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The object that holds `version` of a model; later ones of the same version are refused. */
export const holderOf = (
  versions: readonly ModelVersion[],
  version: string,
): ModelVersion | undefined =>
  versions.filter((each) => sameVersion(each.spec.version, version)).toSorted(byAge)[0];

/** Another object of `version` that is Ready, as after a pass that did not see the older one yet. */
export const readyRivalOf = (
  versions: readonly ModelVersion[],
  { metadata, spec }: ModelVersion,
): ModelVersion | undefined =>
  versions.find(
    (each) =>
      each.metadata.uid !== metadata.uid &&
      sameVersion(each.spec.version, spec.version) &&
      isReady(each),
  );

export const isReady = (object: {
  readonly status?: { readonly conditions?: Parameters<typeof isConditionTrue>[0] };
}): boolean => isConditionTrue(object.status?.conditions, 'Ready');

const highestFirst = (a: string, b: string): number => semver.compareBuild(b, a);

/** The highest release; a prerelease counts only where there is no release. */
export const latestOf = (versions: readonly string[]): string | undefined => {
  const sorted = versions.toSorted(highestFirst);
  return sorted.find((each) => semver.prerelease(each) === null) ?? sorted[0];
};

/** The version after the highest of `existing`; 1.0.0 where there is none. */
export const nextVersion = (
  existing: readonly string[],
  bump: 'major' | 'minor' | 'patch',
): string => {
  const highest = existing.toSorted(highestFirst)[0];
  return (highest === undefined ? undefined : semver.inc(highest, bump)) ?? '1.0.0';
};

/** Whether `a` comes before `b` in SemVer order. */
export const isLower = (a: string, b: string): boolean => semver.lt(a, b);
