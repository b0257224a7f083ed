/** Which inputs and outputs of an ONNX graph are BF16. Pure. */
import { BinaryReader } from '@bufbuild/protobuf/wire';
import type { Field, Place, ReadAt } from './protobuf-fields.ts';
import { bytesAt, fieldIn, fieldsIn } from './protobuf-fields.ts';

/** An input or output of the graph: its ValueInfoProto and what is in it. */
export type End = {
  readonly field: Field;
  readonly name: string;
  /** Its TensorShapeProto; `undefined`: any. */
  readonly shape: Uint8Array | undefined;
};

export type Ends = {
  readonly graph: Field;
  readonly inputs: readonly End[];
  readonly outputs: readonly End[];
};

// Numbers of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3
const modelGraph = 7;
const graphField = { initializer: 5, input: 11, output: 12, sparseInitializer: 15 } as const;
const [valueInfoName, valueInfoType] = [1, 2];
const typeTensor = 1;
const [tensorTypeElement, tensorTypeShape] = [1, 2];
const [tensorName, sparseValues] = [8, 1];
const bfloat16 = 16;

/**
 * Those that are BF16, or `undefined` where none is. What is no model has none: it is ONNX Runtime
 * that says what is wrong with it. Reads no weights.
 */
export function findBfloat16(read: ReadAt, size: number): Ends | undefined {
  try {
    const model = { content: 0, end: size };
    const graph = fieldIn(read, model, modelGraph);
    return graph && endsOf(read, graph);
  } catch {
    return undefined;
  }
}

function endsOf(read: ReadAt, graph: Field): Ends | undefined {
  const inputs: End[] = [];
  const outputs: End[] = [];
  const initializers: Place[] = [];
  for (const field of fieldsIn(read, graph)) {
    if (field.number === graphField.input) inputs.push(...endOf(read, field));
    if (field.number === graphField.output) outputs.push(...endOf(read, field));
    if (field.number === graphField.initializer) initializers.push(field);
    if (field.number === graphField.sparseInitializer) {
      initializers.push(...[...fieldsIn(read, field)].filter((f) => f.number === sparseValues));
    }
  }
  if (inputs.length + outputs.length === 0) return undefined;
  // Up to IR version 3 weights stand among the inputs, and nobody sends them.
  const weights = new Set(initializers.map((tensor) => textOf(read, tensor, tensorName)));
  const sent = inputs.filter(({ name }) => !weights.has(name));
  return sent.length + outputs.length === 0 ? undefined : { graph, inputs: sent, outputs };
}

/** One where it is BF16, otherwise none. */
function endOf(read: ReadAt, field: Field): readonly End[] {
  const type = fieldIn(read, field, valueInfoType);
  const tensor = type && fieldIn(read, type, typeTensor);
  const element = tensor && fieldIn(read, tensor, tensorTypeElement);
  if (tensor === undefined || element === undefined) return [];
  if (new BinaryReader(bytesAt(read, element)).int32() !== bfloat16) return [];
  const shape = fieldIn(read, tensor, tensorTypeShape);
  const name = textOf(read, field, valueInfoName);
  return [{ field, name, shape: shape && bytesAt(read, shape) }];
}

function textOf(read: ReadAt, place: Place, number: number): string {
  const field = fieldIn(read, place, number);
  return field === undefined ? '' : new TextDecoder().decode(bytesAt(read, field));
}
