import { describe, expect, test } from '@jest/globals';
import { isNewer, ObjectCache } from './object-cache.ts';
import { widget } from './testing/objects.ts';

const at = (name: string, resourceVersion: string, uid = 'one') =>
  widget(name, { uid, resourceVersion });
const key = { namespace: 'team', name: 'x' };

describe('resource versions', () => {
  test('are compared as numbers of any length', () => {
    expect(isNewer('10', '9')).toBe(true);
    expect(isNewer('9', '10')).toBe(false);
    expect(isNewer('90071992547409931', '90071992547409930')).toBe(true);
    expect(isNewer('7', '7')).toBe(false);
  });

  test('that are no numbers count as newer unless they are the same', () => {
    expect(isNewer('b', 'a')).toBe(true);
    expect(isNewer('a', 'a')).toBe(false);
    expect(isNewer(undefined, '5')).toBe(true);
  });
});

describe('object cache', () => {
  test('never replaces a state by an older or the same one', () => {
    const cache = new ObjectCache();
    cache.put(at('x', '5'));
    expect(cache.put(at('x', '4'))).toBeUndefined();
    expect(cache.put(at('x', '5'))).toBeUndefined();
    expect(cache.get(key)?.metadata.resourceVersion).toBe('5');
    expect(cache.put(at('x', '6'))).toMatchObject({
      type: 'MODIFIED',
      before: { metadata: { resourceVersion: '5' } },
      object: { metadata: { resourceVersion: '6' } },
    });
  });

  test('takes an object made again under the same name, and no late news of the earlier one', () => {
    const cache = new ObjectCache();
    cache.put(at('x', '5'));
    expect(cache.put(at('x', '8', 'two'))).toMatchObject({ type: 'ADDED' });
    expect(cache.put(at('x', '6', 'one'))).toBeUndefined();
    expect(cache.remove(at('x', '7', 'one'))).toBeUndefined();
    expect(cache.get(key)?.metadata.uid).toBe('two');
  });

  test('lists by namespace and forgets namespaces that are empty', () => {
    const cache = new ObjectCache();
    cache.put(at('x', '1'));
    cache.put(widget('y', { namespace: 'other', uid: 'y', resourceVersion: '2' }));
    expect(cache.list('team').map(({ metadata }) => metadata.name)).toEqual(['x']);
    expect(cache.list()).toHaveLength(2);
    cache.remove(at('x', '3'));
    expect(cache.list('team')).toEqual([]);
    expect(cache.size).toBe(1);
  });

  test('reports a removed object in its last state', () => {
    const cache = new ObjectCache();
    cache.put(at('x', '5'));
    expect(cache.remove(at('x', '9'))).toMatchObject({
      type: 'DELETED',
      object: { metadata: { resourceVersion: '9' } },
    });
    expect(cache.remove(at('x', '9'))).toBeUndefined();
  });
});
