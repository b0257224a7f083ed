/** Joining requests to one batch along the first dimension, and taking the answer apart again. Pure. */
import type { ModelSignature, TensorSignature } from '../protocol/signature.ts';
import type { Tensor, TensorData } from '../tensors.ts';
import { allocateNumbers } from '../tensors.ts';

type Inputs = ReadonlyMap<string, Tensor>;

/** Whether the first dimension of all inputs and outputs may vary, as that of a batch must. */
export function hasBatchDimension({ inputs, outputs }: ModelSignature): boolean {
  return inputs.length > 0 && [...inputs, ...outputs].every(variesInFirst);
}

const variesInFirst = ({ shape }: TensorSignature): boolean => shape[0] === -1;

/** The number of rows where all inputs agree on it and there are any; otherwise 0. */
export function rowsOf(inputs: Inputs): number {
  let rows: number | undefined;
  for (const { shape } of inputs.values()) {
    rows ??= shape[0] ?? 0;
    if (shape[0] !== rows) return 0;
  }
  return rows ?? 0;
}

/** The same text for requests that may be joined: the same inputs but for their rows, the same outputs. */
export function kindOf(inputs: Inputs, outputs: readonly string[]): string {
  let kind = '';
  for (const [name, { shape }] of inputs) {
    kind += `${name}\0`;
    for (let i = 1; i < shape.length; i++) kind += `${String(shape[i])},`;
  }
  return `${kind}\0${outputs.join('\0')}`;
}

/** The rows of all, in order. All are of one kind. */
export function joinInputs(all: readonly Inputs[], rows: number): Inputs {
  const joined = new Map<string, Tensor>();
  for (const [name, { datatype, shape }] of all[0] ?? []) {
    const parts = all.map((inputs) => inputs.get(name)?.data ?? []);
    const data = datatype === 'BYTES' ? joinTexts(parts) : joinNumbers(parts, datatype);
    joined.set(name, { datatype, shape: [rows, ...shape.slice(1)], data });
  }
  return joined;
}

function joinTexts(parts: readonly TensorData[]): readonly string[] {
  return (parts as readonly (readonly string[])[]).flat();
}

function joinNumbers(
  parts: readonly TensorData[],
  datatype: Exclude<Tensor['datatype'], 'BYTES'>,
): TensorData {
  const count = parts.reduce((sum, { length }) => sum + length, 0);
  const data = allocateNumbers(datatype, count);
  let offset = 0;
  for (const part of parts) {
    // One datatype: the arrays are of one kind.
    data.set(part as never, offset);
    offset += part.length;
  }
  return data;
}

/** Whether an answer has one row for each row that was asked for. */
export function hasRows(results: readonly Tensor[], rows: number): boolean {
  return results.every(({ shape }) => shape[0] === rows);
}

/** Rows `from` to `from + rows` of each tensor; numbers are views of the batch's memory. */
export function rowsAt(results: readonly Tensor[], from: number, rows: number): readonly Tensor[] {
  return results.map(({ datatype, shape, data }) => {
    const [total = 1, ...rest] = shape;
    const size = data.length / total;
    const [start, end] = [from * size, (from + rows) * size];
    return {
      datatype,
      shape: [rows, ...rest],
      data: ArrayBuffer.isView(data) ? data.subarray(start, end) : data.slice(start, end),
    };
  });
}
