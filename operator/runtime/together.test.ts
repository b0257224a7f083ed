import { describe, expect, test } from '@jest/globals';
import { together } from './together.ts';

describe('things done together', () => {
  test('give their results in order', async () => {
    const [text, count] = await together([Promise.resolve('a'), Promise.resolve(2)]);
    expect([text, count]).toEqual(['a', 2]);
  });

  test('all come to their end before the first failure is thrown', async () => {
    let done = false;
    let finish = (): void => undefined;
    const slow = new Promise<void>((resolve) => (finish = resolve)).then(() => {
      done = true;
    });
    const both = together([Promise.reject(new Error('first')), slow]);
    finish();
    await expect(both).rejects.toThrow('first');
    expect(done).toBe(true);
  });
});
