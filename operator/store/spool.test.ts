import { describe, expect, test } from '@jest/globals';
import { Spool, type SpooledChange, type SpooledSnapshot } from './spool.ts';
import { anObject } from './testing/objects.ts';

const change = (version: number): SpooledChange => ({
  type: 'upsert',
  object: anObject({ version }),
  observedAt: '',
});
const snapshot = (namespace?: string): SpooledSnapshot => ({
  type: 'snapshot',
  kind: 'Model',
  namespace,
  objects: [anObject()],
  observedAt: '',
});
const spool = (maxEntries: number, maxBytes = 1e6): Spool => new Spool({ maxEntries, maxBytes });

describe('the spool', () => {
  test('gives back changes in order, up to the next snapshot', () => {
    const entries = spool(10);
    const [one, two, list] = [change(1), change(2), snapshot()];
    entries.addChange('Model', one);
    entries.addChange('Model', two);
    entries.addSnapshot(list);
    entries.addChange('Model', change(3));
    expect(entries.peek(1)).toEqual([one]);
    expect(entries.peek(100)).toEqual([one, two]);
    entries.remove(2);
    expect(entries.peek(100)).toBe(list);
    expect(entries.size).toBe(2);
  });

  test('drops what does not fit, until a snapshot of the kind makes up for it', () => {
    const entries = spool(2);
    expect(entries.addChange('Model', change(1))).toBe(true);
    expect(entries.addChange('Model', change(2))).toBe(true);
    expect(entries.addChange('Model', change(3))).toBe(false);
    entries.remove(1);
    expect(entries.addChange('Model', change(4))).toBe(false);
    expect(entries.addChange('Experiment', change(5))).toBe(true);
    expect(entries.behind).toEqual(['Model']);
    expect(entries.addSnapshot(snapshot())).toBe(false);
    entries.remove(1);
    expect(entries.addSnapshot(snapshot('demo'))).toBe(true);
    expect(entries.behind).toEqual(['Model']);
    entries.remove(2);
    expect(entries.addSnapshot(snapshot())).toBe(true);
    expect(entries.behind).toEqual([]);
  });

  test('counts bytes, and frees them', () => {
    const entries = spool(100, 1500);
    expect(entries.addChange('Model', change(1))).toBe(true);
    let added = 1;
    while (entries.addChange('Model', change(2))) added++;
    expect(added).toBeLessThan(5);
    entries.remove(added);
    expect(entries.addChange('Experiment', change(3))).toBe(true);
  });

  test('always takes one, however large', () => {
    expect(spool(10, 1).addChange('Model', change(1))).toBe(true);
  });
});
