import { describe, expect, test } from '@jest/globals';
import { customResourceDefinition, rootSchema } from '../custom-resource-definition.ts';
import type { StructuralSchema } from '../structural.ts';
import { exampleManifests } from '../testing/example-manifests.ts';
import { kinds } from './all.ts';

type Visit = (path: string, field: StructuralSchema) => void;

/** Every field of a schema, those of list items and maps included. */
function visitFields(schema: StructuralSchema, path: string, visit: Visit): void {
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    visit(`${path}.${name}`, field);
    visitFields(field, `${path}.${name}`, visit);
  }
  if (schema.items !== undefined) visitFields(schema.items, `${path}[]`, visit);
  if (schema.additionalProperties !== undefined) {
    visitFields(schema.additionalProperties, `${path}.*`, visit);
  }
}

function fieldsOf(
  kind: string,
  parts: readonly ('spec' | 'status')[],
): [string, StructuralSchema][] {
  const definition = kinds.find((each) => each.kind === kind);
  if (definition === undefined) throw new Error(kind);
  const root = rootSchema(definition);
  const found: [string, StructuralSchema][] = [];
  for (const part of parts) {
    const schema = root.properties?.[part] ?? {};
    found.push([part, schema]);
    visitFields(schema, part, (path, field) => found.push([path, field]));
  }
  return found;
}

const names = kinds.map(({ kind }) => kind);

describe.each(names)('%s', (kind) => {
  test('describes every field with a sentence', () => {
    const undescribed = fieldsOf(kind, ['spec', 'status'])
      .filter(([, { description }]) => description?.endsWith('.') !== true)
      .map(([path]) => path);
    expect(undescribed).toEqual([]);
  });

  test('has no default inside a list item', () => {
    const inItems = fieldsOf(kind, ['spec', 'status']).filter(
      ([path, field]) => path.includes('[]') && field.default !== undefined,
    );
    expect(inItems).toEqual([]);
  });

  test('bounds every list and text a user writes, so that rules stay cheap', () => {
    const unbounded = fieldsOf(kind, ['spec'])
      .filter(
        ([, { type, maxItems, maxLength, enum: choices, format }]) =>
          (type === 'array' && maxItems === undefined) ||
          (type === 'string' &&
            maxLength === undefined &&
            choices === undefined &&
            format !== 'date-time'),
      )
      .map(([path]) => path);
    expect(unbounded).toEqual([]);
  });

  test('says of every list how it is merged', () => {
    const unsaid = fieldsOf(kind, ['spec', 'status'])
      .filter(
        ([, field]) => field.type === 'array' && field['x-kubernetes-list-type'] === undefined,
      )
      .map(([path]) => path);
    expect(unsaid).toEqual([]);
  });

  test('has no default in status, which only the operator writes', () => {
    expect(fieldsOf(kind, ['status']).filter(([, field]) => field.default !== undefined)).toEqual(
      [],
    );
  });

  test('stays below 200 KB and the limit of client-side apply', () => {
    const definition = kinds.find((each) => each.kind === kind);
    if (definition === undefined) throw new Error(kind);
    expect(JSON.stringify(customResourceDefinition(definition)).length).toBeLessThan(200_000);
  });

  test('takes its example', () => {
    const definition = kinds.find((each) => each.kind === kind);
    const example = exampleManifests.find((each) => each.kind === kind);
    expect(definition?.spec.safeParse(example?.spec).error).toBeUndefined();
  });
});

test('no two kinds share a name', () => {
  const all = kinds.flatMap(({ plural, singular, shortNames }) => [
    plural,
    singular,
    ...shortNames,
  ]);
  expect(new Set(all).size).toBe(all.length);
});

test('our Deployment never answers to the name of that of apps/v1', () => {
  const all = kinds.flatMap(({ plural, singular, shortNames }) => [
    plural,
    singular,
    ...shortNames,
  ]);
  expect(all).not.toContain('deployment');
  expect(all).not.toContain('deployments');
  expect(all).not.toContain('deploy');
});

test('the kinds whose controllers come later say so', () => {
  expect(kinds.filter(({ implemented }) => !implemented).map(({ kind }) => kind)).toEqual([
    'Pipeline',
    'PipelineRun',
    'RetrainPolicy',
  ]);
});
