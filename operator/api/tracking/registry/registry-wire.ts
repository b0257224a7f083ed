import { findCondition, isConditionTrue } from '../../../../crds/schema/conditions.ts';
import { ANNOTATIONS } from '../../../../crds/schema/names.ts';
import { isReady } from '../../../kinds/model-versions.ts';
import { clientNameOf } from '../object-names.ts';
import { createdAt, updatedAt } from '../object-times.ts';
import { recordToWire } from '../run-wire.ts';
import type { KeyValue } from '../run-wire.ts';
import { MlflowError } from '../mlflow-error.ts';
import { aliasesOfVersion } from './registry-objects.ts';
import type { Registered } from './registry-objects.ts';
import { STAGES, stageOf } from './stages.ts';
import type { Stage } from './stages.ts';
import type { NumberedVersion } from './version-numbers.ts';

export const modelToWire = (all: Registered): object => {
  const { model, aliases } = all;
  return {
    name: clientNameOf(model),
    creation_timestamp: createdAt(model),
    last_updated_timestamp: Math.max(
      updatedAt(model),
      ...all.versions.map(({ object }) => updatedAt(object)),
    ),
    ...(model.spec.description === undefined ? {} : { description: model.spec.description }),
    latest_versions: latestVersions(all, STAGES).map((each) => listedVersion(all, each)),
    tags: recordToWire(model.spec.tags ?? {}),
    aliases: aliases.filter(isNamed).flatMap((alias) => {
      const version = all.versions.find((each) => aliasesOfVersion(all, each).includes(alias));
      return version === undefined
        ? []
        : [{ alias: aliasName(alias), version: String(version.number) }];
    }),
  };
};

/** The highest number of each stage that has any. */
export const latestVersions = (
  all: Registered,
  stages: readonly Stage[],
): readonly NumberedVersion[] => {
  const latest = new Map<Stage, NumberedVersion>();
  for (const version of all.versions) latest.set(stageOf(all, version), version);
  return stages.flatMap((stage) => latest.get(stage) ?? []).toSorted((a, b) => a.number - b.number);
};

/** Not only the mark of a stage. */
const isNamed = ({ metadata }: Registered['aliases'][number]): boolean =>
  metadata.annotations?.[ANNOTATIONS.mlflowStage] === undefined;

export const aliasName = (alias: Registered['aliases'][number]): string =>
  alias.metadata.annotations?.[ANNOTATIONS.mlflowName] ?? alias.spec.alias;

/** As a part of longer lists, MLflow's server shows a version without its aliases. */
export const listedVersion = (all: Registered, version: NumberedVersion): object => {
  const { aliases: _aliases, ...listed } = versionToWire(all, version);
  return listed;
};

export const versionToWire = (
  all: Registered,
  version: NumberedVersion,
): Readonly<Record<string, unknown>> => {
  const { metadata, spec } = version.object;
  const { [ANNOTATIONS.mlflowDescription]: description, [ANNOTATIONS.mlflowSource]: source } =
    metadata.annotations ?? {};
  return {
    name: clientNameOf(all.model),
    version: String(version.number),
    creation_timestamp: createdAt(version.object),
    last_updated_timestamp: updatedAt(version.object),
    current_stage: stageOf(all, version),
    description: description ?? '',
    source: source ?? spec.storageUri,
    run_id: spec.source?.runId ?? '',
    ...statusOf(version),
    tags: recordToWire(spec.tags ?? {}),
    aliases: aliasesOfVersion(all, version).filter(isNamed).map(aliasName),
    run_link: '',
  };
};

const statusOf = ({ object }: NumberedVersion): object => {
  const { conditions } = object.status ?? {};
  if (isReady(object)) return { status: 'READY' };
  const words = findCondition(conditions, 'Ready')?.message;
  return {
    status: isConditionTrue(conditions, 'Stalled') ? 'FAILED_REGISTRATION' : 'PENDING_REGISTRATION',
    ...(words === undefined ? {} : { status_message: words }),
  };
};

const MAX_TAGS = 100;
const MAX_TAG_KEY = 250;
/** What the custom resources hold; MLflow's own server takes 100,000. */
const MAX_TAG_VALUE = 5000;

/** Tags for an object's `spec.tags`. */
export const registryTags = (
  tags: readonly KeyValue[] = [],
): Readonly<Record<string, string>> | undefined => {
  if (tags.length === 0) return undefined;
  if (tags.length > MAX_TAGS) {
    throw new MlflowError('INVALID_PARAMETER_VALUE', `At most ${MAX_TAGS} tags can be kept.`);
  }
  return Object.fromEntries(tags.map(({ key, value }) => [checkedTagKey(key), checkedTag(value)]));
};

export const checkedTagKey = (key: string | undefined): string => {
  if (key === undefined || key === '' || key.length > MAX_TAG_KEY) {
    throw new MlflowError(
      'INVALID_PARAMETER_VALUE',
      `Invalid value for parameter 'key': a tag needs a name of 1 to ${MAX_TAG_KEY} characters.`,
    );
  }
  return key;
};

export const checkedTag = (value = ''): string => {
  if (value.length <= MAX_TAG_VALUE) return value;
  throw new MlflowError(
    'INVALID_PARAMETER_VALUE',
    `A tag's value has ${value.length} characters; at most ${MAX_TAG_VALUE} are kept.`,
  );
};
