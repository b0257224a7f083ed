import { describe, expect, test } from '@jest/globals';
import type { PredictionRecord } from '../protocol/prediction-record.ts';
import type { Tensor } from '../tensors.ts';
import type { CapturedRequest } from './encode-record.ts';
import { encodeRecord, sizeOf } from './encode-record.ts';

const of = { model: 'm', version: '1.0.0' };
const one = (tensor: Tensor): CapturedRequest => ({
  of,
  ...{ id: 'r"1', unit: 'ada', variant: undefined, at: Date.UTC(2026, 1, 1), status: 200 },
  latencyMs: 1.23456,
  exchange: {
    of,
    inputs: new Map([['X', tensor]]),
    outputNames: [{ name: 'Y' }],
    outputs: [{ datatype: 'INT64', shape: [1], data: BigInt64Array.of(9007199254740993n) }],
  },
});
const floats: Tensor = { datatype: 'FP32', shape: [1, 2], data: Float32Array.of(0.5, -1) };
const options = { logMode: 'all', redact: new Set<string>() } as const;

describe('a record', () => {
  test('is one line with all that is known, 64-bit integers digit for digit', () => {
    expect(encodeRecord(one(floats), options)).toBe(
      '{"type":"prediction","id":"r\\"1","time":"2026-02-01T00:00:00.000Z","unit":"ada","model":"m","version":"1.0.0","status":200,"latencyMs":1.235,"inputs":[{"name":"X","datatype":"FP32","shape":[1,2],"data":[0.5,-1]}],"outputs":[{"name":"Y","datatype":"INT64","shape":[1],"data":[9007199254740993]}]}',
    );
  });

  test.each([
    ['FP64', Float64Array.of(Number.NaN, -Infinity, 1e300), ['NaN', '-Infinity', 1e300]],
    ['BOOL', Uint8Array.of(1, 0), [true, false]],
    ['BYTES', ['a\n', 'Infinity', '\0'], ['a\n', 'Infinity', '\0']],
    ['BF16', Float32Array.of(0.10009765625, -Infinity), [0.10009765625, '-Infinity']],
    ['FP16', new Float16Array([0.5]), [0.5]],
  ] as const)('says every value of %s', (datatype, data, want) => {
    const line = encodeRecord(one({ datatype, shape: [data.length], data }), options);
    expect((JSON.parse(line) as PredictionRecord).inputs?.[0]?.data).toEqual(want);
  });

  test('leaves out values of inputs that are to be redacted, and says so', () => {
    const line = encodeRecord(one(floats), { ...options, redact: new Set(['X']) });
    expect((JSON.parse(line) as PredictionRecord).inputs).toEqual([
      { name: 'X', datatype: 'FP32', shape: [1, 2], redacted: true },
    ]);
  });

  test('has the half that is asked for', () => {
    const halves = (['request', 'response'] as const).map((logMode) =>
      Object.keys(JSON.parse(encodeRecord(one(floats), { ...options, logMode })) as object).slice(
        7,
      ),
    );
    expect(halves).toEqual([
      ['latencyMs', 'inputs'],
      ['latencyMs', 'outputs'],
    ]);
  });

  test('of a refused request has no tensors', () => {
    const line = encodeRecord({ ...one(floats), status: 400, exchange: undefined }, options);
    expect(line).toContain('"status":400,"latencyMs":1.235}');
  });

  test('is held to cost what its tensors do', () => {
    expect(sizeOf(one(floats))).toBe(512 + 8 + 8);
    expect(sizeOf(one({ datatype: 'BYTES', shape: [1], data: ['abc'] }))).toBe(512 + 22 + 8);
  });
});
