import { dump } from 'js-yaml';
import { z } from 'zod';

import { values } from './values.ts';

type Schema = {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
};

const GENERATED = 'Generated from charts/values.ts by `make generate`; do not edit.';

/** values.schema.json: helm refuses values that do not fit it, typing errors in keys included. */
export const valuesSchema = (): Record<string, unknown> => ({
  $comment: GENERATED,
  ...z.toJSONSchema(values, { io: 'input', target: 'draft-7' }),
});

/** values.yaml with every description as a comment. */
export const valuesYaml = (): string =>
  [`# ${GENERATED}`, ...yamlLines(valuesSchema(), values.parse({}), '')].join('\n') + '\n';

/** The README's table: one row for every value that is not a group of others. */
export const valuesTable = (): string =>
  [
    '| value | default | meaning |',
    '|---|---|---|',
    ...tableRows(valuesSchema(), values.parse({}), ''),
  ].join('\n');

/** Groups have fields of their own; a map the user fills, or a security context, is one value. */
const isGroup = (schema: Schema, value: unknown): value is Record<string, unknown> =>
  schema.properties !== undefined &&
  Object.keys(schema.properties).length > 0 &&
  Object.values(schema.properties).every((property) => property.description !== undefined) &&
  typeof value === 'object';

const entries = (schema: Schema, value: Record<string, unknown>): [string, Schema, unknown][] =>
  Object.entries(schema.properties ?? {}).map(([key, property]) => [key, property, value[key]]);

function yamlLines(schema: Schema, value: Record<string, unknown>, indent: string): string[] {
  return entries(schema, value).flatMap(([key, property, field]) => {
    const comment = `${indent}# ${property.description ?? ''}`;
    const blank = indent === '' ? [''] : [];
    if (isGroup(property, field)) {
      return [...blank, comment, `${indent}${key}:`, ...yamlLines(property, field, `${indent}  `)];
    }
    return [...blank, comment, ...yamlField(key, field, indent)];
  });
}

function yamlField(key: string, field: unknown, indent: string): string[] {
  return dump({ [key]: field }, { lineWidth: -1 })
    .trimEnd()
    .split('\n')
    .map((line) => `${indent}${line}`);
}

function tableRows(schema: Schema, value: Record<string, unknown>, path: string): string[] {
  return entries(schema, value).flatMap(([key, property, field]) => {
    const name = `${path}${key}`;
    if (isGroup(property, field)) return tableRows(property, field, `${name}.`);
    const meaning = (property.description ?? '').replaceAll('|', '\\|');
    return [`| \`${name}\` | \`${JSON.stringify(field)}\` | ${meaning} |`];
  });
}
