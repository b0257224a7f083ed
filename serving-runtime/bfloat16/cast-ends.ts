/**
 * A model whose BF16 inputs and outputs are FP32, with casts between. onnxruntime-node 1.30 loads no
 * model with a BF16 input or output ("Unsupported data type: 16"), as no JavaScript array holds them;
 * what is between is its own affair. Nothing is lost: FP32 holds every BF16, and casting back gives it
 * again. Only a NaN's bits are not kept; it stays a NaN of its sign. Pure.
 */
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import type { End, Ends } from './find-ends.ts';

/** By the name in the file, the name of the FP32 tensor that is sent or comes instead. */
export type CastNames = {
  readonly inputs: ReadonlyMap<string, string>;
  readonly outputs: ReadonlyMap<string, string>;
};

export type CastModel = { readonly bytes: Uint8Array; readonly names: CastNames };

// Numbers of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3
const [float, bfloat16] = [1, 16];
const [modelGraph, graphNode, graphInput, graphOutput] = [7, 1, 11, 12];
const attributeTypeInt = 2;

/** Copies `file` once, all but the named pieces as they are. `ends` are those found in it. */
export function castEnds(file: Uint8Array, { graph, inputs, outputs }: Ends): CastModel {
  const mark = unusedMark(file);
  const renamed = (ends: readonly End[], role: string) =>
    new Map(ends.map(({ name }) => [name, `${name}${mark}${role}`]));
  const names = { inputs: renamed(inputs, 'in'), outputs: renamed(outputs, 'out') };
  const castsIn = Array.from(names.inputs, ([name, single]) => cast(single, name, bfloat16));
  const castsOut = Array.from(names.outputs, ([name, single]) => cast(name, single, float));
  const replaced = [
    ...inputs.map((end) => replacement(graphInput, end, names.inputs)),
    ...outputs.map((end) => replacement(graphOutput, end, names.outputs)),
  ].toSorted((a, b) => a.start - b.start);
  // Nodes stand in the order in which they compute.
  const parts = [...castsIn];
  let at = graph.content;
  for (const { start, end, bytes } of replaced) {
    parts.push(file.subarray(at, start), bytes);
    at = end;
  }
  parts.push(file.subarray(at, graph.end), ...castsOut);
  const length = parts.reduce((sum, part) => sum + part.byteLength, 0);
  const header = new BinaryWriter().tag(modelGraph, WireType.LengthDelimited).uint32(length);
  return {
    bytes: Buffer.concat([
      ...[file.subarray(0, graph.start), header.finish()],
      ...[...parts, file.subarray(graph.end)],
    ]),
    names,
  };
}

/** What no name of the file has in it, nor anything else. */
function unusedMark(file: Uint8Array): string {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  let mark = ' FP32 ';
  while (bytes.includes(mark)) mark += '_';
  return mark;
}

function replacement(
  number: number,
  { field: { start, end }, name, shape }: End,
  names: ReadonlyMap<string, string>,
) {
  return { start, end, bytes: valueInfo(number, names.get(name) ?? name, shape) };
}

/** A ValueInfoProto of FP32. */
function valueInfo(number: number, name: string, shape: Uint8Array | undefined): Uint8Array {
  const writer = new BinaryWriter().tag(number, WireType.LengthDelimited).fork();
  writer.tag(1, WireType.LengthDelimited).string(name);
  const type = writer.tag(2, WireType.LengthDelimited).fork();
  const tensor = type.tag(1, WireType.LengthDelimited).fork();
  tensor.tag(1, WireType.Varint).int32(float);
  if (shape !== undefined) tensor.tag(2, WireType.LengthDelimited).bytes(shape);
  return tensor.join().join().join().finish();
}

/** A NodeProto: Cast, which knows BF16 from operator set 13 on, as everything else does. */
function cast(from: string, into: string, to: number): Uint8Array {
  const node = new BinaryWriter().tag(graphNode, WireType.LengthDelimited).fork();
  node.tag(1, WireType.LengthDelimited).string(from);
  node.tag(2, WireType.LengthDelimited).string(into);
  node.tag(4, WireType.LengthDelimited).string('Cast');
  const attribute = node.tag(5, WireType.LengthDelimited).fork();
  attribute.tag(1, WireType.LengthDelimited).string('to');
  attribute.tag(3, WireType.Varint).int64(to);
  attribute.tag(20, WireType.Varint).int32(attributeTypeInt);
  return attribute.join().join().finish();
}
