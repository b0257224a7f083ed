import { describe, expect, test } from '@jest/globals';
import { ApiError } from './cluster.ts';
import { Doubts } from './doubts.ts';

const failing = async (error: Error): Promise<boolean> => {
  const doubts = new Doubts();
  await expect(doubts.writing('a', () => Promise.reject(error))).rejects.toBe(error);
  return doubts.about('a');
};

describe('a write', () => {
  test('whose answer was lost is in doubt until the same has been written again', async () => {
    const doubts = new Doubts();
    const lost = new Error('socket hang up');
    await expect(doubts.writing('a', () => Promise.reject(lost))).rejects.toBe(lost);
    expect([doubts.about('a'), doubts.about('b'), doubts.none]).toEqual([true, false, false]);
    expect(await doubts.writing('a', () => Promise.resolve('stored'))).toBe('stored');
    expect(doubts.none).toBe(true);
  });

  test('that the server failed over or found outdated is in doubt, one that it refused is not', async () => {
    expect(await failing(new ApiError(500, 'InternalError', 'oops'))).toBe(true);
    expect(await failing(Object.assign(new Error('late'), { name: 'TimeoutError' }))).toBe(true);
    expect(await failing(new ApiError(409, 'Conflict', 'changed'))).toBe(true);
    expect(await failing(new ApiError(422, 'Invalid', 'bad'))).toBe(false);
    expect(await failing(new ApiError(429, 'TooManyRequests', 'slow'))).toBe(false);
  });

  test('is in doubt no more once the object has been read live', async () => {
    const doubts = new Doubts();
    const lost = new Error('socket hang up');
    await expect(doubts.writing('a', () => Promise.reject(lost))).rejects.toBe(lost);
    doubts.settle('a');
    expect(doubts.none).toBe(true);
  });
});
