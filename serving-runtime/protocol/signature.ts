import type { Datatype } from './datatypes.ts';

/** One input or output of a model; -1 in `shape` is a dimension that may vary. */
export type TensorSignature = {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
};

/** What a model takes and gives, in the order of its graph. */
export type ModelSignature = {
  readonly inputs: readonly TensorSignature[];
  readonly outputs: readonly TensorSignature[];
};

/** A shape as people read it, `[-1, 4]`. */
export function formatShape(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}

/** Number of elements of a shape; 1 for a scalar, 0 when a dimension is 0. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, dimension) => product * dimension, 1);
}

/**
 * Whether a tensor of `shape` fits `wanted`. ONNX does not tell a scalar from a tensor of any rank,
 * both come as `[]`, so an empty `wanted` accepts every shape and the model itself has the last word.
 */
export function shapeFits(shape: readonly number[], wanted: readonly number[]): boolean {
  if (wanted.length === 0) return true;
  if (shape.length !== wanted.length) return false;
  return wanted.every((dimension, i) => dimension === -1 || dimension === shape[i]);
}
