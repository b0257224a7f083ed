import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ANNOTATIONS, LABELS } from '../../../../crds/schema/names.ts';
import type { Model } from '../../../../crds/schema/model.ts';
import { isAlreadyExists } from '../../../runtime/cluster.ts';
import { keyOf } from '../../../runtime/resource-type.ts';
import type { RouteContext } from '../../route-context.ts';
import { MlflowError } from '../mlflow-error.ts';
import { MODEL_NAME, hashedName, nameLabel, nameMarks, objectNameFor } from '../object-names.ts';
import {
  changeObject,
  createObject,
  deleteObject,
  set,
  setSpecTag,
  unset,
  unsetSpecTag,
} from '../object-writes.ts';
import type { Call } from '../object-writes.ts';
import type { KeyValue } from '../run-wire.ts';
import { requireNamespace } from '../tracking-access.ts';
import { dropAlias } from './aliases.ts';
import {
  MODEL,
  MODEL_VERSION,
  belongingsOf,
  checkedModelName,
  findModel,
  registered,
  requireModel,
} from './registry-objects.ts';
import { MODEL_BODY, TAG_BODY } from './registry-schemas.ts';
import { checkedTag, checkedTagKey, modelToWire, registryTags } from './registry-wire.ts';
import { operationsOf } from '../operation.ts';

const BASE = '/api/2.0/mlflow/registered-models';

const documented = operationsOf('mlflow registry');

type ModelBody = {
  readonly name?: string;
  readonly new_name?: string;
  readonly description?: string;
  readonly tags?: readonly KeyValue[];
};

/** Registered models are Models: every change is a write to the object, as the caller. */
export const registeredModelRoutes = (app: FastifyInstance, context: RouteContext): void => {
  const call = (request: FastifyRequest): Call => ({ context, request });
  app.post<{ Body: ModelBody }>(
    `${BASE}/create`,
    { schema: { ...documented('createRegisteredModel', 'Create a Model'), body: MODEL_BODY } },
    async (request) => ({ registered_model: await create(call(request), request.body) }),
  );
  app.get<{ Querystring: ModelBody }>(
    `${BASE}/get`,
    { schema: { ...documented('getRegisteredModel', 'A Model'), querystring: MODEL_BODY } },
    async (request) => ({
      registered_model: modelToWire(await registered(call(request), request.query.name)),
    }),
  );
  app.patch<{ Body: ModelBody }>(
    `${BASE}/update`,
    { schema: { ...documented('updateRegisteredModel', 'Describe a Model'), body: MODEL_BODY } },
    async (request) => ({ registered_model: await describe(call(request), request.body) }),
  );
  app.post<{ Body: ModelBody }>(
    `${BASE}/rename`,
    {
      schema: {
        ...documented('renameRegisteredModel', 'Let clients know a Model by another name'),
        body: MODEL_BODY,
      },
    },
    async (request) => ({ registered_model: await rename(call(request), request.body) }),
  );
  app.delete<{ Body: ModelBody }>(
    `${BASE}/delete`,
    {
      schema: {
        ...documented('deleteRegisteredModel', 'Delete a Model with its versions and aliases'),
        body: MODEL_BODY,
      },
    },
    async (request) => {
      await remove(call(request), request.body.name);
      return {};
    },
  );
  tagRoutes(app, call);
};

const create = async (call: Call, body: ModelBody): Promise<object> => {
  const name = checkedModelName(body.name);
  const tags = registryTags(body.tags);
  const taken = new MlflowError(
    'RESOURCE_ALREADY_EXISTS',
    `Registered Model (name=${name}) already exists.`,
  );
  if ((await findModel(call, name)) !== undefined) throw taken;
  const namespace = requireNamespace(call.request);
  const spec = {
    ...(body.description ? { description: body.description } : {}),
    ...(tags === undefined ? {} : { tags }),
  };
  // The second is for a name whose object a client has renamed.
  for (const objectName of [objectNameFor(name, MODEL_NAME), hashedName(name, MODEL_NAME)]) {
    try {
      const metadata = { namespace, name: objectName, ...nameMarks(name, objectName) };
      const model = await createObject<Model>(call, MODEL, { metadata, spec });
      return modelToWire({ model, versions: [], aliases: [] });
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      if ((await findModel(call, name)) !== undefined) throw taken;
    }
  }
  throw taken;
};

const describe = async (call: Call, { name, description = '' }: ModelBody): Promise<object> => {
  const model = await requireModel(call, name);
  const changed = await changeObject<Model>(call, MODEL, keyOf(model), (live) => {
    const known = (live as Model).spec.description;
    if (description !== '') return [{ op: 'add', path: '/spec/description', value: description }];
    return known === undefined ? [] : [{ op: 'remove', path: '/spec/description' }];
  });
  return modelToWire(await belongingsOf(call, changed));
};

const rename = async (call: Call, { name, new_name: newName }: ModelBody): Promise<object> => {
  const model = await requireModel(call, name);
  if (newName === undefined || newName === '') {
    throw new MlflowError(
      'INVALID_PARAMETER_VALUE',
      "Missing value for required parameter 'new_name'.",
    );
  }
  const wanted = checkedModelName(newName);
  if ((await findModel(call, wanted)) !== undefined) {
    throw new MlflowError(
      'RESOURCE_ALREADY_EXISTS',
      `Registered Model (name=${wanted}) already exists.`,
    );
  }
  const changed = await changeObject<Model>(call, MODEL, keyOf(model), ({ metadata }) =>
    wanted === metadata.name
      ? [
          unset('/metadata/labels', LABELS.mlflowName),
          unset('/metadata/annotations', ANNOTATIONS.mlflowName),
        ]
      : [
          set('/metadata/labels', LABELS.mlflowName, nameLabel(wanted)),
          set('/metadata/annotations', ANNOTATIONS.mlflowName, wanted),
        ],
  );
  return modelToWire(await belongingsOf(call, changed));
};

const remove = async (call: Call, name: string | undefined): Promise<void> => {
  const { model, versions, aliases } = await registered(call, name);
  for (const alias of aliases) await dropAlias(call, alias);
  for (const { object } of versions) await deleteObject(call, MODEL_VERSION, keyOf(object));
  await deleteObject(call, MODEL, keyOf(model));
};

type TagBody = { readonly name?: string; readonly key?: string; readonly value?: string };

const tagRoutes = (app: FastifyInstance, call: (request: FastifyRequest) => Call): void => {
  app.post<{ Body: TagBody }>(
    `${BASE}/set-tag`,
    { schema: { ...documented('setRegisteredModelTag', 'Tag a Model'), body: TAG_BODY } },
    async (request) => {
      const { name, key, value } = request.body;
      const tag = checkedTagKey(key);
      const model = await requireModel(call(request), name);
      await changeObject(call(request), MODEL, keyOf(model), setSpecTag(tag, checkedTag(value)));
      return {};
    },
  );
  app.delete<{ Body: TagBody }>(
    `${BASE}/delete-tag`,
    { schema: { ...documented('deleteRegisteredModelTag', 'Untag a Model'), body: TAG_BODY } },
    async (request) => {
      const { name, key } = request.body;
      const tag = checkedTagKey(key);
      const model = await requireModel(call(request), name);
      await changeObject(call(request), MODEL, keyOf(model), unsetSpecTag(tag));
      return {};
    },
  );
};
