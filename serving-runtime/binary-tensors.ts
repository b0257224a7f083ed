/** The binary extension: raw little-endian tensors after the JSON header. Pure. */
import { floatsOfWords, wordsOfFloats } from './bfloat16/words.ts';
import { bytesPerElement } from './protocol/datatypes.ts';
import type { RequestInput } from './protocol/messages.ts';
import { invalidRequest } from './protocol/protocol-error.ts';
import { elementCount, formatShape } from './protocol/signature.ts';
import type { Tensor, TensorData } from './tensors.ts';
import { numberArrays } from './tensors.ts';

/** The bytes of an input: its size from `parameters.binary_data_size`, `undefined` without one. */
export function binarySize(input: RequestInput): number | undefined {
  const size = input.parameters['binary_data_size'];
  if (size === undefined) return undefined;
  if (!Number.isSafeInteger(size) || Number(size) < 0) {
    throw invalidRequest(`input "${input.name}": binary_data_size is no whole number from 0 up`);
  }
  return Number(size);
}

/** The tensor of an input sent as bytes. Throws a ProtocolError (400) when shape and bytes disagree. */
export function decodeBinaryTensor(input: RequestInput, bytes: Uint8Array): Tensor {
  const { name, datatype, shape } = input;
  const count = elementCount(shape);
  const size = bytesPerElement(datatype);
  if (datatype === 'BYTES' || size === undefined) {
    return { datatype, shape, data: decodeStrings(bytes, count, name) };
  }
  if (bytes.byteLength !== count * size) {
    throw invalidRequest(
      `input "${name}": shape ${formatShape(shape)} of ${datatype} wants ${String(count * size)} bytes, binary_data_size is ${String(bytes.byteLength)}; make them agree`,
    );
  }
  // Copied, as a view needs an aligned offset (slice() would not do: a Buffer's gives a view).
  const { buffer } = new Uint8Array(bytes);
  if (datatype === 'BF16') return { datatype, shape, data: floatsOfWords(new Uint16Array(buffer)) };
  const data = new numberArrays[datatype](buffer);
  if (datatype === 'BOOL' && data.some((value) => value !== 0 && value !== 1)) {
    throw invalidRequest(`input "${name}": a BOOL byte is neither 0 nor 1`);
  }
  return { datatype, shape, data };
}

/** Each element is its length in 4 bytes, then its bytes, which must be UTF-8 for ONNX strings. */
function decodeStrings(bytes: Uint8Array, count: number, name: string): readonly string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const strings: string[] = [];
  let offset = 0;
  while (offset < bytes.byteLength) {
    const end =
      offset + 4 <= bytes.byteLength ? offset + 4 + view.getUint32(offset, true) : Infinity;
    if (end > bytes.byteLength) {
      throw invalidRequest(
        `input "${name}": BYTES element ${String(strings.length)} ends after the tensor's bytes; prefix each element with its length in 4 little-endian bytes`,
      );
    }
    strings.push(decodeText(bytes.subarray(offset + 4, end), name, strings.length));
    offset = end;
  }
  if (strings.length !== count) {
    throw invalidRequest(
      `input "${name}": the bytes hold ${String(strings.length)} elements, its shape wants ${String(count)}`,
    );
  }
  return strings;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** One element of BYTES. Throws a ProtocolError (400) where it is no text. */
export function decodeText(bytes: Uint8Array, name: string, index: number): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw invalidRequest(
      `input "${name}": BYTES element ${String(index)} is not UTF-8, and ONNX strings are`,
    );
  }
}

/** An output's raw little-endian bytes (a view of the tensor's own memory, BYTES and BF16 aside). */
export function encodeBinaryData({ datatype, data: held }: Tensor): Uint8Array {
  const data = datatype === 'BF16' ? wordsOfFloats(held as Float32Array) : held;
  if (!Array.isArray(data)) {
    const { buffer, byteOffset, byteLength } = data as Exclude<TensorData, readonly string[]>;
    return new Uint8Array(buffer, byteOffset, byteLength);
  }
  const parts = data.flatMap((text: string) => {
    const bytes = Buffer.from(text);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(bytes.byteLength);
    return [length, bytes];
  });
  return Buffer.concat(parts);
}
