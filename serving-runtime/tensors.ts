/// <reference lib="es2025.float16" />
/** Tensors in memory, and JSON `data` ⇄ typed arrays. Pure. */
import { roundToBfloat16 } from './bfloat16/words.ts';
import type { Datatype } from './protocol/datatypes.ts';
import { isFloatingPoint } from './protocol/datatypes.ts';
import type { JsonValues, RequestInput } from './protocol/messages.ts';
import { invalidRequest, ProtocolError } from './protocol/protocol-error.ts';
import { elementCount, formatShape } from './protocol/signature.ts';

export type TensorData =
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Float16Array
  | Float32Array
  | Float64Array
  | readonly string[];

/**
 * Row-major elements; BOOL is a Uint8Array of 0 and 1, BYTES an array of strings, BF16 a Float32Array
 * of values that BF16 holds exactly.
 */
export type Tensor = {
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly data: TensorData;
};

/** Copies one leaf array of JSON values to the tensor, from flat index `offset` on. */
type Fill = (values: JsonValues, offset: number) => void;

/**
 * The tensor of an input sent as JSON. `data` is flat, or nested exactly as `shape` says. Throws a
 * ProtocolError (400) naming the input and the index of the value at fault.
 */
export function decodeJsonTensor(input: RequestInput, data: JsonValues): Tensor {
  const { name, shape, datatype } = input;
  const count = elementCount(shape);
  const nested = Array.isArray(data[0]);
  if (nested) checkNesting(data, shape, name);
  else if (data.length !== count) {
    throw invalidRequest(
      `input "${name}": shape ${formatShape(shape)} wants ${String(count)} values, data has ${String(data.length)}; make them agree`,
    );
  }
  const target = allocate(datatype, count, name);
  if (nested) fillNested(data, shape, target.fill);
  else target.fill(data, 0);
  return { datatype, shape, data: target.data };
}

/** Every array of every level has the length `shape` gives, before anything is allocated for it. */
function checkNesting(values: JsonValues, shape: readonly number[], name: string): void {
  const [length, ...rest] = shape;
  if (length === undefined || values.length !== length) {
    throw invalidRequest(
      `input "${name}": data is not nested as shape ${formatShape(shape)} says (an array has ${String(values.length)} entries); send it flat, or nested to match`,
    );
  }
  if (rest.length === 0) return;
  for (const entry of values) {
    if (!Array.isArray(entry)) {
      throw invalidRequest(
        `input "${name}": data mixes arrays and values at one level; send it flat, or nested as shape says`,
      );
    }
    checkNesting(entry, rest, name);
  }
}

function fillNested(data: JsonValues, shape: readonly number[], fill: Fill): void {
  let offset = 0;
  const walk = (values: JsonValues, depth: number) => {
    if (depth === shape.length - 1) {
      fill(values, offset);
      offset += values.length;
      return;
    }
    for (const entry of values) walk(entry as JsonValues, depth + 1);
  };
  walk(data, 0);
}

function allocate(datatype: Datatype, count: number, name: string) {
  if (datatype === 'BYTES') {
    const data = new Array<string>(count);
    return { data, fill: stringsInto(data, name) };
  }
  const data = allocateNumbers(datatype, count);
  if (datatype === 'BOOL' && data instanceof Uint8Array)
    return { data, fill: boolsInto(data, name) };
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    return { data, fill: bigIntegersInto(data, datatype, name) };
  }
  const range = integerRanges[datatype];
  const fill = range ? integersInto(data, range, name) : floatsInto(data, datatype, name);
  return { data, fill };
}

type NumberArray = Exclude<TensorData, readonly string[]>;

/** A zeroed array for `count` elements of any datatype but BYTES. */
export function allocateNumbers(datatype: Exclude<Datatype, 'BYTES'>, count: number): NumberArray {
  return new numberArrays[datatype](count);
}

export const numberArrays = {
  BOOL: Uint8Array,
  UINT8: Uint8Array,
  UINT16: Uint16Array,
  UINT32: Uint32Array,
  UINT64: BigUint64Array,
  INT8: Int8Array,
  INT16: Int16Array,
  INT32: Int32Array,
  INT64: BigInt64Array,
  FP16: Float16Array,
  BF16: Float32Array,
  FP32: Float32Array,
  FP64: Float64Array,
} as const;

/** What the datatype holds of a real number, where the array does not round it by itself. */
export function rounded(datatype: Datatype, value: number): number {
  return datatype === 'BF16' ? roundToBfloat16(value) : value;
}

type Range = readonly [minimum: number, maximum: number];

