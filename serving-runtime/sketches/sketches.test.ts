import { describe, expect, test } from '@jest/globals';
import type { FeatureSummary, SketchRecord } from '../protocol/sketch-record.ts';
import { mergeSummaries, quantileOf } from '../protocol/sketch-record.ts';
import type { Tensor } from '../tensors.ts';
import { FeatureSketch } from './feature-sketch.ts';
import { FrequentValues } from './frequent-values.ts';
import { SketchWindow } from './window.ts';

const sketchOf = (values: Iterable<number>): FeatureSummary => {
  const sketch = new FeatureSketch();
  for (const value of values) sketch.addNumber(value);
  return sketch.summary();
};
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

/** As the record goes over the wire. */
const sent = (summary: FeatureSummary) => JSON.parse(JSON.stringify(summary)) as FeatureSummary;
const numbersOf = ({ numbers }: FeatureSummary) => {
  if (numbers === undefined) throw new Error('no numbers');
  return numbers;
};

describe('numbers', () => {
  test('have their mean, variance and ends', () => {
    // 2, 4, 4, 4, 5, 5, 7, 9: mean 5, population variance 4.
    const { count, mean, m2, min, max } = numbersOf(sketchOf([2, 4, 4, 4, 5, 5, 7, 9]));
    expect([count, mean, m2 / count, min, max]).toEqual([8, 5, 4, 2, 9]);
  });

  test('have quantiles to one in a hundred, also after the wire', () => {
    const numbers = numbersOf(sent(sketchOf(range(1, 10_001))));
    for (const q of [0.01, 0.25, 0.5, 0.75, 0.99]) {
      expect(Math.abs(quantileOf(numbers, q) / (q * 10_000) - 1)).toBeLessThan(0.011);
    }
    expect(quantileOf(numbers, 1)).toBe(10_000);
  });

  test('that are missing or infinite are counted and nothing else', () => {
    expect(sketchOf([NaN, Infinity, -Infinity])).toEqual({ count: 3, nulls: 1, infinite: 2 });
  });

  test('of every size take bounded room', () => {
    const wide = range(-300, 300).flatMap((exponent) => [10 ** exponent, -(10 ** exponent)]);
    expect(JSON.stringify(sketchOf(wide)).length).toBeLessThan(50_000);
  });

  test('of two windows are merged as if they had been one', () => {
    const merged = mergeSummaries(sent(sketchOf(range(0, 500))), sent(sketchOf(range(500, 2000))));
    const whole = sketchOf(range(0, 2000));
    const [a, b] = [numbersOf(merged), numbersOf(whole)];
    expect([merged.count, a.count, a.min, a.max]).toEqual([2000, 2000, 0, 1999]);
    expect(a.mean).toBeCloseTo(b.mean, 9);
    expect(a.m2 / b.m2).toBeCloseTo(1, 12);
    for (const q of [0.1, 0.5, 0.9]) expect(quantileOf(a, q)).toBeCloseTo(quantileOf(b, q), 9);
  });

  test('merged with none stay as they are', () => {
    const some = sent(sketchOf([1, 2]));
    expect(mergeSummaries(some, sketchOf([]))).toEqual(some);
    expect(mergeSummaries(sketchOf([]), some)).toEqual(some);
  });
});

describe('frequent values', () => {
  const countOf = (values: FrequentValues, value: string) =>
    values.list().find(([held]) => held === value);

  test('are exact while they are few', () => {
    const values = new FrequentValues();
    for (const value of ['a', 'b', 'a']) values.add(value);
    expect(values.list()).toEqual([
      ['a', 2, 0],
      ['b', 1, 0],
    ]);
  });

  test('stay among any number of rare ones, and their error says how sure they are', () => {
    const values = new FrequentValues();
    for (const i of range(0, 10_000)) values.add(i % 4 === 0 ? 'often' : `rare ${String(i)}`);
    const [, count = 0, error = 0] = countOf(values, 'often') ?? [];
    expect(values.list()[0]?.[0]).toBe('often');
    expect(count).toBeGreaterThanOrEqual(2500);
    expect(count - error).toBeLessThanOrEqual(2500);
    expect(values.list()).toHaveLength(64);
  });

  test('of two windows add up', () => {
    const of = (...texts: string[]) => {
      const sketch = new FeatureSketch();
      for (const text of texts) sketch.addText(text);
      return sketch.summary();
    };
    expect(mergeSummaries(of('a', 'b', 'a'), of('b', 'b', 'c'))).toEqual({
      ...{ count: 6, nulls: 0, infinite: 0 },
      values: [
        ['b', 3, 0],
        ['a', 2, 0],
        ['c', 1, 0],
      ],
    });
  });
});

