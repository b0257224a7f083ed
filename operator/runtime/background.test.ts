import { describe, expect, test } from '@jest/globals';
import { BackgroundWork } from './background.ts';

const settle = (): Promise<unknown> => new Promise((resolve) => setImmediate(resolve));

const held = <T>() => {
  const signals: AbortSignal[] = [];
  const ends: { resolve(value: T): void; reject(error: unknown): void }[] = [];
  const work = (signal: AbortSignal): Promise<T> => {
    signals.push(signal);
    return new Promise((resolve, reject) => {
      ends.push({ resolve, reject });
      signal.addEventListener('abort', () => reject(new Error('aborted')));
    });
  };
  return { work, signals, ends };
};

const newWork = () => {
  const woken: string[] = [];
  return { woken, background: new BackgroundWork((key) => woken.push(key)) };
};

describe('background work', () => {
  test('is started once, wakes its object at the end and keeps its result', async () => {
    const { woken, background } = newWork();
    const { work, ends } = held<number>();
    expect(background.observe('a/x', 'one', work)).toEqual({ state: 'running' });
    expect(background.observe('a/x', 'one', work)).toEqual({ state: 'running' });
    expect(ends).toHaveLength(1);
    ends[0]?.resolve(42);
    await settle();
    expect(woken).toEqual(['a/x']);
    expect(background.observe('a/x', 'one', work)).toEqual({ state: 'done', value: 42 });
    expect(background.observe('a/x', 'one', work)).toEqual({ state: 'done', value: 42 });
    expect(ends).toHaveLength(1);
  });

  test('that failed is told once and started afresh by the next pass that wants it', async () => {
    const { woken, background } = newWork();
    const { work, ends } = held<number>();
    background.observe('a/x', 'one', work);
    ends[0]?.reject('no error object');
    await settle();
    expect(woken).toEqual(['a/x']);
    expect(background.observe('a/x', 'one', work)).toEqual({
      state: 'failed',
      error: new Error('no error object'),
    });
    expect(background.observe('a/x', 'one', work)).toEqual({ state: 'running' });
    expect(ends).toHaveLength(2);
  });

  test('that throws before its first await has failed like any other', async () => {
    const { background } = newWork();
    const broken = (): Promise<never> => {
      throw new Error('at once');
    };
    background.observe('a/x', 'one', broken);
    await settle();
    expect(background.observe('a/x', 'one', broken)).toMatchObject({ state: 'failed' });
  });

  test('of another id abandons the earlier, whose end wakes nobody', async () => {
    const { woken, background } = newWork();
    const { work, signals, ends } = held<number>();
    background.observe('a/x', 'one', work);
    background.observe('a/x', 'two', work);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
    await settle();
    expect(woken).toEqual([]);
    ends[1]?.resolve(2);
    await settle();
    expect(background.observe('a/x', 'two', work)).toEqual({ state: 'done', value: 2 });
  });

  test('of an object that is gone is aborted and forgotten', async () => {
    const { woken, background } = newWork();
    const { work, signals } = held<number>();
    background.observe('a/x', 'one', work);
    background.forget('a/x');
    await settle();
    expect(signals[0]?.aborted).toBe(true);
    expect(woken).toEqual([]);
  });

  test('is aborted by a stop, which waits for it; afterwards it can begin again', async () => {
    const { woken, background } = newWork();
    const { work, signals, ends } = held<number>();
    background.observe('a/x', 'one', work);
    await background.stop();
    expect(signals[0]?.aborted).toBe(true);
    background.observe('a/x', 'one', work);
    ends[1]?.resolve(1);
    await settle();
    expect(woken).toEqual(['a/x']);
  });
});
