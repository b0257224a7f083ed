import { expect, test } from '@jest/globals';
import { EvenSample } from './even-sample.ts';

const sampled = (count: number, most: number): readonly number[] => {
  const sample = new EvenSample<number>(most);
  for (let item = 0; item < count; item += 1) sample.add(item);
  expect(sample.seen).toBe(count);
  return sample.items;
};

test('a sample holds all while there is room, then every second, every fourth', () => {
  expect(sampled(4, 4)).toEqual([0, 1, 2, 3]);
  expect(sampled(5, 4)).toEqual([0, 2, 4]);
  expect(sampled(13, 4)).toEqual([0, 4, 8, 12]);
  expect(sampled(100_000, 2000)).toHaveLength(1563); // every 64th
});