describe('a window', () => {
  const of = { model: 'm', version: '1.0.0' };
  const options = { redact: new Set(['secret']), random: () => 0.5 };
  const recordsOf = (inputs: Readonly<Record<string, Tensor>>, outputs: readonly Tensor[] = []) => {
    const window = new SketchWindow(of, options);
    const outputNames = outputs.map((_, i) => ({ name: `out${String(i)}` }));
    window.add({ of, inputs: new Map(Object.entries(inputs)), outputNames, outputs });
    return window.records(0, 60_000);
  };
  const floats = (shape: readonly number[]): Tensor => ({
    ...{ datatype: 'FP32', shape },
    data: Float32Array.from(
      range(
        0,
        shape.reduce((a, b) => a * b, 1),
      ),
    ),
  });
  const brief = ({ role, feature, count }: SketchRecord) => [role, feature, count];

  test('has a record for each column of inputs and outputs', () => {
    const records = recordsOf({ x: floats([3, 2]) }, [floats([3])]);
    expect(records.map(brief)).toEqual([
      ['input', 'x[0]', 3],
      ['input', 'x[1]', 3],
      ['output', 'out0', 3],
    ]);
    expect(records[1]).toMatchObject({
      ...{ type: 'sketch', model: 'm', version: '1.0.0', windowMs: 60_000 },
      ...{ windowStart: '1970-01-01T00:00:00.000Z', numbers: { min: 1, max: 5, mean: 3 } },
    });
  });

  test('takes BF16 for real numbers, which are not counted by value', () => {
    const data = Float32Array.of(0.5, 0.10009765625);
    expect(recordsOf({ x: { datatype: 'BF16', shape: [2], data } })).toEqual([
      expect.objectContaining({ feature: 'x', numbers: expect.objectContaining({ max: 0.5 }) }),
    ]);
    expect(recordsOf({ x: { datatype: 'BF16', shape: [2], data } })[0]).not.toHaveProperty(
      'values',
    );
  });

  test('counts classes, bits and texts by value', () => {
    const records = recordsOf({
      label: { datatype: 'INT64', shape: [3], data: BigInt64Array.of(1n, 2n, 1n) },
      flag: { datatype: 'BOOL', shape: [2, 1], data: Uint8Array.of(1, 0) },
      text: { datatype: 'BYTES', shape: [1], data: ['x'.repeat(100)] },
    });
    expect(records.map(({ feature, values }) => [feature, values])).toEqual([
      [
        'label',
        [
          ['1', 2, 0],
          ['2', 1, 0],
        ],
      ],
      [
        'flag',
        [
          ['1', 1, 0],
          ['0', 1, 0],
        ],
      ],
      ['text', [['x'.repeat(64), 1, 0]]],
    ]);
  });

  test('never looks at inputs that are redacted', () => {
    expect(recordsOf({ secret: floats([1, 2]) })).toEqual([]);
  });

  test('looks at some places of wide rows and some rows of long batches', () => {
    expect(recordsOf({ image: floats([2, 28, 28]) }).map(brief)).toEqual([['input', 'image', 32]]);
    expect(recordsOf({ x: floats([10_000, 1]) }).map(brief)).toEqual([['input', 'x', 32]]);
  });

  test('of nothing has no records', () => {
    expect(recordsOf({ x: floats([0, 4]) })).toEqual([]);
  });
});
