import { describe, expect, test } from '@jest/globals';
import { load } from 'js-yaml';

import { valuesSchema, valuesTable, valuesYaml } from './values-documents.ts';
import { values } from './values.ts';

type Described = {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Described>>;
};

const undescribed = (schema: Described, path: string): string[] =>
  Object.entries(schema.properties ?? {}).flatMap(([key, property]) => [
    ...(property.description === undefined && !path.endsWith('podSecurityContext.')
      ? [`${path}${key}`]
      : []),
    ...undescribed(property, `${path}${key}.`),
  ]);

describe('the documents of the values', () => {
  test('values.yaml holds exactly the defaults', () => {
    expect(load(valuesYaml())).toEqual(values.parse({}));
  });

  test('every value says what it is for', () => {
    expect(undescribed(valuesSchema(), '')).toEqual([]);
  });

  test('values.yaml says it above each value', () => {
    expect(valuesYaml()).toContain(
      '  # Leave the CRDs, and with them every object, when the chart is uninstalled.\n  keep: true\n',
    );
  });

  test('the schema refuses keys it does not know, and lets other charts use `global`', () => {
    expect(valuesSchema()).toMatchObject({
      additionalProperties: false,
      properties: { global: { additionalProperties: {} }, crds: { additionalProperties: false } },
    });
  });

  test('the table has a row for every value that holds no others', () => {
    const rows = valuesTable().split('\n');
    expect(rows).toContainEqual(expect.stringContaining('| `postgresql.storage.size` | `"8Gi"` |'));
    expect(rows.filter((row) => row.startsWith('| `postgresql` '))).toEqual([]);
  });
});
