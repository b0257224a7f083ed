import { describe, expect, test } from '@jest/globals';
import { parseInferenceRequest } from './messages.ts';

const input = { name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, 2] };

describe('a request that is right', () => {
  test('keeps id, parameters, inputs and requested outputs', () => {
    expect(
      parseInferenceRequest({
        id: 'a-1',
        parameters: { binary_data_output: true },
        inputs: [input],
        outputs: [{ name: 'y', parameters: { binary_data: false } }],
      }),
    ).toEqual({
      id: 'a-1',
      parameters: { binary_data_output: true },
      inputs: [{ ...input, parameters: {} }],
      outputs: [{ name: 'y', parameters: { binary_data: false } }],
    });
  });

  test('asks for all outputs when it names none', () => {
    expect(parseInferenceRequest({ inputs: [input] }).outputs).toBeUndefined();
    expect(parseInferenceRequest({ inputs: [input], outputs: [] }).outputs).toBeUndefined();
    expect(parseInferenceRequest({ id: null, inputs: [input], outputs: null })).toMatchObject({
      id: undefined,
      outputs: undefined,
    });
  });

  test('may have no data, which then follows in binary form', () => {
    const [parsed] = parseInferenceRequest({
      inputs: [{ ...input, data: undefined, parameters: { binary_data_size: 8 } }],
    }).inputs;
    expect(parsed?.data).toBeUndefined();
    expect(parsed?.parameters).toEqual({ binary_data_size: 8 });
  });
});

describe('a request that is wrong is refused with the field named', () => {
  test.each<[string, unknown, string]>([
    ['an array', [], 'the body is not a JSON object'],
    ['null', null, 'the body is not a JSON object'],
    ['no inputs', {}, 'inputs: is missing or empty'],
    ['empty inputs', { inputs: [] }, 'inputs: is missing or empty'],
    ['an input that is no object', { inputs: [3] }, 'inputs[0]: is not an object'],
    ['no name', { inputs: [{}] }, 'inputs[0].name: is missing'],
    ['no datatype', { inputs: [{ ...input, datatype: undefined }] }, 'datatype is missing'],
    ['FP8', { inputs: [{ ...input, datatype: 'FP8' }] }, 'use one of BOOL, UINT8'],
    ['a prototype name', { inputs: [{ ...input, datatype: 'toString' }] }, 'datatype is missing'],
    ['data that is no array', { inputs: [{ ...input, data: 'AAA' }] }, 'data is not an array'],
    ['no shape', { inputs: [{ ...input, shape: undefined }] }, 'input "x": shape is missing'],
    ['33 dimensions', { inputs: [{ ...input, shape: Array(33).fill(1) }] }, 'at most 32'],
    ['a negative size', { inputs: [{ ...input, shape: [-1, 2] }] }, 'shape has -1 for a dimension'],
    ['a broken size', { inputs: [{ ...input, shape: [1.5] }] }, 'shape has 1.5 for a dimension'],
    [
      'a size in words',
      { inputs: [{ ...input, shape: ['2'] }] },
      'shape has something else for a dimension',
    ],
    ['an input twice', { inputs: [input, input] }, 'inputs: "x" is given twice'],
    ['an id that is no string', { id: 1, inputs: [input] }, 'id: is not a string'],
    ['parameters in a list', { inputs: [input], parameters: [] }, 'parameters: is not an object'],
    ['outputs that are no list', { inputs: [input], outputs: {} }, 'outputs: is not an array'],
    ['an output that is no object', { inputs: [input], outputs: ['y'] }, 'outputs[0]: is not'],
    ['an output without name', { inputs: [input], outputs: [{}] }, 'outputs[0].name: is missing'],
    [
      'the classification extension',
      { inputs: [input], outputs: [{ name: 'y', parameters: { classification: 3 } }] },
      'classification extension is not served',
    ],
  ])('%s', (_what, body, message) => {
    expect(() => parseInferenceRequest(body)).toThrow(message);
  });
});
