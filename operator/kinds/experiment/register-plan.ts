import type { Experiment } from '../../../crds/schema/experiment.ts';
import type { ModelAlias } from '../../../crds/schema/model-alias.ts';
import type { ModelVersion } from '../../../crds/schema/model-version.ts';
import { API_VERSION } from '../../../crds/schema/resource.ts';
import { LABELS } from '../../../crds/schema/names.ts';
import type { KubernetesObject } from '../../runtime/resource-type.ts';
import { isLower, nextVersion, sameVersion } from '../model-versions.ts';
import { lineageOf } from './lineage.ts';
import type { Run } from './run-store.ts';
import type { Assignment } from './search-engine.ts';

export type Register = NonNullable<Experiment['spec']['register']>;

export const versionName = (model: string, version: string): string => `${model}-${version}`;

/** The version after all of the Model's, skipping names that objects of other Models have. */
export const freeVersion = (
  { modelRef, bump }: Register,
  existing: readonly ModelVersion[],
  takenNames: readonly string[],
): string => {
  const versions = existing.map(({ spec }) => spec.version);
  let version = nextVersion(versions, bump);
  while (takenNames.includes(versionName(modelRef.name, version))) {
    version = nextVersion([...versions, version], bump);
  }
  return version;
};

/** The bytes of a version, as they lie in the bundled store. */
export type StoredModel = { readonly uri: string; readonly digest: string };

const MOST_METRICS = 256;

/** The ModelVersion a run becomes. It has no owner: it outlives its Experiment. */
export const versionOfRun = (
  experiment: Experiment,
  register: Register,
  run: Run,
  made: StoredModel & { readonly version: string; readonly assignments?: readonly Assignment[] },
): KubernetesObject => {
  const { name } = register.modelRef;
  const metrics = run.metrics
    .filter(({ key, value }) => Number.isFinite(value) && key.length <= 250)
    .slice(0, MOST_METRICS)
    .map(({ key, value }) => ({ name: key, value }));
  return {
    apiVersion: API_VERSION,
    kind: 'ModelVersion',
    metadata: {
      name: versionName(name, made.version),
      namespace: experiment.metadata.namespace,
      labels: { [LABELS.model]: name, [LABELS.runId]: run.runId },
    },
    spec: {
      modelRef: { name },
      version: made.version,
      storageUri: made.uri,
      modelFormat: register.modelFormat,
      verification: { digest: made.digest },
      source: {
        experimentRef: { name: experiment.metadata.name },
        runId: run.runId,
        ...lineageOf(experiment, run, made.assignments),
      },
      ...(metrics.length === 0 ? {} : { metrics }),
      ...(register.tags === undefined ? {} : { tags: register.tags }),
      deletionPolicy: 'Delete',
    },
  } as KubernetesObject;
};

export const aliasName = ({ modelRef, alias }: Register): string =>
  `${modelRef.name}-${alias?.name ?? ''}`;

export const aliasOf = (
  experiment: Experiment,
  register: Register,
  version: string,
): KubernetesObject =>
  ({
    apiVersion: API_VERSION,
    kind: 'ModelAlias',
    metadata: {
      name: aliasName(register),
      namespace: experiment.metadata.namespace,
      labels: { [LABELS.model]: register.modelRef.name },
    },
    spec: {
      modelRef: { name: register.modelRef.name },
      alias: register.alias?.name ?? '',
      version,
    },
  }) as KubernetesObject;

export type AliasPlan =
  { readonly do: 'create' | 'move' } | { readonly do: 'nothing'; readonly note: string };

/**
 * What becomes of the alias. It never moves to a lower version: an Experiment whose status was lost
 * (restored from a backup) registers nothing twice and takes back no later promotion.
 */
export const planAlias = (
  register: Register,
  version: string,
  existing: ModelAlias | undefined,
): AliasPlan => {
  const { alias } = register;
  if (alias === undefined) return { do: 'nothing', note: '' };
  if (existing === undefined) return { do: 'create' };
  const current = existing.spec.version;
  if (sameVersion(current, version)) {
    return { do: 'nothing', note: ` Alias ${alias.name} names it.` };
  }
  if (alias.move === 'IfUnset') {
    return { do: 'nothing', note: ` Alias ${alias.name} stays at ${current} (move: IfUnset).` };
  }
  if (existing.spec.pinned) {
    return { do: 'nothing', note: ` Alias ${alias.name} is pinned to ${current}.` };
  }
  if (isLower(version, current)) {
    return { do: 'nothing', note: ` Alias ${alias.name} already names the later ${current}.` };
  }
  return { do: 'move' };
};
