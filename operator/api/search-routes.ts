import type { FastifyInstance } from 'fastify';
import type { NamespaceScope, ResourceQuery, SortField } from '../store/search.ts';
import type { ApiKind } from './api-kind.ts';
import type { Identity } from './identity.ts';
import { Problem } from './problem.ts';
import { identityOf } from './route-context.ts';
import type { RouteContext } from './route-context.ts';
import { CURSOR, DNS_LABEL, LIMIT, OBJECT_NAME, RESOURCE_ROW, pageOf } from './schemas.ts';
import { visibleNamespaces } from './visible-namespaces.ts';

type SearchQuery = {
  readonly q?: string;
  readonly kind?: readonly string[];
  readonly namespace?: string;
  readonly namePrefix?: string;
  readonly label?: readonly string[];
  readonly field?: readonly string[];
  readonly ready?: 'True' | 'False' | 'Unknown';
  readonly reason?: string;
  readonly includeDeleted?: boolean;
  readonly sort?: string;
  readonly limit?: number;
  readonly cursor?: string;
};

const equalities = (description: string): object => ({
  type: 'array',
  maxItems: 20,
  items: { type: 'string', maxLength: 1024, pattern: '^[^=]+=' },
  description,
});

const querySchema = (kinds: readonly ApiKind[]): object => ({
  type: 'object',
  properties: {
    q: {
      type: 'string',
      maxLength: 1024,
      description: 'Words to find in names, descriptions, tags and messages.',
    },
    kind: {
      type: 'array',
      maxItems: kinds.length,
      items: { enum: kinds.map(({ type }) => type.kind) },
      description:
        'Only these kinds; only namespaces where the caller may list all of them are searched.',
    },
    namespace: DNS_LABEL,
    namePrefix: OBJECT_NAME,
    label: equalities('name=value, all of them.'),
    field: equalities(
      'path=value below spec or status, as spec.modelRef.name=digits; all of them.',
    ),
    ready: { enum: ['True', 'False', 'Unknown'] },
    reason: { type: 'string', maxLength: 1024 },
    includeDeleted: { type: 'boolean' },
    sort: { enum: ['name', '-name', 'createdAt', '-createdAt', 'updatedAt', '-updatedAt'] },
    limit: LIMIT,
    cursor: CURSOR,
  },
});

/** Search over all kinds; reads the mirror, and only what the caller may list. */
export const searchRoutes = (app: FastifyInstance, context: RouteContext): void => {
  app.get<{ Querystring: SearchQuery }>(
    '/api/v1/search',
    {
      schema: {
        operationId: 'search',
        summary: 'Find objects of any kind by words, fields, labels and readiness',
        tags: ['search'],
        querystring: querySchema(context.kinds),
        response: { 200: pageOf(RESOURCE_ROW) },
      },
    },
    async (request) => {
      const namespaces = await scopeOf(context, identityOf(request), request.query);
      if (namespaces !== 'all' && namespaces.length === 0) return { items: [] };
      return context.search.search(resourceQuery(request.query, namespaces));
    },
  );
};

const scopeOf = async (
  context: RouteContext,
  identity: Identity,
  query: SearchQuery,
): Promise<NamespaceScope> => {
  const resources = context.kinds
    .filter(({ type }) => query.kind === undefined || query.kind.includes(type.kind))
    .map(({ type }) => type.plural);
  const { namespace } = query;
  if (namespace === undefined) return visibleNamespaces(context, identity, resources);
  for (const resource of resources) {
    await context.access.require(identity, { verb: 'list', resource, namespace });
  }
  return [namespace];
};

const resourceQuery = (query: SearchQuery, namespaces: NamespaceScope): ResourceQuery => {
  const { kind, label, field, sort, namespace: _namespace, ...rest } = query;
  return {
    ...rest,
    namespaces,
    ...(kind === undefined ? {} : { kinds: kind }),
    ...(label === undefined ? {} : { labels: pairs(label) }),
    ...(field === undefined ? {} : { fields: pairs(field) }),
    ...(sort === undefined ? {} : { sort: sorting(sort) }),
  };
};

const sorting = (sort: string): NonNullable<ResourceQuery['sort']> => {
  const descending = sort.startsWith('-');
  return {
    by: (descending ? sort.slice(1) : sort) as SortField,
    direction: descending ? 'desc' : 'asc',
  };
};

const pairs = (equalities: readonly string[]): Readonly<Record<string, string>> =>
  Object.fromEntries(
    equalities.map((each) => {
      const at = each.indexOf('=');
      if (at < 1) throw new Problem('InvalidRequest', `"${each}" is not of the form name=value.`);
      return [each.slice(0, at), each.slice(at + 1)] as const;
    }),
  );
