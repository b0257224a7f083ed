import { Environment } from '@marcbachmann/cel-js';
import { load } from 'js-yaml';
import { rootSchema } from '../../crds/custom-resource-definition.ts';
import { abTest, type ABTestSpec } from '../../crds/schema/ab-test.ts';
import { API_VERSION } from '../../crds/schema/resource.ts';
import { VALIDATIONS } from '../../crds/schema/rules.ts';
import type { StructuralSchema } from '../../crds/structural.ts';

/**
 * The spec of an ABTest manifest, with its defaults, held to what the apiserver would hold it to: the
 * contract's schema with its CEL rules and unique keys.
 * @throws Error that names all faults with their paths
 */
export const readTest = (text: string, file: string): ABTestSpec => {
  const manifest = asManifest(text, file);
  const parsed = abTest.spec.safeParse(manifest['spec']);
  const faults = parsed.success
    ? brokenRules(rootSchema(abTest), { ...manifest, spec: parsed.data }, '')
    : parsed.error.issues.map(({ path, message }) => `${['spec', ...path].join('.')}: ${message}`);
  if (!parsed.success || faults.length > 0) {
    throw new Error(
      `${file} is not a valid ABTest:\n${faults.map((each) => `  ${each}`).join('\n')}`,
    );
  }
  return parsed.data;
};

type Fields = Readonly<Record<string, unknown>>;

const asManifest = (text: string, file: string): Fields => {
  const manifest = parseYaml(text, file);
  const isABTest =
    isFields(manifest) && manifest['kind'] === 'ABTest' && manifest['apiVersion'] === API_VERSION;
  if (
    !isABTest ||
    !isFields(manifest['metadata']) ||
    typeof manifest['metadata']['name'] !== 'string'
  ) {
    throw new Error(
      `${file} is not an ABTest: it needs apiVersion ${API_VERSION}, kind ABTest and metadata.name, in one YAML document.`,
    );
  }
  return manifest;
};

const parseYaml = (text: string, file: string): unknown => {
  try {
    return load(text);
  } catch (error) {
    throw new Error(`${file} is not one YAML document: ${(error as Error).message}`, {
      cause: error,
    });
  }
};

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const cel = new Environment()
  .registerVariable('self', 'dyn')
  // Kubernetes' own, of its list library.
  .registerFunction('list.sum(): double', (list: readonly unknown[]) =>
    list.reduce((total: number, each) => total + Number(each), 0),
  );

/** Rules about updates (oldSelf) say nothing of what is created. */
const brokenRules = (schema: StructuralSchema, self: unknown, path: string): readonly string[] => {
  if (self === undefined) return [];
  const rules = (schema[VALIDATIONS] ?? []).filter(({ rule }) => !rule.includes('oldSelf'));
  const broken = rules
    .filter(({ rule }) => cel.evaluate(rule, { self }) !== true)
    .map(({ message, fieldPath = '' }) => `${(path + fieldPath).slice(1)}: ${message}`);
  return [...broken, ...brokenInside(schema, self, path)];
};

const brokenInside = (schema: StructuralSchema, self: unknown, path: string): readonly string[] => {
  const { items } = schema;
  if (Array.isArray(self) && items !== undefined) {
    return [
      ...duplicates(schema, self as readonly Fields[], path),
      ...self.flatMap((each, index) => brokenRules(items, each, `${path}[${index}]`)),
    ];
  }
  if (!isFields(self)) return [];
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) =>
    brokenRules(field, self[name], `${path}.${name}`),
  );
};

const duplicates = (
  schema: StructuralSchema,
  list: readonly Fields[],
  path: string,
): readonly string[] => {
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  if (keys.length === 0) return [];
  const idOf = (item: Fields): string => JSON.stringify(keys.map((key) => item[key]));
  const ids = list.map(idOf);
  return ids
    .map((id, index) => ({ id, index }))
    .filter(({ id, index }) => ids.indexOf(id) !== index)
    .map(({ index }) => `${path.slice(1)}[${index}]: has the ${keys.join(' and ')} of another one`);
};
