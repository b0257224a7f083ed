import { describe, expect, test } from '@jest/globals';

import { compare } from './shadow.ts';

const record = (datatype: string, data: readonly unknown[], more: object = {}): string =>
  JSON.stringify({
    status: 200,
    outputs: [{ name: 'y', datatype, shape: [data.length], data, ...more }],
  });

const compared = (datatype: string, stable: readonly unknown[], candidate: readonly unknown[]) =>
  compare([{ stable: record(datatype, stable), candidate: record(datatype, candidate) }]);

describe('answers to the same request', () => {
  test.each<[string, string, readonly [readonly unknown[], readonly unknown[]], number]>([
    [
      'the same classes',
      'INT64',
      [
        [3, 7],
        [3, 7],
      ],
      1,
    ],
    [
      'another class',
      'INT64',
      [
        [3, 7],
        [3, 8],
      ],
      0,
    ],
    ['the same words', 'BYTES', [['cat'], ['cat']], 1],
    ['another word', 'BYTES', [['cat'], ['dog']], 0],
    // numpy.isclose(1.0, 1.00001) is True, and isclose(1.0, 1.00002) is False
    ['numbers within the tolerance', 'FP32', [[1], [1.00001]], 1],
    ['numbers beyond it', 'FP32', [[1], [1.00002]], 0],
    ['numbers near nothing', 'FP32', [[0], [1e-9]], 1],
    ['no number twice', 'FP32', [['NaN'], ['NaN']], 1],
    ['no number once', 'FP32', [['NaN'], [1]], 0],
    ['infinities of both signs', 'FP32', [['Infinity'], ['-Infinity']], 0],
  ])('%s', (_what, datatype, [stable, candidate], agreeing) => {
    expect(compared(datatype, stable, candidate)).toMatchObject({ compared: 1, agreeing });
  });

  test('have the largest and the mean difference, absolute and relative to the larger one', () => {
    const [output] = compared('FP32', [1, 2, 4, 8], [1, 2, 5, 10]).outputs;
    expect(output).toEqual({
      ...{ name: 'y', datatype: 'FP32', values: 4, equal: 2, withinTolerance: 2 },
      ...{ maxAbsolute: 2, meanAbsolute: 0.75, maxRelative: 0.2, meanRelative: 0.1 },
    });
  });

  test('keep every digit of whole numbers beyond 2^53', () => {
    const text = (digits: string): string =>
      `{"status":200,"outputs":[{"name":"y","datatype":"INT64","shape":[1],"data":[${digits}]}]}`;
    const pair = { stable: text('9007199254740993'), candidate: text('9007199254740992') };
    expect(compare([pair])).toMatchObject({ compared: 1, agreeing: 0 });
  });

  test('disagree where an output is missing, is more, or has another shape', () => {
    const stable = record('FP32', [1, 2]);
    const more = record('FP32', [1, 2]).replace('[{', '[{"name":"z","data":[]},{');
    const others = [
      record('FP32', [1, 2], { name: 'z' }),
      record('FP32', [1, 2], { shape: [2, 1] }),
    ];
    for (const candidate of [more, ...others]) {
      expect(compare([{ stable, candidate }])).toMatchObject({ compared: 1, agreeing: 0 });
    }
  });

  test('are not compared where a side failed, or nothing of it was kept', () => {
    const good = record('FP32', [1]);
    const failed = '{"status":500}';
    const pairs = [failed, '{"status":200}'].map((candidate) => ({ stable: good, candidate }));
    expect(compare(pairs)).toEqual({ compared: 0, agreeing: 0, incomparable: 2, outputs: [] });
  });
});
