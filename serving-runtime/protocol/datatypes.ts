/**
 * The tensor datatypes of the Open Inference Protocol v2 that this runtime speaks, with the bytes
 * one element takes in the binary extension (`undefined`: each BYTES element carries its length).
 */
const elementBytes = {
  BOOL: 1,
  UINT8: 1,
  UINT16: 2,
  UINT32: 4,
  UINT64: 8,
  INT8: 1,
  INT16: 2,
  INT32: 4,
  INT64: 8,
  FP16: 2,
  BF16: 2,
  FP32: 4,
  FP64: 8,
  BYTES: undefined,
} as const;

export type Datatype = keyof typeof elementBytes;

export const datatypes = Object.keys(elementBytes) as readonly Datatype[];

export function isDatatype(value: unknown): value is Datatype {
  return typeof value === 'string' && Object.hasOwn(elementBytes, value);
}

/** Real numbers, as opposed to integers, bits and texts. */
export function isFloatingPoint(datatype: Datatype): boolean {
  return datatype === 'BF16' || datatype.startsWith('FP');
}

/** Bytes of one element in the binary extension; `undefined` for BYTES, whose elements vary. */
export function bytesPerElement(datatype: Datatype): number | undefined {
  return elementBytes[datatype];
}
