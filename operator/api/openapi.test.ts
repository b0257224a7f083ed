import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { kinds } from '../../crds/schema/all.ts';
import type { OpenApiDocument } from './openapi.ts';
import { apiFixture } from './testing/api-fixture.ts';

type Operation = {
  readonly operationId?: string;
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly parameters: readonly {
    readonly name: string;
    readonly in: string;
    readonly schema: object;
  }[];
  readonly requestBody?: {
    readonly content: Readonly<Record<string, { readonly schema: object }>>;
  };
  readonly responses: Readonly<
    Record<string, { readonly description?: string; readonly content?: object }>
  >;
};

let document: OpenApiDocument;

beforeAll(async () => {
  const { app } = await apiFixture();
  const response = await app.inject({ url: '/openapi.json' });
  expect(response.headers['content-type']).toBe('application/json; charset=utf-8');
  document = response.json();
});

const operations = (): readonly (readonly [string, string, Operation])[] =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(
      ([method, operation]) => [path, method, operation as never] as const,
    ),
  );

const refsIn = (node: unknown): readonly string[] => {
  if (typeof node !== 'object' || node === null) return [];
  return Object.entries(node).flatMap(([key, value]) =>
    key === '$ref' && typeof value === 'string' ? [value] : refsIn(value),
  );
};

const schemasIn = (): readonly (readonly [string, object])[] =>
  operations().flatMap(([path, method, operation]) => [
    ...operation.parameters.map(
      ({ name, schema }) => [`${method} ${path} ${name}`, schema] as const,
    ),
    ...Object.values(operation.requestBody?.content ?? {}).map(
      ({ schema }) => [`${method} ${path} body`, schema] as const,
    ),
    ...Object.entries(operation.responses).flatMap(([status, { content = {} }]) =>
      Object.values(content as Record<string, { schema: object }>).map(
        ({ schema }) => [`${method} ${path} ${status}`, schema] as const,
      ),
    ),
  ]);

