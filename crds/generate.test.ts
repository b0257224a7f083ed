import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { load } from 'js-yaml';
import { chartTemplate } from './chart-template.ts';
import { findDrift, generate, generateCommand } from './generate.ts';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'crds-'));
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

describe('generate', () => {
  test('writes one CRD, one chart template a kind, and the reference', () => {
    const written = generate(root);
    expect(written).toHaveLength(19);
    expect(written).toContain('crds/modeldeployments.yaml');
    expect(written).toContain('charts/mlops-operator/templates/crds/modeldeployments.yaml');
    expect(written).toContain('crds/REFERENCE.md');
    expect(findDrift(root)).toEqual([]);
  });

  test('writes nothing the second time', () => {
    generate(root);
    expect(generate(root)).toEqual([]);
  });

  test('writes YAML that says in line 1 that it is generated', () => {
    generate(root);
    const yaml = readFileSync(join(root, 'crds/models.yaml'), 'utf8');
    expect(yaml.split('\n')[0]).toContain('do not edit');
    expect(load(yaml)).toMatchObject({
      kind: 'CustomResourceDefinition',
      metadata: { name: 'models.mlops.pynomaly.io' },
      spec: { scope: 'Namespaced', names: { shortNames: ['mlm'], categories: ['mlops'] } },
    });
  });
});

describe('findDrift', () => {
  test('names a file that was edited, one that is missing and one that no kind has', () => {
    generate(root);
    writeFileSync(join(root, 'crds/models.yaml'), 'edited');
    rmSync(join(root, 'crds/REFERENCE.md'));
    writeFileSync(join(root, 'crds/gone.yaml'), '');
    expect(findDrift(root)).toEqual([
      { path: 'crds/models.yaml', why: 'differs' },
      { path: 'crds/REFERENCE.md', why: 'missing' },
      { path: 'crds/gone.yaml', why: 'left over' },
    ]);
  });

  test('finds nothing in this repository', () => {
    expect(findDrift(join(import.meta.dirname, '..'))).toEqual([]);
  });
});

describe('the command', () => {
  const run = (check: boolean) => {
    const lines: string[] = [];
    const exitCode = generateCommand(root, check, (line) => lines.push(line));
    return { exitCode, lines };
  };

  test('writes and succeeds, then checks and succeeds without a word', () => {
    expect(run(false)).toMatchObject({
      exitCode: 0,
      lines: expect.arrayContaining(['wrote crds/models.yaml']),
    });
    expect(run(true)).toEqual({ exitCode: 0, lines: [] });
  });

  test('fails a check by naming the file and what to do', () => {
    run(false);
    writeFileSync(join(root, 'crds/models.yaml'), 'edited');
    expect(run(true)).toEqual({
      exitCode: 1,
      lines: ['crds/models.yaml: differs', 'Run `make generate` and commit what it writes.'],
    });
  });

  test('does not delete files by itself', () => {
    run(false);
    writeFileSync(join(root, 'crds/gone.yaml'), '');
    expect(run(false)).toEqual({
      exitCode: 1,
      lines: [
        'crds/gone.yaml: left over',
        'Delete the files that are left over: no kind has them any more.',
      ],
    });
  });
});

describe('chartTemplate', () => {
  const crd = 'kind: X\nmetadata:\n  name: a.b\nspec:\n  description: says {{ braces }}\n';

  test('can be switched off, and keeps the CRD on uninstall', () => {
    expect(chartTemplate('# notice\n', crd)).toBe(
      [
        '# notice',
        '{{- if .Values.crds.enabled }}',
        'kind: X',
        'metadata:',
        '  name: a.b',
        '{{- if .Values.crds.keep }}',
        '  annotations:',
        '    helm.sh/resource-policy: keep',
        '{{- end }}',
        'spec:',
        '  description: says {{ "{{" }} braces {{ "}}" }}',
        '{{- end }}',
        '',
      ].join('\n'),
    );
  });
});
