import { expect, test } from '@jest/globals';
import { FeatureSketch } from '../sketches/feature-sketch.ts';
import { binsOf, countsOf, leastCountsOf, readSummary } from './sketch-cells.ts';

const sketchOf = (add: (sketch: FeatureSketch) => void) => {
  const sketch = new FeatureSketch();
  add(sketch);
  return sketch.summary();
};

test('numbers are in bins of 1 %, in order, whatever their sign', () => {
  const { numbers } = sketchOf((sketch) => {
    for (const value of [5, -3, 0, 5, -200]) sketch.addNumber(value);
  });
  const bins = numbers === undefined ? [] : binsOf(numbers);
  expect(bins.map(({ count }) => count)).toEqual([1, 1, 1, 2]);
  for (const [i, value] of [-200, -3, 0, 5].entries()) {
    expect(Math.abs((bins[i]?.value ?? 0) - value)).toBeLessThanOrEqual(0.01 * Math.abs(value));
  }
});

test('values are counted one by one while they are few', () => {
  const few = sketchOf((sketch) => {
    for (const text of ['a', 'b', 'a']) sketch.addText(text);
  });
  expect(countsOf(few)).toEqual(new Map([['a', 2], ['b', 1]])); // prettier-ignore
  const many = sketchOf((sketch) => {
    for (let i = 0; i < 100; i++) sketch.addText(String(i));
  });
  expect(countsOf(many)).toBeUndefined();
  // 64 are kept, and what came of one of them after it took another one's place came once.
  expect([...leastCountsOf(many).values()]).toEqual(Array(64).fill(1));
});

test.each(['x', '{}', 'null', '{"count":"1","nulls":0,"infinite":0}', numbersOf('AAAA'), '[]'])(
  'a record that is no sketch, %s, is not read',
  (record) => {
    expect(readSummary(record)).toBeUndefined();
  },
);

test('a record that is one is read', () => {
  const summary = sketchOf((sketch) => {
    sketch.addInteger(3);
  });
  expect(readSummary(JSON.stringify({ type: 'sketch', ...summary }))).toMatchObject(summary);
});

function numbersOf(quantiles: string): string {
  const numbers = { count: 1, mean: 0, m2: 0, min: 0, max: 0, quantiles };
  return JSON.stringify({ count: 1, nulls: 0, infinite: 0, numbers });
}