describe('the OpenAPI document', () => {
  test('has every operation of every kind', () => {
    for (const { kind, plural } of kinds) {
      const all = `/api/v1/${plural}`;
      const some = `/api/v1/namespaces/{namespace}/${plural}`;
      const have = [all, some, `${some}/{name}`, `${some}/{name}/history`].map((path) =>
        Object.keys(document.paths[path] ?? {}).toSorted(),
      );
      expect([kind, ...have]).toEqual([
        kind,
        ['get'],
        ['get', 'post'],
        ['delete', 'get', 'put'],
        ['get'],
      ]);
    }
  });

  test('has every other operation', () => {
    const ofKinds = new Set(kinds.flatMap(({ plural }) => [plural]));
    const others = operations()
      .map(([path, method]) => `${method.toUpperCase()} ${path}`)
      .filter((each) => {
        const [, plural = '', rest] =
          /\/api\/v1\/(?:namespaces\/\{namespace\}\/)?(\w+)(\/.*)?$/.exec(each) ?? [];
        return !ofKinds.has(plural) || /\/(artifact|runs)$/.test(rest ?? '');
      });
    expect(others.toSorted()).toEqual([
      'DELETE /api/2.0/mlflow-artifacts/artifacts/{path}',
      'DELETE /api/2.0/mlflow/logged-models/{modelId}',
      'DELETE /api/2.0/mlflow/logged-models/{modelId}/tags/{key}',
      'DELETE /api/2.0/mlflow/model-versions/delete',
      'DELETE /api/2.0/mlflow/model-versions/delete-tag',
      'DELETE /api/2.0/mlflow/registered-models/alias',
      'DELETE /api/2.0/mlflow/registered-models/delete',
      'DELETE /api/2.0/mlflow/registered-models/delete-tag',
      'DELETE /api/2.0/mlflow/webhooks/{webhookId}',
      'GET /api/2.0/mlflow-artifacts/artifacts',
      'GET /api/2.0/mlflow-artifacts/artifacts/{path}',
      'GET /api/2.0/mlflow-artifacts/file/{path}',
      'GET /api/2.0/mlflow-artifacts/presigned/{path}',
      'GET /api/2.0/mlflow/artifacts/list',
      'GET /api/2.0/mlflow/experiments/get',
      'GET /api/2.0/mlflow/experiments/get-by-name',
      'GET /api/2.0/mlflow/logged-models/{modelId}',
      'GET /api/2.0/mlflow/metrics/get-history',
      'GET /api/2.0/mlflow/metrics/get-history-bulk',
      'GET /api/2.0/mlflow/metrics/get-history-bulk-interval',
      'GET /api/2.0/mlflow/model-versions/get',
      'GET /api/2.0/mlflow/model-versions/get-download-uri',
      'GET /api/2.0/mlflow/model-versions/search',
      'GET /api/2.0/mlflow/registered-models/alias',
      'GET /api/2.0/mlflow/registered-models/get',
      'GET /api/2.0/mlflow/registered-models/get-latest-versions',
      'GET /api/2.0/mlflow/registered-models/search',
      'GET /api/2.0/mlflow/runs/get',
      'GET /api/2.0/mlflow/webhooks',
      'GET /api/2.0/mlflow/webhooks/{webhookId}',
      'GET /api/3.0/mlflow/server-info',
      'GET /api/v1/namespaces/{namespace}/experiments/{name}/runs',
      'GET /api/v1/namespaces/{namespace}/modelversions/{name}/artifact',
      'GET /api/v1/search',
      'GET /openapi.json',
      'GET /version',
      'PATCH /api/2.0/mlflow/logged-models/{modelId}',
      'PATCH /api/2.0/mlflow/logged-models/{modelId}/tags',
      'PATCH /api/2.0/mlflow/model-versions/update',
      'PATCH /api/2.0/mlflow/registered-models/update',
      'PATCH /api/2.0/mlflow/webhooks/{webhookId}',
      'POST /api/2.0/mlflow-artifacts/mpu/abort/{path}',
      'POST /api/2.0/mlflow-artifacts/mpu/complete/{path}',
      'POST /api/2.0/mlflow-artifacts/mpu/create/{path}',
      'POST /api/2.0/mlflow/experiments/create',
      'POST /api/2.0/mlflow/experiments/delete',
      'POST /api/2.0/mlflow/experiments/delete-experiment-tag',
      'POST /api/2.0/mlflow/experiments/restore',
      'POST /api/2.0/mlflow/experiments/search',
      'POST /api/2.0/mlflow/experiments/set-experiment-tag',
      'POST /api/2.0/mlflow/experiments/update',
      'POST /api/2.0/mlflow/logged-models',
      'POST /api/2.0/mlflow/logged-models/search',
      'POST /api/2.0/mlflow/logged-models/{modelId}/params',
      'POST /api/2.0/mlflow/model-versions/create',
      'POST /api/2.0/mlflow/model-versions/set-tag',
      'POST /api/2.0/mlflow/model-versions/transition-stage',
      'POST /api/2.0/mlflow/registered-models/alias',
      'POST /api/2.0/mlflow/registered-models/create',
      'POST /api/2.0/mlflow/registered-models/get-latest-versions',
      'POST /api/2.0/mlflow/registered-models/rename',
      'POST /api/2.0/mlflow/registered-models/set-tag',
      'POST /api/2.0/mlflow/runs/create',
      'POST /api/2.0/mlflow/runs/delete',
      'POST /api/2.0/mlflow/runs/delete-tag',
      'POST /api/2.0/mlflow/runs/log-batch',
      'POST /api/2.0/mlflow/runs/log-inputs',
      'POST /api/2.0/mlflow/runs/log-metric',
      'POST /api/2.0/mlflow/runs/log-model',
      'POST /api/2.0/mlflow/runs/log-parameter',
      'POST /api/2.0/mlflow/runs/outputs',
      'POST /api/2.0/mlflow/runs/restore',
      'POST /api/2.0/mlflow/runs/search',
      'POST /api/2.0/mlflow/runs/set-tag',
      'POST /api/2.0/mlflow/runs/update',
      'POST /api/2.0/mlflow/webhooks',
      'POST /api/2.0/mlflow/webhooks/{webhookId}/test',
      'POST /api/2.0/mlops/runs/{runId}/token',
      'PUT /api/2.0/mlflow-artifacts/artifacts/{path}',
      'PUT /api/2.0/mlflow-artifacts/mpu/part/{path}',
    ]);
  });

  test('gives every operation a name of its own, a summary, a tag and what it answers', () => {
    const names = operations().map(([, , { operationId }]) => operationId);
    expect(names.filter((name) => name === undefined)).toEqual([]);
    expect(new Set(names).size).toBe(names.length);
    for (const [path, method, operation] of operations()) {
      expect([path, method, operation.summary, operation.tags]).not.toContain(undefined);
      const statuses = Object.keys(operation.responses);
      expect([path, method, statuses.length > 1, statuses.includes('default')]).toEqual([
        path,
        method,
        true,
        true,
      ]);
      for (const answer of Object.values(operation.responses))
        expect(answer.description).toBeTruthy();
    }
  });

  test('declares exactly the parameters its paths have', () => {
    for (const [path, , { parameters }] of operations()) {
      const inPath = parameters.filter((each) => each.in === 'path').map(({ name }) => name);
      expect(inPath).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
    }
  });

  test('refers to nothing that is not in it', () => {
    const schemas = document.components['schemas'] as Readonly<Record<string, unknown>>;
    const refs = new Set(refsIn(document));
    expect(refs).toContain('#/components/schemas/Model');
    for (const ref of refs)
      expect(Object.keys(schemas)).toContain(ref.replace('#/components/schemas/', ''));
  });

  test('holds valid JSON schemas only', () => {
    const ajv = new Ajv2020({ strict: false });
    addFormats.default(ajv);
    ajv.addFormat('binary', true);
    for (const [where, schema] of schemasIn()) {
      expect([where, ajv.validateSchema(schema)]).toEqual([where, true]);
    }
    for (const [name, schema] of Object.entries(document.components['schemas'] as object)) {
      expect([name, ajv.validateSchema(schema as object)]).toEqual([name, true]);
    }
  });

  test('says which operations need no token', () => {
    const open = operations()
      .filter(([, , operation]) => 'security' in operation)
      .map(([path]) => path);
    expect(open.toSorted()).toEqual([
      '/api/2.0/mlflow-artifacts/file/{path}',
      '/api/2.0/mlflow-artifacts/mpu/part/{path}',
      '/api/3.0/mlflow/server-info',
      '/openapi.json',
      '/version',
    ]);
  });
});
