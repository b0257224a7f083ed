import type { Bin } from '../../operator/statistics/aggregates.ts';
import { BIN_GROWTH, SMALLEST_BINNED } from '../../operator/kinds/ab-test/measurement.ts';

const LOG_GROWTH = Math.log(BIN_GROWTH);

/** The bins the outcome store counts values in, with its rule for their ends. Ascending. */
export const binValues = (values: Iterable<number>): readonly Bin[] => {
  const counts = new Map<number, number>();
  for (const value of values) {
    const key = keyOf(value);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return [...counts]
    .map(([key, count]) => ({ ...endsOf(key), count }))
    .sort((one, other) => one.lower - other.lower);
};

/** Far beyond the exponent of any finite number, so that sign and exponent fit into one number. */
const OFFSET = 1e6;

const keyOf = (value: number): number => {
  if (Math.abs(value) < SMALLEST_BINNED) return 0;
  return Math.sign(value) * (OFFSET + Math.ceil(Math.log(Math.abs(value)) / LOG_GROWTH));
};

/** Always the same ends for the same bin, so that bins of different units merge. */
const endsOf = (key: number): { readonly lower: number; readonly upper: number } => {
  if (key === 0) return { lower: 0, upper: 0 };
  const exponent = Math.abs(key) - OFFSET;
  const [near, far] = [Math.exp((exponent - 1) * LOG_GROWTH), Math.exp(exponent * LOG_GROWTH)];
  return key > 0 ? { lower: near, upper: far } : { lower: -far, upper: -near };
};
