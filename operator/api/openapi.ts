import type { RouteOptions } from 'fastify';
import type { JsonSchema } from '../../crds/json-schema.ts';
import type { ApiKind } from './api-kind.ts';
import { PROBLEM_SCHEMA } from './schemas.ts';

export type OpenApiDocument = {
  readonly openapi: '3.1.0';
  readonly info: JsonSchema;
  readonly paths: Readonly<Record<string, Readonly<Record<string, JsonSchema>>>>;
  readonly components: JsonSchema;
  readonly security: readonly JsonSchema[];
};

type ObjectSchema = {
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
};

/**
 * OpenAPI 3.1 of the routes as they are registered and the kinds as they are defined; its schemas
 * are JSON Schema 2020-12, so both go in as they stand.
 */
export const openApiDocument = (
  routes: readonly RouteOptions[],
  kinds: readonly ApiKind[],
): OpenApiDocument => {
  const paths: Record<string, Record<string, JsonSchema>> = {};
  for (const route of routes) {
    if (route.config?.hidden === true) continue;
    for (const method of methodsOf(route)) {
      (paths[pathOf(route.url)] ??= {})[method] = operationOf(route);
    }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'MLOps operator',
      version: 'v1alpha1',
      description:
        'Models, experiments and deployments of a cluster. Errors are application/problem+json; ' +
        'below /api/2.0/mlflow they are what MLflow clients expect.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    paths,
    security: [{ bearer: [] }],
    components: {
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description: 'A Kubernetes token, best with audience mlops.pynomaly.io.',
        },
      },
      schemas: {
        Problem: PROBLEM_SCHEMA,
        ...Object.fromEntries(kinds.map((kind) => [kind.type.kind, described(kind)])),
      },
    },
  };
};

const described = (kind: ApiKind): JsonSchema => {
  // One dialect for the document; a nested $schema would start another resource.
  const { $schema: _dialect, ...schema } = kind.schema;
  return { description: kind.description, ...schema };
};

const methodsOf = ({ method }: RouteOptions): readonly string[] =>
  [method]
    .flat()
    .map((each) => each.toLowerCase())
    .filter((each) => each !== 'head');

/** `/a/:b/*` → `/a/{b}/{path}`. */
export const pathOf = (url: string): string =>
  url.replaceAll(/:([A-Za-z]+)/g, '{$1}').replace(/\*$/, '{path}');

const operationOf = (route: RouteOptions): JsonSchema => {
  const { schema = {}, config } = route;
  const body = config?.requestBody ?? (schema.body as JsonSchema | undefined);
  return {
    ...(schema.operationId === undefined ? {} : { operationId: schema.operationId }),
    ...(schema.summary === undefined ? {} : { summary: schema.summary }),
    ...(schema.tags === undefined ? {} : { tags: schema.tags }),
    ...(config?.auth === 'none' ? { security: [] } : {}),
    parameters: [
      ...pathParameters(route.url, schema.params as ObjectSchema | undefined),
      ...queryParameters(schema.querystring as ObjectSchema | undefined),
    ],
    ...(body === undefined ? {} : { requestBody: bodyOf(body, config?.requestMediaType) }),
    responses: responsesOf(route),
  };
};

const pathParameters = (url: string, params: ObjectSchema | undefined): readonly JsonSchema[] =>
  [...pathOf(url).matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    schema: params?.properties?.[name] ?? { type: 'string' },
  }));

const queryParameters = (query: ObjectSchema | undefined): readonly JsonSchema[] =>
  Object.entries(query?.properties ?? {}).map(([name, schema]) => ({
    name,
    in: 'query',
    required: query?.required?.includes(name) ?? false,
    schema,
  }));

const bodyOf = (schema: JsonSchema, mediaType = 'application/json'): JsonSchema => ({
  required: true,
  content: { [mediaType]: { schema } },
});

const responsesOf = ({ schema = {}, config, url }: RouteOptions): JsonSchema => {
  const mediaType = config?.responseMediaType ?? 'application/json';
  const stated = Object.entries((schema.response ?? {}) as Record<string, JsonSchema>);
  const mlflow = url.startsWith('/api/2.0/') || url.startsWith('/api/3.0/');
  const failure = mlflow
    ? { 'application/json': { schema: MLFLOW_ERROR } }
    : { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };
  return {
    ...Object.fromEntries(
      stated.map(([status, content]) => [
        status,
        content['type'] === 'null'
          ? { description: 'Done; no body.' }
          : { description: 'Done.', content: { [mediaType]: { schema: content } } },
      ]),
    ),
    default: { description: 'What went wrong.', content: failure },
  };
};

const MLFLOW_ERROR = {
  type: 'object',
  required: ['error_code', 'message'],
  properties: { error_code: { type: 'string' }, message: { type: 'string' } },
} as const;
