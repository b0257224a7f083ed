import type { ModelAlias } from '../../../../crds/schema/model-alias.ts';
import { LABELS } from '../../../../crds/schema/names.ts';
import { sameVersion } from '../../../kinds/model-versions.ts';
import { isNotFound } from '../../../runtime/cluster.ts';
import { keyOf } from '../../../runtime/resource-type.ts';
import { MlflowError } from '../mlflow-error.ts';
import { ALIAS_NAME, nameMarks, objectNameFor } from '../object-names.ts';
import { changeObject, createObject, deleteObject } from '../object-writes.ts';
import type { Call } from '../object-writes.ts';
import { MODEL_ALIAS } from './registry-objects.ts';
import type { Registered } from './registry-objects.ts';
import { aliasName } from './registry-wire.ts';
import type { NumberedVersion } from './version-numbers.ts';

const MAX_ALIAS = 255;

/** MLflow's rules for an alias. */
export const checkedAlias = (alias: string | undefined): string => {
  if (!alias) {
    throw new MlflowError(
      'INVALID_PARAMETER_VALUE',
      "Missing value for required parameter 'alias'.",
    );
  }
  if (alias.length > MAX_ALIAS || !/^[\w-]*$/.test(alias)) {
    throw new MlflowError(
      'INVALID_PARAMETER_VALUE',
      `Invalid alias name: '${alias.slice(0, MAX_ALIAS)}': use letters, digits, "_" and "-", at most ${MAX_ALIAS} of them.`,
    );
  }
  if (alias.toLowerCase() === 'latest' || /^v\d+$/i.test(alias)) {
    throw new MlflowError(
      'INVALID_PARAMETER_VALUE',
      `${/^v/i.test(alias) ? 'Version alias' : 'Alias'} name '${alias}' is reserved.`,
    );
  }
  return alias;
};

export const findAlias = ({ aliases }: Registered, alias: string): ModelAlias | undefined =>
  aliases.find((each) => aliasName(each) === alias);

/** The version an alias names. */
export const aliasNamed = (all: Registered, alias: string): NumberedVersion => {
  const found = findAlias(all, alias);
  const version = all.versions.find(
    ({ object }) => found !== undefined && sameVersion(object.spec.version, found.spec.version),
  );
  if (version !== undefined) return version;
  throw new MlflowError(
    'INVALID_PARAMETER_VALUE',
    found === undefined
      ? `Registered model alias ${alias} not found.`
      : `Registered model alias ${alias} names version ${found.spec.version}, which does not exist.`,
  );
};

type NewAlias = {
  readonly alias: string;
  /** Of the object, where it is created. */
  readonly annotations?: Readonly<Record<string, string>>;
};

/** Makes the alias name this version, creating it if need be. */
export const moveAlias = async (
  call: Call,
  all: Registered,
  { alias, annotations = {} }: NewAlias,
  { object }: NumberedVersion,
): Promise<void> => {
  const { version } = object.spec;
  const { namespace, name: model } = all.model.metadata;
  const existing = findAlias(all, alias);
  if (existing === undefined) {
    const word = objectNameFor(alias, ALIAS_NAME);
    const marks = nameMarks(alias, word);
    await createObject(call, MODEL_ALIAS, {
      metadata: {
        namespace,
        name: `${model}-${word}`,
        ...marks,
        labels: { ...marks.labels, [LABELS.model]: model },
        annotations: { ...marks.annotations, ...annotations },
      },
      spec: { modelRef: { name: model }, alias: word, version },
    });
    return;
  }
  await changeObject(call, MODEL_ALIAS, keyOf(existing), (live) => {
    const { spec } = live as ModelAlias;
    if (sameVersion(spec.version, version)) return [];
    if (!spec.pinned) return [{ op: 'replace', path: '/spec/version', value: version }];
    throw new MlflowError(
      'RESOURCE_CONFLICT',
      `Alias ${alias} of ${model} is pinned to version ${spec.version} (spec.pinned of ModelAlias ` +
        `${existing.metadata.name}): move it where it is kept, or set pinned to false.`,
    );
  });
};

/** Takes an alias away; one that is not there is taken away already. */
export const dropAlias = async (call: Call, alias: ModelAlias | undefined): Promise<void> => {
  if (alias === undefined) return;
  try {
    await deleteObject(call, MODEL_ALIAS, keyOf(alias));
  } catch (error) {
    const gone = error instanceof MlflowError && error.code === 'RESOURCE_DOES_NOT_EXIST';
    if (!gone && !isNotFound(error)) throw error;
  }
};
