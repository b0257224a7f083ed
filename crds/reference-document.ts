import { rootSchema } from './custom-resource-definition.ts';
import { REASONS } from './schema/conditions.ts';
import { API_VERSION } from './schema/resource.ts';
import type { KindDefinition } from './schema/resource.ts';
import type { StructuralSchema } from './structural.ts';

/** The reference of all kinds as Markdown: fields, defaults, rules, columns and reasons. */
export function referenceDocument(kinds: readonly KindDefinition[]): string {
  const parts = [
    '<!-- Generated from crds/schema by `make generate`; do not edit. -->',
    '# Reference of all kinds',
    `API version \`${API_VERSION}\`. All kinds are namespaced and in the category \`mlops\` (\`kubectl get mlops\`); \`kubectl explain <plural>.spec\` says the same as this page.`,
    overview(kinds),
    ...kinds.map(section),
    '## Reasons',
    'The `reason` of a condition or an Event is one of these.',
    table(
      ['Reason', 'Means'],
      Object.entries(REASONS).map(([name, text]) => [code(name), text]),
    ),
  ];
  return `${parts.join('\n\n')}\n`;
}

function overview(kinds: readonly KindDefinition[]): string {
  return table(
    ['Kind', 'Plural', 'Short', 'What it is'],
    kinds.map((each) => [
      `[${each.kind}](#${each.kind.toLowerCase()})`,
      code(each.plural),
      each.shortNames.map(code).join(', '),
      each.description + (each.implemented ? '' : ' *Accepted and validated; no controller yet.*'),
    ]),
  );
}

function section(definition: KindDefinition): string {
  const schema = rootSchema(definition);
  const { spec, status } = schema.properties ?? {};
  const columns = definition.printerColumns.map(({ name }) => name.toUpperCase()).join(', ');
  return [
    `## ${definition.kind}`,
    definition.description,
    `Columns of \`kubectl get ${definition.plural}\`: ${columns}.`,
    '### Spec',
    spec?.description ?? '',
    fieldTable(spec),
    '### Status',
    fieldTable(status),
    ...rulesOf(schema),
  ].join('\n\n');
}

function fieldTable(schema: StructuralSchema | undefined): string {
  if (schema?.properties === undefined) return 'No fields.';
  return table(['Field', 'Type', 'Default', 'What it says'], rowsOf(schema, ''));
}

function rowsOf(schema: StructuralSchema, prefix: string): string[][] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const path = `${prefix}${name}`;
    const isRequired = schema.required?.includes(name) === true;
    const row = [
      code(path),
      typeOf(field) + (isRequired ? ', required' : ''),
      field.default === undefined ? '' : code(JSON.stringify(field.default)),
      field.description ?? '',
    ];
    return [row, ...rowsOf(field, `${path}.`), ...rowsOf(field.items ?? {}, `${path}[].`)];
  });
}

function typeOf(field: StructuralSchema): string {
  if (field['x-kubernetes-int-or-string'] === true) return 'integer or string';
  if (field.items !== undefined) return `list of ${typeOf(field.items)}`;
  if (field.additionalProperties !== undefined)
    return `map of ${typeOf(field.additionalProperties)}`;
  return field.type ?? 'anything';
}

function rulesOf(schema: StructuralSchema): string[] {
  const lines = collectRules(schema, '');
  if (lines.length === 0) return [];
  return [
    '### Rules',
    joinUnchangeable(lines)
      .map((line) => `- ${plain(line)}`)
      .join('\n'),
  ];
}

/** The fields that cannot be changed for the same reason make one line. */
function joinUnchangeable(lines: readonly string[]): string[] {
  const fieldsOf = new Map<string, string[]>();
  for (const line of lines) {
    const [, field = '', rest = ''] = / ?([\w.]+) (cannot be changed.*)$/.exec(line) ?? [];
    const key = rest === '' ? line : rest;
    fieldsOf.set(key, [...(fieldsOf.get(key) ?? []), ...(rest === '' ? [] : [code(field)])]);
  }
  return [...fieldsOf].map(([rest, fields]) => [fields.join(', '), rest].join(' ').trim());
}

/** Markdown reads `<model>` as a tag and shows nothing. */
function plain(text: string): string {
  return text.replaceAll('<', '&lt;');
}

function collectRules(schema: StructuralSchema, path: string): string[] {
  const own = (schema['x-kubernetes-validations'] ?? []).map(({ message }) =>
    path === '' ? message : `${code(path)}: ${message}`,
  );
  const prefix = path === '' ? '' : `${path}.`;
  return [
    ...own,
    ...Object.entries(schema.properties ?? {}).flatMap(([name, field]) =>
      collectRules(field, prefix + name),
    ),
    ...(schema.items === undefined ? [] : collectRules(schema.items, `${path}[]`)),
  ];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => plain(cell).replaceAll('|', String.raw`\|`)).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function code(text: string): string {
  return `\`${text}\``;
}
