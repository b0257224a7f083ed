/** Tensors as typed lists of protobuf ⇄ tensors in memory. Pure. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { decodeText } from '../binary-tensors.ts';
import type { Datatype } from '../protocol/datatypes.ts';
import type { RequestInput } from '../protocol/messages.ts';
import { invalidRequest } from '../protocol/protocol-error.ts';
import { elementCount, formatShape } from '../protocol/signature.ts';
import type { Tensor } from '../tensors.ts';
import { decodeJsonTensor, numberArrays } from '../tensors.ts';
import type { InferTensorContents, InferTensorContentsSchema } from './generated/inference_pb.js';

type Field = Exclude<keyof InferTensorContents, `$${string}`>;

const fields: Readonly<Record<Datatype, Field | undefined>> = {
  BOOL: 'boolContents',
  UINT8: 'uintContents',
  UINT16: 'uintContents',
  UINT32: 'uintContents',
  UINT64: 'uint64Contents',
  INT8: 'intContents',
  INT16: 'intContents',
  INT32: 'intContents',
  INT64: 'int64Contents',
  FP16: undefined,
  BF16: undefined,
  FP32: 'fp32Contents',
  FP64: 'fp64Contents',
  BYTES: 'bytesContents',
};

/** Whether the protocol has a list for tensors of this datatype. */
export const hasContents = (datatype: Datatype): boolean => fields[datatype] !== undefined;

/** Throws a ProtocolError (400) where the list has not the values that shape and datatype want. */
export function decodeContents(
  input: RequestInput,
  contents: InferTensorContents | undefined,
): Tensor {
  const { name, datatype, shape } = input;
  const field = fields[datatype];
  if (field === undefined) {
    throw invalidRequest(`input "${name}": ${datatype} has no contents; send raw_input_contents`);
  }
  const values = contents?.[field] ?? [];
  if (values.length !== elementCount(shape)) {
    const snake = field.replace(/C/, '_c');
    throw invalidRequest(
      `input "${name}": shape ${formatShape(shape)} wants ${String(elementCount(shape))} values, ${snake} has ${String(values.length)}; make them agree`,
    );
  }
  if (datatype === 'FP32' || datatype === 'FP64') {
    // Lists of protobuf can hold NaN and infinities, as tensors can.
    return { datatype, shape, data: numberArrays[datatype].from(values as readonly number[]) };
  }
  if (datatype !== 'BYTES') return decodeJsonTensor(input, values);
  const texts = (values as readonly Uint8Array[]).map((bytes, i) => decodeText(bytes, name, i));
  return { datatype, shape, data: texts };
}

/** Of a datatype that has contents. */
export function encodeContents({
  datatype,
  data,
}: Tensor): MessageInitShape<typeof InferTensorContentsSchema> {
  const field = fields[datatype];
  if (field === undefined) return {};
  if (datatype === 'BYTES') return { [field]: Array.from(data as readonly string[], encodeText) };
  if (datatype === 'BOOL') return { [field]: Array.from(data as Uint8Array, (bit) => bit !== 0) };
  return { [field]: Array.from(data as Iterable<number | bigint>) };
}

const encodeText = (text: string): Uint8Array => Buffer.from(text);
