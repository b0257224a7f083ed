import { describe, expect, test } from '@jest/globals';
import { addFinalizer, hasFinalizer, removeFinalizer } from './finalizers.ts';
import { applyJsonPatch } from './json-patch.ts';
import { mergePatch } from './merge-patch.ts';
import { widget } from './testing/objects.ts';

const OURS = 'example.io/ours';
const finalizersOf = (object: unknown): unknown =>
  (object as ReturnType<typeof widget>).metadata.finalizers;

describe('finalizers', () => {
  test('are put behind those of others', () => {
    const object = widget('w', { finalizers: ['other'], resourceVersion: '1' });
    expect(finalizersOf(applyJsonPatch(object, addFinalizer(object, OURS)))).toEqual([
      'other',
      OURS,
    ]);
  });

  test('are the first where there were none', () => {
    const object = widget('w', { resourceVersion: '1' });
    const after = applyJsonPatch(object, addFinalizer(object, OURS));
    expect(finalizersOf(after)).toEqual([OURS]);
    expect(hasFinalizer(after as typeof object, OURS)).toBe(true);
  });

  test('are taken off alone', () => {
    const object = widget('w', { finalizers: ['a', OURS, 'b'] });
    expect(finalizersOf(applyJsonPatch(object, removeFinalizer(object, OURS)))).toEqual(['a', 'b']);
    expect(removeFinalizer(widget('w'), OURS)).toEqual([]);
  });

  test.each([
    ['the first', {}, { finalizers: ['theirs'] }],
    ['another', { finalizers: ['a'] }, { finalizers: ['a', 'theirs'] }],
  ])("adding %s fails when someone else's came meanwhile", (_what, then, now) => {
    const patch = addFinalizer(widget('w', { ...then, resourceVersion: '1' }), OURS);
    const changed = widget('w', { ...now, resourceVersion: '2' });
    expect(() => applyJsonPatch(changed, patch)).toThrow(
      expect.objectContaining({ code: 409, reason: 'Conflict' }),
    );
  });

  test('removing fails when the list has shifted meanwhile', () => {
    const patch = removeFinalizer(widget('w', { finalizers: ['a', OURS] }), OURS);
    const changed = widget('w', { finalizers: [OURS] });
    expect(() => applyJsonPatch(changed, patch)).toThrow('does not hold');
  });
});

describe('JSON patch', () => {
  test('adds, replaces and removes, also in lists and under escaped names', () => {
    const before = { list: [1, 2], labels: { 'a/b': 'x', 'c~d': 'y' }, old: true };
    expect(
      applyJsonPatch(before, [
        { op: 'add', path: '/list/0', value: 0 },
        { op: 'add', path: '/list/-', value: 3 },
        { op: 'remove', path: '/list/1' },
        { op: 'replace', path: '/labels/a~1b', value: 'z' },
        { op: 'remove', path: '/labels/c~0d' },
        { op: 'remove', path: '/old' },
      ]),
    ).toEqual({ list: [0, 2, 3], labels: { 'a/b': 'z' } });
    expect(before.list).toEqual([1, 2]);
  });

  test.each([
    [{ op: 'remove', path: '/absent' } as const],
    [{ op: 'replace', path: '/absent', value: 1 } as const],
    [{ op: 'add', path: '/absent/deeper', value: 1 } as const],
    [{ op: 'add', path: '/text/deeper', value: 1 } as const],
  ])('refuses %j', (operation) => {
    expect(() => applyJsonPatch({ text: 'x' }, [operation])).toThrow(
      expect.objectContaining({ code: 422 }),
    );
  });
});

describe('JSON merge patch', () => {
  test('lays fields over others, replaces lists and removes what is null', () => {
    expect(
      mergePatch({ a: { b: 1, c: 2 }, d: [1, 2], e: 'x' }, { a: { b: 3 }, d: [4], e: null, f: {} }),
    ).toEqual({ a: { b: 3, c: 2 }, d: [4], f: {} });
    expect(mergePatch(undefined, { a: 1 })).toEqual({ a: 1 });
    expect(mergePatch({ a: 1 }, 'text')).toBe('text');
  });
});
