import { describe, expect, test } from '@jest/globals';
import type { ModelSignature, TensorSignature } from '../protocol/signature.ts';
import { formatPredictions, parseScoringRequest } from './scoring-request.ts';

const matrix: ModelSignature = {
  inputs: [{ name: 'X', datatype: 'FP32', shape: [-1, 2] }],
  outputs: [],
};
const column = (name: string, datatype: TensorSignature['datatype'] = 'FP32') =>
  ({ name, datatype, shape: [-1, 1] }) as const;
const columns: ModelSignature = {
  inputs: [column('age'), column('city', 'BYTES')],
  outputs: [],
};
const asked = (body: unknown, signature: ModelSignature) =>
  parseScoringRequest(body, signature).inputs.map(({ name, shape, data }) => ({
    name,
    shape,
    data,
  }));

describe('a scoring request', () => {
  const wanted = [
    {
      name: 'X',
      shape: [2, 2],
      data: [
        [1, 2],
        [3, 4],
      ],
    },
  ];
  test.each([
    [
      'dataframe_split',
      {
        columns: ['a', 'b'],
        data: [
          [1, 2],
          [3, 4],
        ],
      },
    ],
    [
      'dataframe_split without columns',
      {
        data: [
          [1, 2],
          [3, 4],
        ],
      },
    ],
    [
      'dataframe_records',
      [
        { a: 1, b: 2 },
        { a: 3, b: 4 },
      ],
    ],
    [
      'instances',
      [
        [1, 2],
        [3, 4],
      ],
    ],
    [
      'inputs',
      [
        [1, 2],
        [3, 4],
      ],
    ],
    [
      'inputs by name',
      {
        X: [
          [1, 2],
          [3, 4],
        ],
      },
    ],
  ])('of %s is a tensor', (form, value) => {
    expect(asked({ [form.split(' ')[0] ?? '']: value }, matrix)).toEqual(wanted);
  });

  test('of rows feeds a model that has an input for each column, whatever their order', () => {
    const body = {
      dataframe_split: {
        columns: ['city', 'age'],
        data: [
          ['Bonn', 7],
          ['Kyiv', 8],
        ],
      },
    };
    expect(asked(body, columns)).toEqual([
      { name: 'age', shape: [2, 1], data: [[7], [8]] },
      { name: 'city', shape: [2, 1], data: [['Bonn'], ['Kyiv']] },
    ]);
  });

  test.each([
    [[], 'the body is not a JSON object with "dataframe_split"'],
    [{}, 'exactly one of "dataframe_split", "dataframe_records", "instances", "inputs"'],
    [{ inputs: [], instances: [] }, 'exactly one of'],
    [{ inputs: 1 }, 'inputs: the model has the inputs "age", "city"; name each of them'],
    [{ inputs: { age: [1] } }, 'inputs: the model\'s input "city" is missing'],
    [{ instances: [] }, 'instances: has no rows'],
    [
      { dataframe_records: [{ age: 1 }] },
      'dataframe_records: the model\'s input "city" is missing',
    ],
    [{ dataframe_records: [{ age: 1, city: '' }, 3] }, 'row 1 is no object of columns'],
    [{ dataframe_split: { columns: ['a'], data: [[1, 2]] } }, 'has 2 values for 1 columns'],
    [{ dataframe_split: 1 }, 'is no object with "columns" and "data"'],
  ])('%j is refused', (body, message) => {
    expect(() => parseScoringRequest(body, columns)).toThrow(message);
  });
});

describe('predictions', () => {
  test('are the values of the only output, nested', () => {
    const output = { name: 'y', shape: [2, 2], json: '[1,2.5,9007199254740993,4]' };
    expect(formatPredictions([output])).toBe('{"predictions":[[1,2.5],[9007199254740993,4]]}');
  });

  test('are by name where there are several, and texts stay whole', () => {
    const outputs = [
      { name: 'label', shape: [2], json: '["a,b","c"]' },
      { name: 'p', shape: [2, 1], json: '[0.5,0.25]' },
      { name: 't', shape: [1, 2], json: '["x,\\"y","z"]' },
    ];
    expect(formatPredictions(outputs)).toBe(
      '{"predictions":{"label":["a,b","c"],"p":[[0.5],[0.25]],"t":[["x,\\"y","z"]]}}',
    );
  });
});
