import { z } from 'zod';
import { API_VERSION } from './schema/resource.ts';
import type { KindDefinition } from './schema/resource.ts';

/** JSON Schema 2020-12, as ajv and OpenAPI 3.1 read it. */
export type JsonSchema = { readonly [key: string]: unknown };

/**
 * Schema of a kind's spec as users write it. Cross-field rules are not in it: they are CEL, and the
 * apiserver answers for them.
 */
export function specSchema(definition: KindDefinition): JsonSchema {
  return jsonSchema(definition.spec);
}

export function statusSchema(definition: KindDefinition): JsonSchema {
  return jsonSchema(definition.status);
}

/** Schema of a whole object: what is written and, with status, what is read. */
export function resourceSchema(definition: KindDefinition): JsonSchema {
  const spec = specSchema(definition);
  const text = { type: 'string' };
  const texts = { type: 'object', additionalProperties: text };
  return {
    title: definition.kind,
    description: definition.description,
    type: 'object',
    properties: {
      apiVersion: { type: 'string', const: API_VERSION },
      kind: { type: 'string', const: definition.kind },
      metadata: {
        description: 'Metadata of the object, as every Kubernetes object has it.',
        type: 'object',
        properties: {
          name: { type: 'string', minLength: 1, maxLength: 253 },
          namespace: { type: 'string', minLength: 1, maxLength: 63 },
          labels: texts,
          annotations: texts,
        },
        required: ['name'],
        additionalProperties: true,
      },
      spec,
      status: statusSchema(definition),
    },
    required: ['apiVersion', 'kind', 'metadata', ...('default' in spec ? [] : ['spec'])],
    additionalProperties: false,
  };
}

function jsonSchema(schema: z.ZodType): JsonSchema {
  const written = z.toJSONSchema(schema, { target: 'draft-2020-12', io: 'input' });
  return withoutExtensions(written) as JsonSchema;
}

/** Strict validators refuse keywords they do not know, so only JSON Schema's own are kept. */
function withoutExtensions(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(withoutExtensions);
  if (typeof node !== 'object' || node === null) return node;
  return Object.fromEntries(
    Object.entries(node)
      .filter(([key]) => !key.startsWith('x-') && key !== '$schema')
      .map(([key, value]) => [key, withoutExtensions(value)]),
  );
}
