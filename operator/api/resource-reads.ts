import type { FastifyInstance } from 'fastify';
import type { KubernetesObject } from '../runtime/resource-type.ts';
import type { ApiKind } from './api-kind.ts';
import type { Identity } from './identity.ts';
import { identityOf } from './route-context.ts';
import { requiredObject } from './required-object.ts';
import type { RouteContext } from './route-context.ts';
import { AUDIT_ROW, CURSOR, LIMIT, NAMESPACE_PARAMS, OBJECT_PARAMS, pageOf } from './schemas.ts';

export type NamespaceParams = { readonly namespace: string };
export type ObjectParams = NamespaceParams & { readonly name: string };

type ListQuery = {
  readonly labelSelector?: string;
  readonly limit?: number;
  readonly cursor?: string;
};

type HistoryQuery = { readonly uid?: string; readonly limit?: number; readonly cursor?: string };

type ObjectPage = { readonly items: readonly KubernetesObject[]; readonly nextCursor?: string };

const DEFAULT_LIMIT = 500;

const LIST_QUERY = {
  type: 'object',
  properties: {
    labelSelector: { type: 'string', maxLength: 2048, description: 'As kubectl takes it with -l.' },
    limit: { ...LIMIT, default: DEFAULT_LIMIT },
    cursor: CURSOR,
  },
} as const;

/** List and get come from the cluster, history from the audit. */
export const resourceReads = (app: FastifyInstance, kind: ApiKind, context: RouteContext): void => {
  const { plural } = kind.type;
  const schema = { $ref: `#/components/schemas/${kind.type.kind}` };
  app.get<{ Querystring: ListQuery }>(
    `/api/v1/${plural}`,
    {
      schema: {
        operationId: `list${kind.type.kind}InAllNamespaces`,
        summary: `${plural} of every namespace the caller may list`,
        tags: [plural],
        querystring: LIST_QUERY,
        response: { 200: pageOf(schema) },
      },
    },
    async (request) => listEverywhere(context, kind, identityOf(request), request.query),
  );
  app.get<{ Params: NamespaceParams; Querystring: ListQuery }>(
    `/api/v1/namespaces/:namespace/${plural}`,
    {
      schema: {
        operationId: `list${kind.type.kind}`,
        summary: `${plural} of one namespace`,
        tags: [plural],
        params: NAMESPACE_PARAMS,
        querystring: LIST_QUERY,
        response: { 200: pageOf(schema) },
      },
    },
    async (request) => {
      const { namespace } = request.params;
      await context.access.require(identityOf(request), {
        verb: 'list',
        resource: plural,
        namespace,
      });
      return page(context, kind, { ...request.query, namespace });
    },
  );
  oneObject(app, kind, context);
};

const oneObject = (app: FastifyInstance, kind: ApiKind, context: RouteContext): void => {
  const { plural } = kind.type;
  app.get<{ Params: ObjectParams }>(
    `/api/v1/namespaces/:namespace/${plural}/:name`,
    {
      schema: {
        operationId: `get${kind.type.kind}`,
        summary: `One of ${plural}`,
        tags: [plural],
        params: OBJECT_PARAMS,
        response: { 200: { $ref: `#/components/schemas/${kind.type.kind}` } },
      },
    },
    async (request) => {
      const action = { verb: 'get', resource: plural, ...request.params } as const;
      await context.access.require(identityOf(request), action);
      return existing(context, kind, request.params);
    },
  );
  app.get<{ Params: ObjectParams; Querystring: HistoryQuery }>(
    `/api/v1/namespaces/:namespace/${plural}/:name/history`,
    {
      schema: {
        operationId: `get${kind.type.kind}History`,
        summary: `What happened to one of ${plural}, newest first; also after its deletion`,
        tags: [plural],
        params: OBJECT_PARAMS,
        querystring: {
          type: 'object',
          properties: {
            uid: { type: 'string', maxLength: 64, description: 'Only this life of the name.' },
            limit: LIMIT,
            cursor: CURSOR,
          },
        },
        response: { 200: pageOf(AUDIT_ROW) },
      },
    },
    async (request) => {
      const action = { verb: 'get', resource: plural, ...request.params } as const;
      await context.access.require(identityOf(request), action);
      return context.search.history({ kind: kind.type.kind, ...request.params, ...request.query });
    },
  );
};

/** The object as it stands in the cluster, or the Problem `NotFound`. */
export const existing = async (
  context: RouteContext,
  kind: ApiKind,
  key: ObjectParams,
): Promise<KubernetesObject> => withoutManagedFields(await requiredObject(context, kind.type, key));

const page = async (
  context: RouteContext,
  kind: ApiKind,
  { cursor, ...options }: ListQuery & { readonly namespace?: string },
): Promise<ObjectPage> => {
  const list = await context.cluster.list(kind.type, {
    limit: DEFAULT_LIMIT,
    ...options,
    ...(cursor === undefined ? {} : { continueToken: cursor }),
  });
  return {
    items: list.items.map(withoutManagedFields),
    ...(list.continueToken ? { nextCursor: list.continueToken } : {}),
  };
};

const listEverywhere = async (
  context: RouteContext,
  kind: ApiKind,
  identity: Identity,
  query: ListQuery,
): Promise<ObjectPage> => {
  const resource = kind.type.plural;
  const all = await page(context, kind, query);
  if (await context.access.allowed(identity, { verb: 'list', resource })) return all;
  const namespaces = new Set(all.items.map(({ metadata }) => metadata.namespace ?? ''));
  const visible = new Set<string>();
  await Promise.all(
    [...namespaces].map(async (namespace) => {
      const may = await context.access.allowed(identity, { verb: 'list', resource, namespace });
      if (may) visible.add(namespace);
    }),
  );
  return {
    ...all,
    items: all.items.filter(({ metadata }) => visible.has(metadata.namespace ?? '')),
  };
};

/** Half of an object's bytes, and of no use to a reader of the API. */
export const withoutManagedFields = (object: KubernetesObject): KubernetesObject => {
  const { managedFields: _managedFields, ...metadata } = object.metadata;
  return { ...object, metadata };
};
