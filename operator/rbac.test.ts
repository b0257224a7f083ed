import { describe, expect, test } from '@jest/globals';

import { operatorRules, userRules } from './rbac.ts';
import type { Declared } from './rbac.ts';
import { JOB, POD } from './runtime/kubernetes-types.ts';

const aController = (declared: Partial<Declared>): Declared => ({
  type: {
    group: 'mlops.pynomaly.io',
    version: 'v1alpha1',
    kind: 'Model',
    plural: 'models',
    namespaced: true,
  },
  owns: [],
  watches: [],
  permissions: [],
  ...declared,
});

describe('operatorRules', () => {
  test('lets a controller write its own kind and read what it owns and watches', () => {
    const rules = operatorRules([
      aController({ owns: [JOB], watches: [{ type: POD, keysFor: () => [] }] }),
    ]);
    expect(rules).toContainEqual({
      apiGroups: ['mlops.pynomaly.io'],
      resources: ['models'],
      verbs: ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'],
    });
    expect(rules).toContainEqual({
      apiGroups: ['batch'],
      resources: ['jobs'],
      verbs: ['get', 'list', 'watch'],
    });
  });

  test('joins what several controllers declare about one resource', () => {
    const writes = (verbs: string[]): Declared =>
      aController({ permissions: [{ apiGroups: ['batch'], resources: ['jobs'], verbs }] });
    const rules = operatorRules([writes(['delete']), writes(['create', 'patch'])]);
    expect(rules.filter(({ apiGroups }) => apiGroups[0] === 'batch')).toEqual([
      { apiGroups: ['batch'], resources: ['jobs'], verbs: ['create', 'patch', 'delete'] },
    ]);
  });

  test('never mentions Secrets', () => {
    expect(JSON.stringify(operatorRules([aController({})]))).not.toContain('secrets');
  });
});

describe('userRules', () => {
  test('shows viewers the records, and only editors the bytes', () => {
    const { view, edit } = userRules(['models']);
    expect(JSON.stringify(view)).not.toContain('artifact');
    expect(JSON.stringify(edit)).toContain('modelversions/artifact');
  });

  test('lets editors send outcomes of tests, and viewers not', () => {
    const { view, edit } = userRules(['abtests']);
    expect(edit).toContainEqual({
      apiGroups: ['mlops.pynomaly.io'],
      resources: ['abtests/outcomes'],
      verbs: ['create'],
    });
    expect(JSON.stringify(view)).not.toContain('outcomes');
  });
});
