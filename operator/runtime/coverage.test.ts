import { describe, expect, test } from '@jest/globals';
import { covers, fingerprint, same } from './coverage.ts';

describe('coverage', () => {
  test('what only the live object has does not count', () => {
    expect(
      covers({ a: 1, defaulted: true, list: [{ b: 2, c: 3 }] }, { a: 1, list: [{ b: 2 }] }),
    ).toBe(true);
  });

  test.each([
    ['another value', { a: 1 }, { a: 2 }],
    ['a missing field', {}, { a: 1 }],
    ['a shorter list', { a: [1] }, { a: [1, 2] }],
    ['a longer list', { a: [1, 2] }, { a: [1] }],
    ['another order', { a: [2, 1] }, { a: [1, 2] }],
    ['a list instead of an object', { a: [] }, { a: {} }],
    ['null instead of an object', { a: null }, { a: { b: 1 } }],
  ])('%s counts', (_what, live, wanted) => {
    expect(covers(live, wanted)).toBe(false);
  });

  test('undefined and null are as good as absent', () => {
    expect(covers({}, { a: undefined, b: null })).toBe(true);
    expect(same({ a: undefined }, {})).toBe(true);
  });

  test('two values are the same whatever the order of their fields', () => {
    expect(same({ a: 1, b: { c: 2, d: 3 } }, { b: { d: 3, c: 2 }, a: 1 })).toBe(true);
    expect(same({ a: 1 }, { a: 1, b: 2 })).toBe(false);
  });

  test('a fingerprint does not depend on the order of fields, but on that of lists', () => {
    expect(fingerprint({ a: 1, b: { c: 2, d: 3 } })).toBe(fingerprint({ b: { d: 3, c: 2 }, a: 1 }));
    expect(fingerprint([1, 2])).not.toBe(fingerprint([2, 1]));
    expect(fingerprint({})).toMatch(/^[0-9a-f]{16}$/);
  });
});
