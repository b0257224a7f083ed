import type { FastifyInstance } from 'fastify';
import { ANNOTATIONS } from '../../crds/schema/names.ts';
import { isNotFound } from '../runtime/cluster.ts';
import type { JsonPatchOperation } from '../runtime/cluster.ts';
import type { KubernetesObject } from '../runtime/resource-type.ts';
import type { ApiKind } from './api-kind.ts';
import { createManifestReader } from './manifest.ts';
import type { ManifestReader } from './manifest.ts';
import { existing, withoutManagedFields } from './resource-reads.ts';
import type { NamespaceParams, ObjectParams } from './resource-reads.ts';
import { identityOf } from './route-context.ts';
import type { RouteContext } from './route-context.ts';
import { NAMESPACE_PARAMS, OBJECT_PARAMS } from './schemas.ts';

/** The door this API is: what managedFields and the audit show for its writes. */
export const FIELD_MANAGER = 'mlops-api';

/**
 * Writes are the operator's, on behalf of the caller: allowed by a SubjectAccessReview for the
 * caller, marked with who asked. Validation, CEL, quotas and admission stay the cluster's.
 */
export const resourceWrites = (
  app: FastifyInstance,
  kind: ApiKind,
  context: RouteContext,
): void => {
  const read = createManifestReader(kind);
  createRoute(app, { kind, context, read });
  applyRoute(app, { kind, context, read });
  deleteRoute(app, { kind, context, read });
};

type Room = {
  readonly kind: ApiKind;
  readonly context: RouteContext;
  readonly read: ManifestReader;
};

const createRoute = (app: FastifyInstance, { kind, context, read }: Room): void => {
  const { plural } = kind.type;
  app.post<{ Params: NamespaceParams }>(
    `/api/v1/namespaces/:namespace/${plural}`,
    {
      schema: {
        operationId: `create${kind.type.kind}`,
        summary: `Create one of ${plural}; 409 when the name is taken`,
        tags: [plural],
        params: NAMESPACE_PARAMS,
        response: { 201: reference(kind) },
      },
      config: { requestBody: reference(kind) },
    },
    async (request, reply) => {
      const { namespace } = request.params;
      const identity = identityOf(request);
      await context.access.require(identity, { verb: 'create', resource: plural, namespace });
      const manifest = read(request.body, { namespace }, identity.username);
      const created = await context.cluster.create(kind.type, manifest, {
        fieldManager: FIELD_MANAGER,
      });
      return reply.code(201).send(withoutManagedFields(created));
    },
  );
};

const applyRoute = (app: FastifyInstance, { kind, context, read }: Room): void => {
  const { plural } = kind.type;
  app.put<{ Params: ObjectParams; Querystring: { readonly dryRun?: boolean } }>(
    `/api/v1/namespaces/:namespace/${plural}/:name`,
    {
      schema: {
        operationId: `apply${kind.type.kind}`,
        summary: `Make one of ${plural} be as the body says (server-side apply), creating it if needed`,
        tags: [plural],
        params: OBJECT_PARAMS,
        querystring: {
          type: 'object',
          properties: { dryRun: { type: 'boolean', description: 'Check all, store nothing.' } },
        },
        response: { 200: reference(kind) },
      },
      config: { requestBody: reference(kind) },
    },
    async (request) => {
      const identity = identityOf(request);
      const target = { resource: plural, ...request.params };
      await context.access.require(identity, { verb: 'patch', ...target });
      const manifest = read(request.body, request.params, identity.username);
      if ((await context.cluster.get(kind.type, request.params)) === undefined) {
        await context.access.require(identity, { verb: 'create', ...target });
      }
      const applied = await context.cluster.apply(kind.type, manifest, {
        fieldManager: FIELD_MANAGER,
        dryRun: request.query.dryRun ?? false,
      });
      return withoutManagedFields(applied);
    },
  );
};

const deleteRoute = (app: FastifyInstance, { kind, context }: Room): void => {
  const { plural } = kind.type;
  app.delete<{ Params: ObjectParams }>(
    `/api/v1/namespaces/:namespace/${plural}/:name`,
    {
      schema: {
        operationId: `delete${kind.type.kind}`,
        summary: `Delete one of ${plural}; finalizers may take a while after the answer`,
        tags: [plural],
        params: OBJECT_PARAMS,
        response: { 202: reference(kind) },
      },
    },
    async (request, reply) => {
      const identity = identityOf(request);
      const action = { verb: 'delete', resource: plural, ...request.params } as const;
      await context.access.require(identity, action);
      const object = await existing(context, kind, request.params);
      await remove(context, kind, object, identity.username);
      return reply.code(202).send(object);
    },
  );
};

/** Marks who asked before deleting: the audit has no other way to tell. */
const remove = async (
  context: RouteContext,
  kind: ApiKind,
  object: KubernetesObject,
  requestedBy: string,
): Promise<void> => {
  const { name, namespace = '', uid = '', annotations } = object.metadata;
  const path = `/metadata/annotations/${ANNOTATIONS.requestedBy.replace('/', '~1')}`;
  const mark: JsonPatchOperation =
    annotations === undefined
      ? {
          op: 'add',
          path: '/metadata/annotations',
          value: { [ANNOTATIONS.requestedBy]: requestedBy },
        }
      : { op: 'add', path, value: requestedBy };
  try {
    await context.cluster.patch(
      kind.type,
      { namespace, name },
      [{ op: 'test', path: '/metadata/uid', value: uid }, mark],
      { fieldManager: FIELD_MANAGER },
    );
  } catch (error) {
    // Somebody else deleted it in between, which is what was asked for.
    if (!isNotFound(error)) throw error;
  }
  await context.cluster.delete(kind.type, { namespace, name }, { uid, propagation: 'Background' });
};

const reference = (kind: ApiKind): { readonly $ref: string } => ({
  $ref: `#/components/schemas/${kind.type.kind}`,
});
