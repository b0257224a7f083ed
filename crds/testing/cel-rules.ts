import { Environment } from '@marcbachmann/cel-js';
import { rootSchema } from '../custom-resource-definition.ts';
import type { KindDefinition } from '../schema/resource.ts';
import type { StructuralSchema } from '../structural.ts';

/**
 * What the CEL rules of a kind say against a new manifest, as `spec.path: message`: a quick look
 * without an apiserver, whose own answer crds.integration.test.ts asks for. Rules about changes
 * (oldSelf) are left out, and nothing but rules is looked at.
 */
export function celFaults(
  definition: KindDefinition,
  manifest: { readonly spec: unknown },
): string[] {
  const spec = rootSchema(definition).properties?.['spec'] ?? {};
  return faultsOf(spec, manifest.spec, 'spec');
}

function faultsOf(schema: StructuralSchema, value: unknown, path: string): string[] {
  if (value === undefined) return [];
  const own = (schema['x-kubernetes-validations'] ?? [])
    .filter(({ rule }) => !rule.includes('oldSelf') && !holds(rule, value))
    .map(({ message }) => `${path}: ${message}`);
  if (Array.isArray(value)) {
    const { items = {} } = schema;
    return [...own, ...value.flatMap((each, at) => faultsOf(items, each, `${path}[${at}]`))];
  }
  if (typeof value !== 'object' || value === null) return own;
  return [
    ...own,
    ...Object.entries(value).flatMap(([name, each]) =>
      faultsOf(schema.properties?.[name] ?? {}, each, `${path}.${name}`),
    ),
  ];
}

function holds(rule: string, self: unknown): boolean {
  return new Environment().registerVariable('self', 'dyn').evaluate(rule, { self }) === true;
}
