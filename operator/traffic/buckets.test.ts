import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { bucketRanges, bucketRegex, type CandidateShare } from './buckets.ts';

/** Istio refuses longer ones (pkg/config/validation). */
const ISTIO_MAX = 1024;

const named = (weights: readonly number[]): CandidateShare[] =>
  weights.map((weight, at) => ({ name: `candidate-${at}`, weight }));

const bucketsOf = (weights: readonly number[]): (readonly number[])[] =>
  bucketRanges(named(weights)).map(({ buckets }) => buckets);

const from = (first: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => first + i);

/** Up to 8 whole weights that sum to at most 100. */
const weightsOf = (min: number, max: number) =>
  fc
    .array(fc.integer({ min: 0, max: 100 }), { minLength: min, maxLength: max })
    .map((cuts) => cuts.toSorted((one, other) => one - other))
    .map((cuts) => cuts.map((cut, at) => cut - (cuts[at - 1] ?? 0)))
    .chain((weights) => fc.shuffledSubarray(weights, { minLength: weights.length }));

const grown = (min: number, max: number) =>
  weightsOf(min, max)
    .filter((weights) => weights.reduce((sum, weight) => sum + weight, 0) < 100)
    .chain((weights) => {
      const room = 100 - weights.reduce((sum, weight) => sum + weight, 0);
      return fc.record({
        weights: fc.constant(weights),
        at: fc.nat({ max: weights.length - 1 }),
        by: fc.integer({ min: 1, max: room }),
      });
    });

const after = (weights: readonly number[], at: number, by: number): number[] =>
  weights.map((weight, index) => (index === at ? weight + by : weight));

describe('buckets of the candidates', () => {
  test.each<[string, number[], (readonly number[])[]]>([
    ['one grows from 00', [10], [from(0, 10)]],
    ['all of them', [100], [from(0, 100)]],
    ['two grow towards each other', [20, 30], [from(0, 20), from(50, 30)]],
    ['beyond the half, too', [60, 30], [[...from(0, 50), ...from(90, 10)], from(50, 30)]],
    ['none', [0, 0], [[], []]],
    ['three have a third each', [33, 5, 1], [from(0, 33), from(33, 5), [66]]],
    [
      'one of three takes what the others would fill last',
      [36, 0, 0],
      [[...from(0, 33), 65, 98, 99], [], []],
    ],
  ])('%s', (_, weights, wanted) => {
    expect(bucketsOf(weights)).toEqual(wanted);
  });

  test('are as many as the weight, and of one candidate only', () => {
    fc.assert(
      fc.property(weightsOf(1, 8), (weights) => {
        const buckets = bucketsOf(weights);
        expect(buckets.map(({ length }) => length)).toEqual(weights);
        expect(new Set(buckets.flat()).size).toBe(buckets.flat().length);
        expect(buckets.flat().every((bucket) => bucket >= 0 && bucket < 100)).toBe(true);
      }),
    );
  });

  test('are kept and more are added when the weight grows', () => {
    fc.assert(
      fc.property(grown(1, 8), ({ weights, at, by }) => {
        const then = new Set(bucketsOf(after(weights, at, by))[at]);
        expect(bucketsOf(weights)[at]?.filter((bucket) => !then.has(bucket))).toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });

  test('of one of two candidates do not depend on the weight of the other', () => {
    fc.assert(
      fc.property(weightsOf(2, 2), ([one = 0, two = 0]) => {
        expect(bucketsOf([one, two])[0]).toEqual(bucketsOf([one, 0])[0]);
        expect(bucketsOf([one, two])[1]).toEqual(bucketsOf([0, two])[1]);
      }),
    );
  });

  test('of candidates that want no more than 100/n each depend on no other weight', () => {
    const modest = fc
      .integer({ min: 1, max: 8 })
      .chain((n) => fc.array(fc.nat({ max: Math.floor(100 / n) }), { minLength: n, maxLength: n }));
    fc.assert(
      fc.property(modest, fc.nat({ max: 7 }), (weights, other) => {
        const less = weights.map((weight, at) => (at === other % weights.length ? 0 : weight));
        const expected = bucketsOf(weights).map((buckets, at) =>
          at === other % weights.length ? [] : buckets,
        );
        expect(bucketsOf(less)).toEqual(expected);
      }),
    );
  });

  test.each([
    [[50, 51], 'weights must sum to at most 100, not 101'],
    [[-1], 'the weight of candidate-0 must be whole percents, not -1'],
    [[0.5], 'the weight of candidate-0 must be whole percents, not 0.5'],
  ])('there are none for weights of %j', (weights, message) => {
    expect(() => bucketsOf(weights)).toThrow(message);
  });
});

describe('the regular expression of buckets', () => {
  test.each([
    [from(0, 1), '^(00)$'],
    [from(0, 10), '^(0[0-9])$'],
    [from(0, 35), '^([0-2][0-9]|3[0-4])$'],
    [from(0, 100), '^([0-9][0-9])$'],
    [[7, 17, 18, 97], '^([09]7|1[78])$'],
  ])('of %j is %s', (buckets, regex) => {
    expect(bucketRegex(buckets)).toBe(regex);
  });

  test('matches the two digits of these buckets and no others', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat({ max: 99 }), { minLength: 1 }), (buckets) => {
        const regex = new RegExp(bucketRegex(buckets));
        const matched = from(0, 100).filter((bucket) =>
          regex.test(String(bucket).padStart(2, '0')),
        );
        expect(matched).toEqual(buckets.toSorted((one, other) => one - other));
        expect(bucketRegex(buckets).length).toBeLessThanOrEqual(ISTIO_MAX);
        for (const text of ['', '0', '000', '00,01', 'a', '0a'])
          expect(regex.test(text)).toBe(false);
      }),
    );
  });

  test('of none is refused', () => {
    expect(() => bucketRegex([])).toThrow('no buckets: leave the route out');
  });
});
