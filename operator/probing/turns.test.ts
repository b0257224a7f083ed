import { describe, expect, test } from '@jest/globals';
import { Turns } from './turns.ts';

const settle = (): Promise<unknown> => new Promise((resolve) => setImmediate(resolve));

/** Work that ends when it is told to. */
const works = (turns: Turns) => {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const take = (name: string, keys: readonly string[], signal = new AbortController().signal) =>
    turns.take(keys, signal, async () => {
      begun.push(name);
      await new Promise<void>((resolve) => ends.set(name, resolve));
      return name;
    });
  return { begun, ends, take };
};

describe('turns', () => {
  test('let so many of one key happen at once, in their order', async () => {
    const { begun, ends, take } = works(new Turns(2));
    const all = ['a', 'b', 'c', 'd'].map((name) => take(name, ['slow']));
    await settle();
    expect(begun).toEqual(['a', 'b']);
    ends.get('b')?.();
    await settle();
    expect(begun).toEqual(['a', 'b', 'c']);
    for (const name of ['a', 'c']) ends.get(name)?.();
    await settle();
    ends.get('d')?.();
    expect(await Promise.all(all)).toEqual(['a', 'b', 'c', 'd']);
  });

  test('hold up nobody with other keys', async () => {
    const { begun, take } = works(new Turns(1));
    void take('hangs', ['mine', 'slow']);
    void take('waits', ['mine', 'quick']);
    void take('goes', ['theirs', 'quick']);
    await settle();
    expect(begun).toEqual(['hangs', 'goes']);
  });

  test('are given up when the signal aborts, before or while waiting', async () => {
    const { begun, ends, take } = works(new Turns(1));
    const stop = new AbortController();
    const first = take('first', ['k']);
    const second = take('second', ['k'], stop.signal);
    const third = take('third', ['k']);
    stop.abort(new Error('stopped'));
    await expect(second).rejects.toThrow('stopped');
    await expect(take('fourth', ['k'], stop.signal)).rejects.toThrow('stopped');
    ends.get('first')?.();
    await first;
    await settle();
    expect(begun).toEqual(['first', 'third']);
    ends.get('third')?.();
    await third;
  });

  test('are free again after work that fails', async () => {
    const turns = new Turns(1);
    const { signal } = new AbortController();
    await expect(turns.take(['k'], signal, () => Promise.reject(new Error('no')))).rejects.toThrow(
      'no',
    );
    expect(await turns.take(['k'], signal, () => Promise.resolve(1))).toBe(1);
  });
});
