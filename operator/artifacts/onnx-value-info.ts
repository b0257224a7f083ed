import { InvalidModel } from './invalid-model.ts';
import type { TensorSignature } from './onnx-signature.ts';
import { bytesField, protobufFields, varintField } from './protobuf-fields.ts';

/** TensorProto.DataType → Open Inference Protocol; what is absent cannot be sent over it. */
const DATATYPES: Readonly<Record<number, string>> = {
  1: 'FP32',
  2: 'UINT8',
  3: 'INT8',
  4: 'UINT16',
  5: 'INT16',
  6: 'INT32',
  7: 'INT64',
  8: 'BYTES',
  9: 'BOOL',
  10: 'FP16',
  11: 'FP64',
  12: 'UINT32',
  13: 'UINT64',
  16: 'BF16',
};

/** TypeProto's other cases. */
const NOT_A_TENSOR: Readonly<Record<number, string>> = {
  4: 'a sequence',
  5: 'a map',
  7: 'an opaque value',
  8: 'a sparse tensor',
  9: 'an optional value',
};

/** OperatorSetIdProto → domain and version; the default domain has two spellings. */
export const decodeOpset = (message: Buffer): readonly [domain: string, version: number] => {
  const domain = bytesField(message, 1)?.toString('utf8') ?? '';
  return [domain === 'ai.onnx' ? '' : domain, Number(varintField(message, 2) ?? 0n)];
};

export const nameOf = (valueInfo: Buffer): string =>
  bytesField(valueInfo, 1)?.toString('utf8') ?? '';

/** ValueInfoProto → signature. Throws `InvalidModel` for what no tensor protocol can carry. */
export const decodeValueInfo = (valueInfo: Buffer): TensorSignature => {
  const name = nameOf(valueInfo);
  const type = bytesField(valueInfo, 2);
  if (name === '' || type === undefined)
    throw new InvalidModel('NotServable', `input or output "${name}" has no name or no type`);
  const tensor = bytesField(type, 1);
  if (tensor === undefined) throw notATensor(name, type);
  const elementType = Number(varintField(tensor, 1) ?? 0n);
  const datatype = DATATYPES[elementType];
  if (datatype === undefined)
    throw new InvalidModel(
      'NotServable',
      `"${name}" has ONNX element type ${elementType}, which the inference protocol cannot carry`,
    );
  return { name, datatype, shape: shapeOf(bytesField(tensor, 2)) };
};

const notATensor = (name: string, type: Buffer): InvalidModel => {
  const field = protobufFields(type).find(({ number }) => number in NOT_A_TENSOR);
  const what = NOT_A_TENSOR[field?.number ?? 0] ?? 'of unknown type';
  const advice =
    field?.number === 4 || field?.number === 5
      ? '; scikit-learn classifiers do so by default: export with zipmap=False ' +
        "(skl2onnx: options={'zipmap': False})"
      : '';
  return new InvalidModel('NotServable', `"${name}" is ${what}, not a tensor${advice}`);
};

const shapeOf = (shape: Buffer | undefined): readonly number[] => {
  if (shape === undefined) return [-1];
  return protobufFields(shape)
    .filter((field) => field.number === 1 && field.kind === 'bytes')
    .map((field) => dimension(field.value as Buffer));
};

/** A size, or -1 for a symbol, nothing at all, or a size no array has. */
const dimension = (message: Buffer): number => {
  const value = varintField(message, 1);
  return value === undefined || value < 0n || value > BigInt(Number.MAX_SAFE_INTEGER)
    ? -1
    : Number(value);
};