const integerRanges: Partial<Record<Datatype, Range>> = {
  UINT8: [0, 255],
  UINT16: [0, 65_535],
  UINT32: [0, 4_294_967_295],
  INT8: [-128, 127],
  INT16: [-32_768, 32_767],
  INT32: [-2_147_483_648, 2_147_483_647],
};

function floatsInto(
  target: Exclude<NumberArray, BigInt64Array | BigUint64Array>,
  datatype: Datatype,
  name: string,
): Fill {
  return (values, offset) => {
    if (values instanceof Float64Array) target.set(values, offset);
    else copyNumbers(values, target, offset, name);
    for (let at = offset; at < offset + values.length; at++) {
      if (datatype === 'BF16') target[at] = rounded(datatype, Number(values[at - offset]));
      // 1e400 parses as Infinity, and 1e39 becomes it when rounded to FP32.
      if (Number.isFinite(target[at])) continue;
      const wanted = `a finite number that ${datatype} can hold`;
      throw wrongValue(name, at, values[at - offset], wanted);
    }
  };
}

function copyNumbers(
  values: readonly unknown[],
  target: Exclude<NumberArray, BigInt64Array | BigUint64Array>,
  offset: number,
  name: string,
): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (typeof value !== 'number' && typeof value !== 'bigint') {
      throw wrongValue(name, offset + i, value, 'a number');
    }
    target[offset + i] = Number(value);
  }
}

function integersInto(
  target: Exclude<NumberArray, BigInt64Array | BigUint64Array>,
  [minimum, maximum]: Range,
  name: string,
): Fill {
  const wanted = `a whole number from ${String(minimum)} to ${String(maximum)}`;
  return (values, offset) => {
    for (let i = 0; i < values.length; i++) {
      const value = values[i];
      if (
        typeof value !== 'number' ||
        !Number.isInteger(value) ||
        value < minimum ||
        value > maximum
      ) {
        throw wrongValue(name, offset + i, value, wanted);
      }
      target[offset + i] = value;
    }
  };
}

function bigIntegersInto(
  target: BigInt64Array | BigUint64Array,
  datatype: Datatype,
  name: string,
): Fill {
  const unsigned = target instanceof BigUint64Array;
  const wanted = `a whole number in the range of ${datatype}`;
  return (values, offset) => {
    for (let i = 0; i < values.length; i++) {
      const value = values[i];
      const integer = typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : value;
      if (typeof integer !== 'bigint') throw wrongValue(name, offset + i, value, wanted);
      target[offset + i] = integer;
      // The array keeps the low 64 bits only: what reads back differently did not fit.
      if (target[offset + i] !== integer || (unsigned && integer < 0n)) {
        throw wrongValue(name, offset + i, value, wanted);
      }
    }
  };
}

function boolsInto(target: Uint8Array, name: string): Fill {
  return (values, offset) => {
    for (let i = 0; i < values.length; i++) {
      const value = values[i];
      if (value === true || value === 1) target[offset + i] = 1;
      else if (value !== false && value !== 0) {
        throw wrongValue(name, offset + i, value, 'true or false');
      }
    }
  };
}

function stringsInto(target: string[], name: string): Fill {
  return (values, offset) => {
    for (let i = 0; i < values.length; i++) {
      const value = values[i];
      if (typeof value !== 'string') throw wrongValue(name, offset + i, value, 'a string');
      target[offset + i] = value;
    }
  };
}

function wrongValue(name: string, index: number, value: unknown, wanted: string): ProtocolError {
  return invalidRequest(
    `input "${name}": value ${String(index)} is ${describe(value)}, not ${wanted}`,
  );
}

/** Never the whole of an array or object: a hostile one is too deep to be written out. */
function describe(value: unknown): string {
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return 'an object';
  if (typeof value !== 'string') return String(value);
  return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
}

/**
 * The `data` of an output as JSON text. Throws a ProtocolError (422) when a float is NaN or infinite:
 * JSON has no word for it, and null would hide which.
 */
export function encodeJsonData(tensor: Tensor, name: string): string {
  const { data, datatype } = tensor;
  if (datatype === 'BYTES') return JSON.stringify(data);
  if (datatype === 'BOOL') {
    return `[${Array.from(data as Uint8Array, (value) => value !== 0).join(',')}]`;
  }
  if (isFloatingPoint(datatype)) refuseNotFinite(data, name);
  return `[${data.join(',')}]`;
}

function refuseNotFinite(data: TensorData, name: string): void {
  for (let i = 0; i < data.length; i++) {
    if (!Number.isFinite(data[i])) {
      throw new ProtocolError(
        'NotRepresentable',
        `output "${name}": value ${String(i)} is ${String(data[i])}, which JSON cannot carry; check the inputs, or ask for this output with "parameters": {"binary_data": true}`,
      );
    }
  }
}
