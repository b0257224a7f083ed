import { modelAlias } from '../../../../crds/schema/model-alias.ts';
import type { ModelAlias } from '../../../../crds/schema/model-alias.ts';
import { modelVersion } from '../../../../crds/schema/model-version.ts';
import type { ModelVersion } from '../../../../crds/schema/model-version.ts';
import { model as modelKind } from '../../../../crds/schema/model.ts';
import type { Model } from '../../../../crds/schema/model.ts';
import { sameVersion } from '../../../kinds/model-versions.ts';
import { ownType } from '../../../runtime/own-type.ts';
import type { KubernetesObject, ResourceType } from '../../../runtime/resource-type.ts';
import { identityOf } from '../../route-context.ts';
import type { RouteContext } from '../../route-context.ts';
import { MlflowError } from '../mlflow-error.ts';
import { MODEL_NAME } from '../object-names.ts';
import { objectNamed } from '../object-writes.ts';
import type { Call } from '../object-writes.ts';
import { requireNamespace } from '../tracking-access.ts';
import { numbered } from './version-numbers.ts';
import type { NumberedVersion } from './version-numbers.ts';

export const MODEL = ownType(modelKind);
export const MODEL_VERSION = ownType(modelVersion);
export const MODEL_ALIAS = ownType(modelAlias);

/** A Model with what belongs to it. */
export type Registered = {
  readonly model: Model;
  /** By number, the lowest first. */
  readonly versions: readonly NumberedVersion[];
  readonly aliases: readonly ModelAlias[];
};

const PAGE = 500;

/** Every object of a kind in a namespace that is not being deleted. */
export const listAll = async <T extends KubernetesObject>(
  { cluster }: Pick<RouteContext, 'cluster'>,
  type: ResourceType,
  namespace: string,
): Promise<readonly T[]> => {
  const all: T[] = [];
  let continueToken: string | undefined;
  do {
    const page = await cluster.list<T>(type, {
      namespace,
      limit: PAGE,
      ...(continueToken === undefined ? {} : { continueToken }),
    });
    all.push(...page.items.filter(({ metadata }) => metadata.deletionTimestamp === undefined));
    continueToken = page.continueToken === '' ? undefined : page.continueToken;
  } while (continueToken !== undefined);
  return all;
};

/** The Model of this name in the caller's namespace, if it exists. */
export const findModel = async ({ context, request }: Call, name: string) => {
  const namespace = requireNamespace(request);
  const action = { verb: 'get', resource: MODEL.plural, namespace } as const;
  await context.access.require(identityOf(request), action);
  return objectNamed<Model>(context, MODEL, { namespace, name, rule: MODEL_NAME });
};

export const requireModel = async (call: Call, name: string | undefined): Promise<Model> => {
  const wanted = checkedModelName(name);
  const found = await findModel(call, wanted);
  if (found !== undefined) return found;
  throw new MlflowError(
    'RESOURCE_DOES_NOT_EXIST',
    `Registered Model with name=${wanted} not found`,
  );
};

const MAX_NAME = 256;

export const checkedModelName = (name: string | undefined): string => {
  if (name === undefined || name === '') {
    throw new MlflowError(
      'INVALID_PARAMETER_VALUE',
      "Missing value for required parameter 'name'.",
    );
  }
  if (/[/:]/.test(name)) {
    throw new MlflowError(
      'INVALID_PARAMETER_VALUE',
      `Invalid model name '${name}'. Names cannot contain '/' or ':'.`,
    );
  }
  if (name.length > MAX_NAME || !name.isWellFormed() || name.includes('\u0000')) {
    throw new MlflowError(
      'INVALID_PARAMETER_VALUE',
      `Invalid model name: at most ${MAX_NAME} characters, without NUL.`,
    );
  }
  return name;
};

/** Versions and aliases of a Model; versions that nobody has numbered yet are. */
export const belongingsOf = async (call: Call, model: Model): Promise<Registered> => {
  const { namespace, name } = model.metadata;
  const { context, request } = call;
  for (const resource of [MODEL_VERSION.plural, MODEL_ALIAS.plural]) {
    await context.access.require(identityOf(request), { verb: 'list', resource, namespace });
  }
  const ofModel = ({ spec }: ModelVersion | ModelAlias): boolean =>
    spec.modelRef.name === name && (spec.modelRef.namespace ?? namespace) === namespace;
  const versions = (await listAll<ModelVersion>(context, MODEL_VERSION, namespace)).filter(ofModel);
  const aliases = (await listAll<ModelAlias>(context, MODEL_ALIAS, namespace)).filter(ofModel);
  return { model, versions: await numbered(call, model, versions), aliases };
};

export const registered = async (call: Call, name: string | undefined): Promise<Registered> =>
  belongingsOf(call, await requireModel(call, name));

export type OneVersion = Registered & { readonly found: NumberedVersion };

export const requireVersion = async (
  call: Call,
  name: string | undefined,
  version: string | undefined,
): Promise<OneVersion> => {
  const number = checkedNumber(version);
  const all = await findModel(call, checkedModelName(name));
  const belongings = all === undefined ? undefined : await belongingsOf(call, all);
  const found = belongings?.versions.find((each) => each.number === number);
  if (belongings !== undefined && found !== undefined) return { ...belongings, found };
  throw new MlflowError(
    'RESOURCE_DOES_NOT_EXIST',
    `Model Version (name=${name ?? ''}, version=${number}) not found`,
  );
};

const checkedNumber = (version: string | undefined): number => {
  if (version !== undefined && /^\d{1,9}$/.test(version)) return Number(version);
  throw new MlflowError(
    'INVALID_PARAMETER_VALUE',
    version === undefined || version === ''
      ? "Missing value for required parameter 'version'."
      : `Parameter 'version' must be an integer, got '${version.slice(0, 64)}'.`,
  );
};

export const aliasesOfVersion = (
  { aliases }: Registered,
  { object }: NumberedVersion,
): readonly ModelAlias[] =>
  aliases.filter(({ spec }) => sameVersion(spec.version, object.spec.version));
