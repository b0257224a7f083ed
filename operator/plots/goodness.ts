import { objectiveOf, valueOf } from './described.ts';
import type { PlottedSearch } from './search-sample.ts';

/**
 * How good a value is among those shown, by rank so that one outlier does not grey out all others:
 * 0 the worst, 1 the best, and 1 where all are equal.
 */
export const goodnessAmong = (search: PlottedSearch): ((value: number) => number) => {
  const sign = objectiveOf(search).direction === 'maximize' ? 1 : -1;
  const sorted = Float64Array.from(search.trials, (trial) => sign * valueOf(trial, search)).sort();
  const last = sorted.length - 1;
  return (value) => {
    const place = placeIn(sorted, sign * value);
    return last < 1 || sorted[0] === sorted[last] ? 1 : Math.max(0, Math.min(1, place / last));
  };
};

/** The place of the last that is not greater; -1 where all are. */
const placeIn = (sorted: Float64Array, value: number): number => {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
};
