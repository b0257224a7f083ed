import { expect, test } from '@jest/globals';
import { cellEnds, countByValue, countInCells } from './cells.ts';

const points = (...pairs: readonly (readonly [number, number])[]) =>
  pairs.map(([value, count]) => ({ value, count }));
const tenths = points(...Array.from({ length: 100 }, (_, i) => [i + 1, 3] as const));

test('cells hold about a tenth of the reference each, and the last is open', () => {
  const ends = cellEnds(tenths, 10);
  expect(ends).toEqual([10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
  expect(countInCells(tenths, ends)).toEqual([...Array<number>(10).fill(30), 0]);
  expect(countInCells(points([-5, 1], [10, 2], [10.5, 4], [1000, 8]), ends)).toEqual([
    ...[3, 4, 0, 0, 0, 0, 0, 0, 0, 0, 8],
  ]);
});

test('a value that is as frequent has a cell of its own: a constant that moves is seen', () => {
  const ends = cellEnds(points([2, 50]), 10);
  expect(countInCells(points([2, 50]), ends)).toEqual([0, 50, 0]);
  expect(countInCells(points([1.9, 50]), ends)).toEqual([50, 0, 0]);
  expect(countInCells(points([2.1, 50]), ends)).toEqual([0, 0, 50]);
  expect(countInCells(points([-1, 1], [0, 2], [1, 3]), cellEnds(points([0, 9]), 10))).toEqual([
    ...[1, 2, 3],
  ]);
});

test('values that are counted one by one have a cell each, and new ones share the last', () => {
  const [before, after] = [new Map([['a', 70], ['b', 20], ['c', 10]]), new Map([['a', 5], ['z', 4]])]; // prettier-ignore
  expect(countByValue([before, 100], [after, 9], 3)).toEqual({
    ...{ reference: [70, 20, 10], current: [5, 0, 4] },
  });
});
