import { isFloatingPoint } from '../protocol/datatypes.ts';
import type { ModelSignature } from '../protocol/signature.ts';
import { elementCount } from '../protocol/signature.ts';
import type { Tensor, TensorData } from '../tensors.ts';
import { allocateNumbers, rounded } from '../tensors.ts';
import { hasBatchDimension, hasRows, joinInputs, rowsAt } from './batch-tensors.ts';
import type { Compute } from './compute.ts';

/** Rows that are compared; two would not show what a model does with their sum. */
const rows = 3;
/** A batch adds up in another order: what is larger than this is another answer. */
const tolerance: Partial<Record<string, number>> = {
  ...{ BF16: 8e-2, FP16: 1e-2, FP32: 1e-5, FP64: 1e-9 },
};

/**
 * Why requests must not be joined to batches, or undefined where they may: three different rows get the
 * same answers together as each alone. A model that normalises over the batch, say, would answer one
 * client by another's data.
 */
export async function whyNotJoined(
  compute: Compute,
  signature: ModelSignature,
): Promise<string | undefined> {
  if (!hasBatchDimension(signature)) return 'not all first dimensions may vary';
  const outputs = signature.outputs.map(({ name }) => name);
  const alone = Array.from({ length: rows }, (_, row) => sampleRow(signature, row));
  try {
    const together = await compute(joinInputs(alone, rows), outputs);
    if (!hasRows(together, rows))
      return 'its outputs do not have one row for each row of the inputs';
    for (const [row, inputs] of alone.entries()) {
      const wanted = await compute(inputs, outputs);
      const got = rowsAt(together, row, 1);
      const differs = wanted.findIndex((tensor, i) => !sameValues(tensor, got[i]));
      if (differs !== -1)
        return `its output "${outputs[differs] ?? ''}" of one row depends on other rows`;
    }
    return undefined;
  } catch (error) {
    return `it fails on three rows: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function sampleRow(signature: ModelSignature, row: number): ReadonlyMap<string, Tensor> {
  return new Map(
    signature.inputs.map(({ name, datatype, shape }) => {
      const dims = [1, ...shape.slice(1).map((dimension) => (dimension === -1 ? 1 : dimension))];
      const count = elementCount(dims);
      return [name, { datatype, shape: dims, data: sampleValues(datatype, count, row) }];
    }),
  );
}

/** Small values that differ from row to row; small, as many an integer is an index. */
function sampleValues(datatype: Tensor['datatype'], count: number, row: number): TensorData {
  if (datatype === 'BYTES') return new Array<string>(count).fill(String(row));
  const data = allocateNumbers(datatype, count);
  for (let i = 0; i < count; i++) {
    if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[i] = BigInt(row % 2);
    else if (isFloatingPoint(datatype)) {
      data[i] = rounded(datatype, ((i * 7 + row * 5) % 11) / 11 + row);
    } else data[i] = row % 2;
  }
  return data;
}

function sameValues(wanted: Tensor, got: Tensor | undefined): boolean {
  if (got === undefined || wanted.data.length !== got.data.length) return false;
  const allowed = tolerance[wanted.datatype] ?? 0;
  for (let i = 0; i < wanted.data.length; i++) {
    const [a, b] = [wanted.data[i], got.data[i]];
    if (Object.is(a, b)) continue;
    if (typeof a !== 'number' || typeof b !== 'number') return false;
    if (!(Math.abs(a - b) <= allowed * Math.max(1, Math.abs(a)))) return false;
  }
  return true;
}
