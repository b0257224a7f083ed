import { describe, expect, test } from '@jest/globals';
import { assigned, shardOf } from './shard-hash.ts';

const sizes = (count: number, members: readonly string[]): readonly number[] =>
  [...assigned(count, members).values()].map((shards) => shards.size).toSorted();

describe('the shard of a namespace', () => {
  test('never changes, whatever version computes it', () => {
    expect(['default', 'team-a', 'team-b', ''].map((each) => shardOf(each, 16))).toEqual([
      12, 0, 1, 11,
    ]);
  });

  test('is the only one there is when there is one', () => {
    expect(shardOf('team', 1)).toBe(0);
  });

  test('is any of them for names that differ in their last digit', () => {
    const counts = [0, 0, 0, 0];
    for (let index = 0; index < 1_000; index++) {
      const shard = shardOf(`team-${index}`, 4);
      counts[shard] = (counts[shard] ?? 0) + 1;
    }
    for (const each of counts) expect(Math.abs(each - 250)).toBeLessThan(60);
  });
});

describe('the shards of members', () => {
  test('are shared out evenly, each to one', () => {
    expect(sizes(4, ['a', 'b'])).toEqual([2, 2]);
    expect(sizes(4, ['a', 'b', 'c'])).toEqual([1, 1, 2]);
    expect(sizes(2, ['a', 'b', 'c'])).toEqual([0, 1, 1]);
    const all = [...assigned(16, ['x', 'y', 'z']).values()].flatMap((each) => [...each]);
    expect(all.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 16 }, (_, i) => i));
  });

  test('are the same in whatever order members are known', () => {
    expect(assigned(8, ['a', 'b', 'c']).get('b')).toEqual(assigned(8, ['c', 'b', 'a']).get('b'));
  });

  test('stay where they are, as a rule, when one member goes', () => {
    const members = ['a', 'b', 'c', 'd'];
    const before = assigned(64, members);
    const after = assigned(64, members.slice(0, 3));
    const moved = members
      .slice(0, 3)
      .flatMap((each) => [...(before.get(each) ?? [])].filter((one) => !after.get(each)?.has(one)));
    expect(moved.length).toBeLessThan(16);
  });

  test('are nobody’s when there is nobody', () => {
    expect([...assigned(4, [])]).toEqual([]);
  });
});
