/**
 * Writes the generated files of the chart: values.yaml, values.schema.json, the rules of its roles,
 * and the table in its README. `--check` writes nothing and fails where a file differs.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { rbacTemplate } from './rbac-template.ts';
import { valuesSchema, valuesTable, valuesYaml } from './values-documents.ts';

const chart = join(import.meta.dirname, 'mlops-operator');
const readme = join(chart, 'README.md');

const withTable = (text: string): string => {
  const [before, after] = [text.indexOf('<!-- values -->'), text.indexOf('<!-- end of values -->')];
  if (before < 0 || after < before) throw new Error(`${readme} has lost the marks of its table.`);
  return `${text.slice(0, before)}<!-- values -->\n${valuesTable()}\n${text.slice(after)}`;
};

const files: Readonly<Record<string, string>> = {
  [join(chart, 'values.yaml')]: valuesYaml(),
  [join(chart, 'values.schema.json')]: `${JSON.stringify(valuesSchema(), null, 2)}\n`,
  [join(chart, 'templates', 'rbac', '_rules.tpl')]: rbacTemplate(),
  [readme]: withTable(readFileSync(readme, 'utf8')),
};

const contents = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // A file that is not there yet differs from what it should hold.
    return '';
  }
};

const stale = Object.entries(files).filter(([path, text]) => contents(path) !== text);
const { values: flags } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
if (flags.check && stale.length > 0) {
  const names = stale.map(([path]) => path).join('\n  ');
  process.stderr.write(`Out of date; run \`make generate\`:\n  ${names}\n`);
  process.exitCode = 1;
} else {
  for (const [path, text] of stale) writeFileSync(path, text);
}
