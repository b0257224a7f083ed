import type { FastifyRequest } from 'fastify';
import { ANNOTATIONS, LABELS } from '../../../crds/schema/names.ts';
import { isConflict, isNotFound } from '../../runtime/cluster.ts';
import type { JsonPatchOperation } from '../../runtime/cluster.ts';
import type { KubernetesObject, ObjectKey, ResourceType } from '../../runtime/resource-type.ts';
import { createManifestReader } from '../manifest.ts';
import type { ManifestReader } from '../manifest.ts';
import { FIELD_MANAGER } from '../resource-writes.ts';
import { identityOf } from '../route-context.ts';
import type { RouteContext } from '../route-context.ts';
import { clientNameOf, nameLabel, objectNameFor } from './object-names.ts';
import type { NameRule } from './object-names.ts';
import { MlflowError } from './mlflow-error.ts';

/** One request of an MLflow client and what it may use to answer it. */
export type Call = { readonly context: RouteContext; readonly request: FastifyRequest };

const ATTEMPTS = 20;

export type NewObject = {
  readonly metadata: ObjectKey & Pick<KubernetesObject['metadata'], 'labels' | 'annotations'>;
  readonly spec: object;
};

/** Creates the object for the caller, who needs the verb `create`. Throws what the cluster says. */
export const createObject = async <T extends KubernetesObject>(
  { context, request }: Call,
  type: ResourceType,
  { metadata, spec }: NewObject,
): Promise<T> => {
  const identity = identityOf(request);
  const { namespace } = metadata;
  await context.access.require(identity, { verb: 'create', resource: type.plural, namespace });
  const manifest = readerOf(context, type)(
    { metadata, spec },
    { namespace, name: metadata.name },
    identity.username,
  );
  return context.cluster.create<T>(type, manifest, { fieldManager: FIELD_MANAGER });
};

const readers = new WeakMap<object, ManifestReader>();

const readerOf = ({ kinds }: RouteContext, type: ResourceType): ManifestReader => {
  const kind = kinds.find((each) => each.type.kind === type.kind);
  if (kind === undefined) throw new Error(`The API was built without the kind ${type.kind}.`);
  const known = readers.get(kind) ?? createManifestReader(kind);
  readers.set(kind, known);
  return known;
};

/** Operations on an object as it stands; none: nothing is to be done. */
export type Change = (object: KubernetesObject) => readonly JsonPatchOperation[];

/**
 * Changes the object for the caller, who needs the verb `patch`; tried again on what others made of
 * it meanwhile. Throws `RESOURCE_DOES_NOT_EXIST` when it is gone.
 */
export const changeObject = async <T extends KubernetesObject>(
  call: Call,
  type: ResourceType,
  key: ObjectKey,
  change: Change,
): Promise<T> => {
  const identity = identityOf(call.request);
  const action = { verb: 'patch', resource: type.plural, ...key } as const;
  await call.context.access.require(identity, action);
  return patchObject<T>(call, type, key, change);
};

/** The same without asking whether the caller may: for records of this API's own. */
export const patchObject = async <T extends KubernetesObject>(
  { context: { cluster }, request }: Call,
  type: ResourceType,
  key: ObjectKey,
  change: Change,
): Promise<T> => {
  const requestedBy = identityOf(request).username;
  for (let attempt = 1; ; attempt++) {
    const live = await cluster.get<T>(type, key);
    if (live === undefined) throw gone(type, key);
    const wanted = change(live);
    if (wanted.length === 0) return live;
    const operations: JsonPatchOperation[] = [
      { op: 'test', path: '/metadata/resourceVersion', value: live.metadata.resourceVersion },
      ...parents(live),
      set('/metadata/annotations', ANNOTATIONS.requestedBy, requestedBy),
      ...wanted,
    ];
    try {
      return await cluster.patch<T>(type, key, operations, { fieldManager: FIELD_MANAGER });
    } catch (error) {
      if (isNotFound(error)) throw gone(type, key);
      if (!isConflict(error) || attempt === ATTEMPTS) throw error;
    }
  }
};

const gone = (type: ResourceType, { namespace, name }: ObjectKey): MlflowError =>
  new MlflowError(
    'RESOURCE_DOES_NOT_EXIST',
    `${type.kind} ${namespace}/${name} does not exist any more.`,
  );

/** JSON patch adds into maps that are there; those that are not come first. */
const parents = ({ metadata }: KubernetesObject): readonly JsonPatchOperation[] =>
  (['labels', 'annotations'] as const)
    .filter((map) => metadata[map] === undefined)
    .map((map) => ({ op: 'add', path: `/metadata/${map}`, value: {} }));

export const set = (map: string, key: string, value: string): JsonPatchOperation => ({
  op: 'add',
  path: `${map}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`,
  value,
});

export const unset = (map: string, key: string): JsonPatchOperation => ({
  op: 'remove',
  path: `${map}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`,
});

/** Sets one of `spec.tags`. */
export const setSpecTag =
  (key: string, value: string): Change =>
  (object) => {
    const { spec } = object as { readonly spec?: { readonly tags?: object } };
    return spec?.tags === undefined
      ? [{ op: 'add', path: '/spec/tags', value: { [key]: value } }]
      : [set('/spec/tags', key, value)];
  };

export const unsetSpecTag =
  (key: string): Change =>
  (object) => {
    const { spec } = object as { readonly spec?: { readonly tags?: Record<string, string> } };
    return spec?.tags !== undefined && Object.hasOwn(spec.tags, key)
      ? [unset('/spec/tags', key)]
      : [];
  };

/** Marks who asked, then deletes; the caller needs the verb `delete`. */
export const deleteObject = async (
  call: Call,
  type: ResourceType,
  key: ObjectKey,
): Promise<void> => {
  const { cluster, access } = call.context;
  await access.require(identityOf(call.request), { verb: 'delete', resource: type.plural, ...key });
  const { metadata } = await patchObject(call, type, key, () => [
    set('/metadata/annotations', ANNOTATIONS.requestedBy, identityOf(call.request).username),
  ]);
  const uid = metadata.uid ?? '';
  await cluster.delete(type, key, { uid, propagation: 'Background' });
};

/** The object a client means by a name of its own, unless it is being deleted. */
export const objectNamed = async <T extends KubernetesObject>(
  { cluster }: Pick<RouteContext, 'cluster'>,
  type: ResourceType,
  place: { readonly namespace: string; readonly name: string; readonly rule: NameRule },
): Promise<T | undefined> => {
  const { namespace, name, rule } = place;
  const direct = await cluster.get<T>(type, { namespace, name: objectNameFor(name, rule) });
  const meant = (object: T | undefined): object is T =>
    object !== undefined &&
    clientNameOf(object) === name &&
    object.metadata.deletionTimestamp === undefined;
  if (meant(direct)) return direct;
  const labelled = await cluster.list<T>(type, {
    namespace,
    labelSelector: `${LABELS.mlflowName}=${nameLabel(name)}`,
  });
  return labelled.items.find(meant);
};
