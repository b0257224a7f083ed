import { describe, expect, test } from '@jest/globals';
import { resourceState } from '../store/resource-state.ts';
import type { ResourceState } from '../store/resource-state.ts';
import { registryEvents } from './registry-event.ts';

const AT = '2026-01-02T03:04:05.000Z';

const state = (kind: string, spec: object, annotations: Record<string, string> = {}) =>
  resourceState(
    {
      ...{ apiVersion: 'mlops.pynomaly.io/v1alpha1', kind, spec },
      metadata: { name: 'n', namespace: 'demo', uid: 'u', creationTimestamp: AT, annotations },
    },
    AT,
  );
const gone = (last: ResourceState): ResourceState => ({
  ...last,
  row: { ...last.row, deletedAt: AT },
});
const version = (tags?: Record<string, string>) =>
  state('ModelVersion', {
    ...{ modelRef: { name: 'iris' }, version: '1.2.0', storageUri: 's3://models/demo/x' },
    ...(tags === undefined ? {} : { tags }),
  });
const alias = (semver: string, annotations?: Record<string, string>) =>
  state('ModelAlias', { modelRef: { name: 'iris' }, alias: 'best', version: semver }, annotations);

const ABOUT = { namespace: 'demo', model: 'iris', semver: '1.2.0' };

describe('what webhooks are told of', () => {
  test('is a Model that came to be, once', () => {
    const model = state('Model', { description: 'd', tags: { a: 'b' } });
    expect(registryEvents(undefined, model)).toEqual([
      {
        ...{ event: 'registered_model.created', namespace: 'demo', model: 'n' },
        createdAt: Date.parse(AT),
        data: { tags: { a: 'b' }, description: 'd' },
      },
    ]);
    expect(registryEvents(model, state('Model', { description: 'other' }))).toEqual([]);
    expect(registryEvents(model, gone(model))).toEqual([]);
    expect(registryEvents(gone(model), model)).toHaveLength(1);
  });

  test('is a version that came to be, whoever made it', () => {
    expect(registryEvents(undefined, version({ x: '1' }))).toEqual([
      {
        ...{ ...ABOUT, event: 'model_version.created', createdAt: Date.parse(AT) },
        data: {
          ...{ source: 's3://models/demo/x', run_id: null, tags: { x: '1' }, description: null },
        },
      },
    ]);
  });

  test('are tags of a version that were set, changed and deleted', () => {
    const events = registryEvents(version({ a: '1', b: '1', c: '1' }), version({ a: '1', b: '2' }));
    expect(events).toEqual([
      { ...ABOUT, event: 'model_version_tag.set', data: { key: 'b', value: '2' } },
      { ...ABOUT, event: 'model_version_tag.deleted', data: { key: 'c' } },
    ]);
    expect(registryEvents(version(), version())).toEqual([]);
  });

  test('are aliases that were set, moved and deleted, but not the marks of stages', () => {
    const set = { ...ABOUT, event: 'model_version_alias.created', data: { alias: 'best' } };
    expect(registryEvents(undefined, alias('1.2.0'))).toEqual([set]);
    expect(registryEvents(alias('1.1.0'), alias('1.2.0'))).toEqual([set]);
    expect(registryEvents(alias('1.2.0'), alias('1.2.0'))).toEqual([]);
    expect(registryEvents(alias('1.2.0'), gone(alias('1.2.0')))).toEqual([
      {
        ...{ event: 'model_version_alias.deleted', namespace: 'demo', model: 'iris' },
        data: { alias: 'best' },
      },
    ]);
    const stage = { 'mlops.pynomaly.io/mlflow-stage': 'Production' };
    expect(registryEvents(undefined, alias('1.2.0', stage))).toEqual([]);
  });

  test('is nothing of other kinds', () => {
    expect(registryEvents(undefined, state('Experiment', {}))).toEqual([]);
  });
});
