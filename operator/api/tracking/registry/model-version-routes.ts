import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ANNOTATIONS } from '../../../../crds/schema/names.ts';
import type { ModelVersion } from '../../../../crds/schema/model-version.ts';
import { keyOf } from '../../../runtime/resource-type.ts';
import type { RouteContext } from '../../route-context.ts';
import { ARTIFACT_SCHEME } from '../run-place.ts';
import {
  changeObject,
  deleteObject,
  set,
  setSpecTag,
  unset,
  unsetSpecTag,
} from '../object-writes.ts';
import type { Call } from '../object-writes.ts';
import { dropAlias } from './aliases.ts';
import { createVersion } from './create-version.ts';
import type { VersionBody } from './create-version.ts';
import { MODEL_VERSION, aliasesOfVersion, requireVersion } from './registry-objects.ts';
import type { OneVersion } from './registry-objects.ts';
import { TAG_BODY, VERSION_BODY } from './registry-schemas.ts';
import { checkedTag, checkedTagKey, versionToWire } from './registry-wire.ts';
import { rootOf } from './version-bytes.ts';
import { operationsOf } from '../operation.ts';

const BASE = '/api/2.0/mlflow/model-versions';

const documented = operationsOf('mlflow registry');

/** Model versions are ModelVersions, with a SemVer of their own beside the client's integer. */
export const modelVersionRoutes = (app: FastifyInstance, context: RouteContext): void => {
  const call = (request: FastifyRequest): Call => ({ context, request });
  app.post<{ Body: VersionBody }>(
    `${BASE}/create`,
    {
      schema: {
        ...documented('createMlflowModelVersion', 'Register a version'),
        body: VERSION_BODY,
      },
    },
    async (request) => ({ model_version: await createVersion(call(request), request.body) }),
  );
  app.get<{ Querystring: VersionBody }>(
    `${BASE}/get`,
    { schema: { ...documented('getMlflowModelVersion', 'A version'), querystring: VERSION_BODY } },
    async (request) => {
      const { name, version } = request.query;
      const one = await requireVersion(call(request), name, version);
      return { model_version: versionToWire(one, one.found) };
    },
  );
  app.get<{ Querystring: VersionBody }>(
    `${BASE}/get-download-uri`,
    {
      schema: {
        ...documented('getModelVersionDownloadUri', 'Where a version can be read'),
        querystring: VERSION_BODY,
      },
    },
    async (request) => {
      const { name, version } = request.query;
      const { found } = await requireVersion(call(request), name, version);
      return { artifact_uri: downloadUri(found.object, context.config.bundledBucket) };
    },
  );
  changeRoutes(app, call);
  tagRoutes(app, call);
};

/** Bytes outside of the bundled store are read where they are. */
const downloadUri = (version: ModelVersion, bucket: string): string => {
  const { namespace, name } = version.metadata;
  return rootOf(version, bucket) === undefined
    ? version.spec.storageUri
    : `${ARTIFACT_SCHEME}${namespace}/versions/${name}`;
};

const changeRoutes = (app: FastifyInstance, call: (request: FastifyRequest) => Call): void => {
  app.patch<{ Body: VersionBody }>(
    `${BASE}/update`,
    { schema: { ...documented('updateModelVersion', 'Describe a version'), body: VERSION_BODY } },
    async (request) => {
      const { name, version, description = '' } = request.body;
      const one = await requireVersion(call(request), name, version);
      const object = await changeObject<ModelVersion>(
        call(request),
        MODEL_VERSION,
        keyOf(one.found.object),
        ({ metadata }) => {
          if (description !== '') {
            return [set('/metadata/annotations', ANNOTATIONS.mlflowDescription, description)];
          }
          return metadata.annotations?.[ANNOTATIONS.mlflowDescription] === undefined
            ? []
            : [unset('/metadata/annotations', ANNOTATIONS.mlflowDescription)];
        },
      );
      return { model_version: versionToWire(one, { ...one.found, object }) };
    },
  );
  app.delete<{ Body: VersionBody }>(
    `${BASE}/delete`,
    {
      schema: {
        ...documented('deleteMlflowModelVersion', 'Delete a version and the aliases that name it'),
        body: VERSION_BODY,
      },
    },
    async (request) => {
      const one = await requireVersion(call(request), request.body.name, request.body.version);
      await removeVersion(call(request), one);
      return {};
    },
  );
};

const removeVersion = async (call: Call, one: OneVersion): Promise<void> => {
  for (const alias of aliasesOfVersion(one, one.found)) await dropAlias(call, alias);
  await deleteObject(call, MODEL_VERSION, keyOf(one.found.object));
};

type TagBody = VersionBody & { readonly key?: string; readonly value?: string };

const tagRoutes = (app: FastifyInstance, call: (request: FastifyRequest) => Call): void => {
  app.post<{ Body: TagBody }>(
    `${BASE}/set-tag`,
    { schema: { ...documented('setModelVersionTag', 'Tag a version'), body: TAG_BODY } },
    async (request) => {
      const { name, version, key, value } = request.body;
      const change = setSpecTag(checkedTagKey(key), checkedTag(value));
      const { found } = await requireVersion(call(request), name, version);
      await changeObject(call(request), MODEL_VERSION, keyOf(found.object), change);
      return {};
    },
  );
  app.delete<{ Body: TagBody }>(
    `${BASE}/delete-tag`,
    { schema: { ...documented('deleteModelVersionTag', 'Untag a version'), body: TAG_BODY } },
    async (request) => {
      const { name, version, key } = request.body;
      const change = unsetSpecTag(checkedTagKey(key));
      const { found } = await requireVersion(call(request), name, version);
      await changeObject(call(request), MODEL_VERSION, keyOf(found.object), change);
      return {};
    },
  );
};
