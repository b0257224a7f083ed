/** Requests a model can answer, made of its metadata. */
import { NotApplicable } from './case.ts';
import type { Datatype, Target, TensorMetadata } from './target.ts';

export type SampleInput = {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  /** Flat, row by row. */
  readonly data: readonly (number | boolean | string)[];
};

/** One tensor for each input; a first dimension that may vary is 2, any other 1. */
export const sampleInputs = ({ metadata, shapes }: Target): readonly SampleInput[] =>
  metadata.inputs.map((input) => {
    const shape = shapes[input.name] ?? shapeOf(input);
    const count = shape.reduce((product, dimension) => product * dimension, 1);
    const data = Array.from({ length: count }, (_, i) => valueOf(input.datatype, i));
    return { name: input.name, datatype: input.datatype, shape, data };
  });

const shapeOf = ({ shape }: TensorMetadata): readonly number[] =>
  shape.map((dimension, i) => (dimension >= 0 ? dimension : i === 0 ? 2 : 1));

/** All exact in every datatype of its kind; no float is 0, as models divide. */
const valueOf = (datatype: Datatype, i: number): number | boolean | string => {
  if (datatype === 'BYTES') return `text ${i % 3}`;
  if (datatype === 'BOOL') return i % 2 === 0;
  return datatype.includes('INT') ? i % 5 : ((i % 7) + 1) / 4;
};

export const nested = ({ data, shape }: SampleInput): unknown => {
  const build = (depth: number, from: number): unknown => {
    if (depth === shape.length) return data[from];
    const size = shape.slice(depth + 1).reduce((product, dimension) => product * dimension, 1);
    return Array.from({ length: shape[depth] ?? 0 }, (_, i) => build(depth + 1, from + i * size));
  };
  return build(0, 0);
};

/** The bytes of a tensor as the binary extension has them: little-endian, BYTES with their lengths. */
export const binaryOf = ({ datatype, data }: SampleInput): Buffer =>
  Buffer.concat(data.map((value) => bytesOf(datatype, value)));

const bytesOf = (datatype: Datatype, value: number | boolean | string): Buffer => {
  if (datatype === 'BYTES') {
    const text = Buffer.from(String(value));
    const length = Buffer.alloc(4);
    length.writeUInt32LE(text.length);
    return Buffer.concat([length, text]);
  }
  const write = writers[datatype];
  if (write === undefined) throw new NotApplicable(`nothing here writes ${datatype}`);
  return write(Number(value));
};

const into = (size: number, write: (bytes: Buffer, value: number) => void) => (value: number) => {
  const bytes = Buffer.alloc(size);
  write(bytes, value);
  return bytes;
};

const writers: Partial<Record<Datatype, (value: number) => Buffer>> = {
  BOOL: into(1, (bytes, value) => bytes.writeUInt8(value)),
  UINT8: into(1, (bytes, value) => bytes.writeUInt8(value)),
  UINT16: into(2, (bytes, value) => bytes.writeUInt16LE(value)),
  UINT32: into(4, (bytes, value) => bytes.writeUInt32LE(value)),
  UINT64: into(8, (bytes, value) => bytes.writeBigUInt64LE(BigInt(value))),
  INT8: into(1, (bytes, value) => bytes.writeInt8(value)),
  INT16: into(2, (bytes, value) => bytes.writeInt16LE(value)),
  INT32: into(4, (bytes, value) => bytes.writeInt32LE(value)),
  INT64: into(8, (bytes, value) => bytes.writeBigInt64LE(BigInt(value))),
  FP16: into(2, (bytes, value) => bytes.writeUInt16LE(halfOf(value))),
  BF16: into(2, (bytes, value) => bytes.writeUInt16LE(brainFloatOf(value))),
  FP32: into(4, (bytes, value) => bytes.writeFloatLE(value)),
  FP64: into(8, (bytes, value) => bytes.writeDoubleLE(value)),
};

/** The upper half of the binary32 of a number that it holds exactly. */
const brainFloatOf = (value: number): number => {
  const single = Buffer.alloc(4);
  single.writeFloatBE(value);
  return single.readUInt16BE(0);
};

/** IEEE 754 binary16 of a small number that it holds exactly: sign, 5 bits of exponent, 10 of fraction. */
const halfOf = (value: number): number => {
  if (value === 0) return 0;
  const exponent = Math.floor(Math.log2(Math.abs(value)));
  const fraction = Math.abs(value) / 2 ** exponent - 1;
  return (value < 0 ? 0x8000 : 0) | ((exponent + 15) << 10) | Math.round(fraction * 1024);
};
