import { describe, expect, test } from '@jest/globals';
import type { Aggregate } from './aggregates.ts';
import { mergeAggregates, unitsOf } from './aggregates.ts';
import { checkAggregate } from './check-aggregate.ts';
import { jointMomentsOf, momentsOf } from './moments.ts';

const bin = (lower: number, upper: number, count: number) => ({ lower, upper, count });
const spread = { mean: 0, m2: 1 };

describe('aggregates', () => {
  test('merge within their type', () => {
    const merged = mergeAggregates(
      { type: 'quantile', bins: [bin(1, 1, 2), bin(3, 4, 1)] },
      { type: 'quantile', bins: [bin(1, 1, 5), bin(2, 2, 7)] },
    );
    expect(merged).toEqual({ type: 'quantile', bins: [bin(1, 1, 7), bin(2, 2, 7), bin(3, 4, 1)] });
    expect(unitsOf(merged)).toBe(15);
    expect(
      mergeAggregates(
        { type: 'proportion', units: 10, successes: 3 },
        { type: 'proportion', units: 5, successes: 1 },
      ),
    ).toEqual({ type: 'proportion', units: 15, successes: 4 });
    expect(
      mergeAggregates(
        { type: 'mean', values: momentsOf([1, 2]) },
        { type: 'mean', values: momentsOf([6]) },
      ),
    ).toEqual({ type: 'mean', values: { count: 3, mean: 3, m2: 14 } });
    expect(
      unitsOf(
        mergeAggregates(
          { type: 'ratio', pairs: jointMomentsOf([[1, 2]]) },
          { type: 'ratio', pairs: jointMomentsOf([[1, 2]]) },
        ),
      ),
    ).toBe(2);
  });

  test('of different types are not merged', () => {
    expect(() =>
      mergeAggregates(
        { type: 'proportion', units: 1, successes: 1 },
        { type: 'mean', values: momentsOf([1]) },
      ),
    ).toThrow('a proportion cannot be merged with a mean: keep one aggregate per metric');
  });
});

describe('what no units can add up to is refused', () => {
  test.each<[Aggregate, string]>([
    [
      { type: 'proportion', units: 3, successes: 4 },
      'control.successes is 4, more than the 3 units there are',
    ],
    [
      { type: 'proportion', units: 2.5, successes: 1 },
      'control.units is 2.5, but must be a whole number from 0',
    ],
    [
      { type: 'mean', values: { count: 2, mean: 0, m2: -1 } },
      'control.values.m2 is -1, but a sum of squares is never negative',
    ],
    [
      { type: 'mean', values: { count: 2, mean: Number.NaN, m2: 1 } },
      'control.values.mean is NaN, but must be a finite number',
    ],
    [
      { type: 'mean', values: { count: 2, mean: 0, m2: Number.POSITIVE_INFINITY } },
      'control.values.m2 is Infinity, but must be a finite number',
    ],
    [
      { type: 'mean', values: { count: 1, mean: 0, m2: 1 } },
      'control.values.m2 is 1, but 1 values have no spread',
    ],
    [
      { type: 'ratio', pairs: { count: 2, first: spread, second: spread, cross: 2 } },
      'control.pairs.cross is 2, but with these m2 it is at most 1.000000001 in size',
    ],
    [
      { type: 'quantile', bins: [bin(1, 2, 1), bin(1.5, 3, 1)] },
      'control.bins[1].lower is 1.5, inside or below the bin before it, up to 2',
    ],
    [
      { type: 'quantile', bins: [bin(2, 1, 1)] },
      'control.bins[0].lower is 2, more than its upper end 1',
    ],
  ])('%j', (aggregate, message) => {
    expect(() => checkAggregate(aggregate, 'control')).toThrow(`impossible aggregate: ${message}`);
  });
});
