import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import type { CastModel } from './cast-ends.ts';
import { castEnds } from './cast-ends.ts';
import { findBfloat16 } from './find-ends.ts';
import type { ReadAt } from './protobuf-fields.ts';

/** Protobuf holds no more in one message; such a file is not read, ONNX Runtime refuses it. */
const maxBytes = 2 ** 31 - 1;
const windowBytes = 8 * 1024;

/**
 * The model at `path` with casts at its BF16 ends; `undefined` where it has none and the file itself
 * can be loaded. Of other files only the bytes between weights are read. Blocks, as loading does. What
 * cannot be read is left to ONNX Runtime as well.
 */
export function readCastModel(path: string): CastModel | undefined {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return undefined;
  }
  try {
    const { size } = fstatSync(file);
    const ends = size > maxBytes ? undefined : findBfloat16(windowOf(file), size);
    return ends && castEnds(readFileSync(path), ends);
  } finally {
    closeSync(file);
  }
}

/** Small reads close to one another cost one of the file. */
function windowOf(file: number): ReadAt {
  let window = Buffer.alloc(0);
  let from = 0;
  return (position, length) => {
    if (position < from || position + length > from + window.length) {
      const next = Buffer.alloc(Math.max(windowBytes, length));
      window = next.subarray(0, readSync(file, next, 0, next.length, position));
      from = position;
    }
    return window.subarray(position - from, position - from + length);
  };
}
