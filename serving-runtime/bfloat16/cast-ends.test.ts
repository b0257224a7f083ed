import { describe, expect, test } from '@jest/globals';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import fc from 'fast-check';
import { modelBytes } from '../testing/models-folder.ts';
import { castEnds } from './cast-ends.ts';
import type { Ends } from './find-ends.ts';
import { findBfloat16 } from './find-ends.ts';

const find = (bytes: Uint8Array) =>
  findBfloat16((position, length) => bytes.subarray(position, position + length), bytes.length);

const namesIn = (bytes: Uint8Array) => {
  const ends = find(bytes);
  return ends && [ends.inputs, ends.outputs].map((all) => all.map(({ name }) => name));
};

function found(bytes: Uint8Array): Ends {
  const ends = find(bytes);
  if (ends === undefined) throw new Error('the model has no BF16');
  return ends;
}

const field = (number: number, ...parts: readonly (Uint8Array | string)[]) =>
  new BinaryWriter()
    .tag(number, WireType.LengthDelimited)
    .bytes(Buffer.concat(parts.map((part) => Buffer.from(part))))
    .finish();

const varint = (number: number, value: number) =>
  new BinaryWriter().tag(number, WireType.Varint).uint32(value).finish();

/** A ValueInfoProto of element type `type`. */
const value = (number: number, name: string, type: number) =>
  field(number, field(1, name), field(2, field(1, varint(1, type))));

const modelOf = (...graph: readonly Uint8Array[]) =>
  Buffer.concat([varint(1, 8), field(7, ...graph), field(8, varint(2, 17))]);

describe('BF16 is found', () => {
  test('among inputs and outputs, wherever they stand', () => {
    expect(namesIn(modelBytes('bfloat16.onnx'))).toEqual([['X'], ['same', 'scores']]);
    expect(namesIn(modelOf(value(12, 'y', 16), value(11, 'x', 1)))).toEqual([[], ['y']]);
  });

  test.each(['identity.onnx', 'iris.onnx', 'external.onnx'])('nowhere in %s', (name) => {
    expect(find(modelBytes(name))).toBeUndefined();
  });

  test('but not where a weight stands among the inputs, as up to IR version 3', () => {
    const weight = value(11, 'w', 16);
    expect(namesIn(modelOf(weight, value(11, 'x', 16), field(5, field(8, 'w'))))).toEqual([
      ['x'],
      [],
    ]);
    expect(find(modelOf(field(15, field(1, field(8, 'w'))), weight))).toBeUndefined();
  });

  test('or not, in whatever bytes, without a fault', () => {
    const model = modelBytes('bfloat16.onnx');
    fc.assert(
      fc.property(fc.nat(model.length - 1), fc.uint8Array({ maxLength: 8 }), (at, put) => {
        const broken = Buffer.concat([model.subarray(0, at), put, model.subarray(at + 1)]);
        const ends = find(broken);
        if (ends !== undefined) castEnds(broken, ends);
      }),
    );
  });
});

describe('a model with casts', () => {
  test('is the file but for the values at its ends and the nodes between', () => {
    const shape = field(2, field(1, field(2, 'rows')));
    const x = field(11, field(1, 'x'), field(2, field(1, varint(1, 16), shape)));
    const node = field(1, field(1, 'x'), field(2, 'y'), field(4, 'Identity'));
    const [kept, unknown] = [value(12, 'z', 1), field(99, 'anything')];
    const file = modelOf(node, x, unknown, value(12, 'y', 16), kept);
    const { bytes, names } = castEnds(file, found(file));
    const cast = (from: string, into: string, to: number) =>
      field(
        1,
        ...[field(1, from), field(2, into), field(4, 'Cast')],
        field(5, field(1, 'to'), varint(3, to), varint(20, 2)),
      );
    expect(Buffer.from(bytes)).toEqual(
      modelOf(
        cast('x FP32 in', 'x', 16),
        node,
        field(11, field(1, 'x FP32 in'), field(2, field(1, varint(1, 1), shape))),
        unknown,
        value(12, 'y FP32 out', 1),
        kept,
        cast('y', 'y FP32 out', 1),
      ),
    );
    expect(names).toEqual({
      inputs: new Map([['x', 'x FP32 in']]),
      outputs: new Map([['y', 'y FP32 out']]),
    });
    expect(find(bytes)).toBeUndefined();
  });

  test('tells an input from the same tensor as an output', () => {
    const file = modelOf(value(11, 'x', 16), value(12, 'x', 16));
    const { names } = castEnds(file, found(file));
    expect([...names.inputs, ...names.outputs]).toEqual([
      ['x', 'x FP32 in'],
      ['x', 'x FP32 out'],
    ]);
  });

  test('has no name that the file has already', () => {
    const file = modelOf(value(11, 'x', 16), value(13, 'x FP32 in', 1), value(13, ' FP32 _', 1));
    const { names } = castEnds(file, found(file));
    expect(names.inputs.get('x')).toBe('x FP32 __in');
  });
});
