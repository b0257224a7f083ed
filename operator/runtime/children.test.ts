import { describe, expect, test } from '@jest/globals';
import { childOf, controllerOf, isOwnedBy } from './children.ts';
import { needsWrite } from './drift.ts';
import { APPS_DEPLOYMENT, CONFIG_MAP } from './kubernetes-types.ts';
import { configMap, widget } from './testing/objects.ts';

const owner = widget('w', { uid: 'owner' });
const ANNOTATION = 'mlops.pynomaly.io/applied';

describe('children', () => {
  test('carry their type, namespace, managed-by label and controller', () => {
    const child = childOf(owner, CONFIG_MAP, { ...configMap('c'), kind: 'Wrong' });
    expect(child).toMatchObject({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name: 'c',
        namespace: 'team',
        labels: { 'app.kubernetes.io/managed-by': 'mlops-operator' },
        ownerReferences: [
          {
            apiVersion: 'example.io/v1',
            kind: 'Widget',
            name: 'w',
            uid: 'owner',
            controller: true,
            blockOwnerDeletion: true,
          },
        ],
      },
    });
    expect(isOwnedBy(child, owner)).toBe(true);
    expect(controllerOf(child)?.name).toBe('w');
  });

  test('that outlive their maker have no owner', () => {
    const child = childOf(owner, CONFIG_MAP, configMap('c'), { owned: false });
    expect(child.metadata.ownerReferences).toBeUndefined();
    expect(isOwnedBy(child, owner)).toBe(false);
  });

  test('keep labels and annotations of their own, and label their pods too', () => {
    const child = childOf(owner, APPS_DEPLOYMENT, {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'd', labels: { app: 'x' }, annotations: { note: 'y' } },
      spec: { template: { metadata: { labels: { app: 'x' } }, spec: {} } },
    } as never);
    expect(child).toMatchObject({
      metadata: { labels: { app: 'x' }, annotations: { note: 'y' } },
      spec: {
        template: {
          metadata: { labels: { app: 'x', 'app.kubernetes.io/managed-by': 'mlops-operator' } },
        },
      },
    });
  });

  test('have the same fingerprint for the same content and another for another', () => {
    const print = (data: Readonly<Record<string, string>>): string | undefined =>
      childOf(owner, CONFIG_MAP, configMap('c', data)).metadata.annotations?.[ANNOTATION];
    expect(print({ a: '1', b: '2' })).toBe(print({ b: '2', a: '1' }));
    expect(print({ a: '1' })).not.toBe(print({ a: '2' }));
  });

  test('are written when edited by hand, or when a field is dropped; not otherwise', () => {
    const wanted = childOf(owner, CONFIG_MAP, configMap('c', { a: '1' }));
    const more = childOf(owner, CONFIG_MAP, configMap('c', { a: '1', b: '2' }));
    expect(needsWrite({ ...wanted, data: { a: 'edited' } } as never, wanted)).toBe(true);
    expect(needsWrite(more, wanted)).toBe(true);
    expect(needsWrite({ ...wanted, data: { a: '1', foreign: 'kept' } } as never, wanted)).toBe(
      false,
    );
  });
});
