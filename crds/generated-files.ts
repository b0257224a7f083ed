import { dump } from 'js-yaml';
import { chartTemplate } from './chart-template.ts';
import { customResourceDefinition } from './custom-resource-definition.ts';
import { referenceDocument } from './reference-document.ts';
import { kinds } from './schema/all.ts';

const NOTICE = '# Generated from crds/schema by `make generate`; do not edit.\n';

const CHART_FOLDER = 'charts/mlops-operator/templates/crds';

/** Every generated file: path from the root of the repository → content. */
export function generatedFiles(): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const definition of kinds) {
    const name = `${definition.plural}.yaml`;
    const yaml = toYaml(customResourceDefinition(definition));
    files.set(`crds/${name}`, NOTICE + yaml);
    files.set(`${CHART_FOLDER}/${name}`, chartTemplate(NOTICE, yaml));
  }
  files.set('crds/REFERENCE.md', referenceDocument(kinds));
  return files;
}

function toYaml(value: unknown): string {
  return dump(value, { lineWidth: 100, noRefs: true });
}
