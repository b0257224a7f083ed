import { describe, expect, test } from '@jest/globals';
import { combine, suits } from './combine.ts';

describe('BF16', () => {
  const tensorOf = (...values: readonly number[]) =>
    ({ datatype: 'BF16', shape: [values.length], data: Float32Array.from(values) }) as const;

  test('is averaged and not voted on', () => {
    expect([suits('mean', 'BF16'), suits('vote', 'BF16')]).toEqual([true, false]);
  });

  test('has means that it holds: of two as near the even one', () => {
    // BF16 steps by 2^-7 from 1 to 2, so that the mean of neighbours is a tie.
    const [a, b] = [tensorOf(1, 1.0078125), tensorOf(1.0078125, 1.015625)];
    expect(combine('y', 'mean', [a, b], [1, 1])).toEqual(tensorOf(1, 1.015625));
    expect(combine('y', 'mean', [a, b], [1, 3])).toEqual(tensorOf(1.0078125, 1.015625));
  });
});
