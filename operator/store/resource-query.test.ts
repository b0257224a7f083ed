import { describe, expect, test } from '@jest/globals';
import { checkedHistory, checkedQuery, cursorOf, historyCursor } from './resource-query.ts';
import { InvalidQuery, type ResourceQuery } from './search.ts';

const all = { namespaces: 'all' } as const;
const faultOf = (query: Partial<ResourceQuery>): string => {
  try {
    checkedQuery({ ...all, ...query });
  } catch (error) {
    if (error instanceof InvalidQuery) return error.field;
    throw error;
  }
  return 'accepted';
};
const bad = (text: string): string => Buffer.from(text).toString('base64url');

describe('a query', () => {
  test('has defaults', () => {
    expect(checkedQuery(all)).toEqual({
      namespaces: 'all',
      sort: { by: 'name', direction: 'asc' },
      limit: 50,
      fields: [],
    });
  });

  test('reads field paths', () => {
    const fields = { 'spec.predictor.metrics[0].name': 'cpu', 'status.servedVersion': '1.0.0' };
    expect(checkedQuery({ ...all, fields }).fields).toEqual([
      { root: 'spec', path: ['predictor', 'metrics', '0', 'name'], value: 'cpu' },
      { root: 'status', path: ['servedVersion'], value: '1.0.0' },
    ]);
  });

  test.each<[string, Partial<ResourceQuery>]>([
    ['limit', { limit: 0 }],
    ['limit', { limit: 501 }],
    ['limit', { limit: 1.5 }],
    ['sort', { sort: { by: 'uid; drop table audit' as 'name', direction: 'asc' } }],
    ['sort', { sort: { by: 'name', direction: 'sideways' as 'asc' } }],
    ['fields', { fields: { metadata: 'x' } }],
    ['fields', { fields: { spec: 'x' } }],
    ['fields', { fields: { 'spec.': 'x' } }],
    ['fields', { fields: { "spec.a'b": 'x' } }],
    ['fields', { fields: { 'spec.a,b': 'x' } }],
    ['fields', { fields: { 'spec.{a}': 'x' } }],
    ['fields', { fields: { 'spec.a[-1]': 'x' } }],
    ['fields', { fields: { ['spec.' + 'a'.repeat(64)]: 'x' } }],
    ['fields', { fields: { 'spec.a': 'x\u0000' } }],
    [
      'fields',
      { fields: Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`spec.a${i}`, ''])) },
    ],
    ['q', { q: 'x'.repeat(1001) }],
    ['q', { q: '\u0000' }],
    ['namePrefix', { namePrefix: '\ud800' }],
    ['reason', { reason: '\u0000' }],
    ['labels', { labels: { a: '\u0000' } }],
    ['cursor', { cursor: 'garbage' }],
    ['cursor', { cursor: bad('"text"') }],
    ['cursor', { cursor: bad('["name","asc","x"]') }],
    ['cursor', { cursor: bad('["name","asc",1,2]') }],
    ['cursor', { cursor: bad('["name","asc","x","\\u0000"]') }],
    ['cursor', { cursor: bad('["createdAt","asc","2026","u"]') }],
  ])('names %s in %j as what is wrong', (field, query) => {
    expect(faultOf(query)).toBe(field);
  });

  test('goes on where its cursor says, and only the same query does', () => {
    const sort = { by: 'createdAt', direction: 'desc' } as const;
    const cursor = cursorOf({ value: '2026-01-01T00:00:00.000Z', uid: 'u' }, sort);
    expect(checkedQuery({ ...all, sort, cursor }).after).toEqual({
      value: '2026-01-01T00:00:00.000Z',
      uid: 'u',
    });
    expect(faultOf({ cursor })).toBe('cursor');
    expect(faultOf({ sort: { ...sort, direction: 'asc' }, cursor })).toBe('cursor');
  });
});

describe('a history query', () => {
  const digits = { kind: 'Model', namespace: 'demo', name: 'digits' };

  test('goes on where its cursor says', () => {
    expect(checkedHistory(digits)).toEqual({ ...digits, limit: 50 });
    expect(checkedHistory({ ...digits, cursor: historyCursor('12') }).before).toBe('12');
  });

  test.each(['[]', '["x"]', '["1; drop table audit"]', '["1e5"]'])('refuses cursor %s', (text) => {
    expect(() => checkedHistory({ ...digits, cursor: bad(text) })).toThrow(InvalidQuery);
  });

  test('refuses names that no object has', () => {
    expect(() => checkedHistory({ ...digits, name: '\u0000' })).toThrow(InvalidQuery);
  });
});
