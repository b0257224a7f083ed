/** Cells of a distribution, fixed on a reference. Pure. */

/** `count` values at `value`; ascending by value. */
export type PointCount = { readonly value: number; readonly count: number };

/** Nearer to a value than any other value can be: bins of a sketch are 2 % apart. */
const JUST_BELOW = 1e-6;

/**
 * Upper ends of cells that hold about a share of 1 / `cells` of the reference each; the last one is open. A
 * value that is as frequent has a cell of its own, so that a constant that becomes another constant is seen.
 */
export const cellEnds = (reference: readonly PointCount[], cells: number): readonly number[] => {
  const wanted = reference.reduce((sum, { count }) => sum + count, 0) / cells;
  const ends: number[] = [];
  let filled = 0;
  for (const { value, count } of reference) {
    if (count >= wanted) {
      ends.push(value - Math.max(Math.abs(value) * JUST_BELOW, Number.MIN_VALUE), value);
      filled = 0;
    } else if ((filled += count) >= wanted) {
      ends.push(value);
      filled = 0;
    }
  }
  return ends;
};

/** How many values are in each cell: one more than there are ends. */
export const countInCells = (
  points: readonly PointCount[],
  ends: readonly number[],
): readonly number[] => {
  const counts = Array<number>(ends.length + 1).fill(0);
  let cell = 0;
  for (const { value, count } of points) {
    while (cell < ends.length && value > (ends[cell] ?? Infinity)) cell += 1;
    counts[cell] = (counts[cell] ?? 0) + count;
  }
  return counts;
};

/**
 * A cell for each of the most frequent values of the reference, and a last one for all others, new ones
 * included.
 */
export const countByValue = (
  [reference, referenceTotal]: Counted,
  [current, currentTotal]: Counted,
  most: number,
): { readonly reference: readonly number[]; readonly current: readonly number[] } => {
  const listed = [...reference].sort(([, a], [, b]) => b - a).slice(0, most - 1);
  const cellsOf = ([counts, all]: Counted): readonly number[] => {
    const found = listed.map(([value]) => counts.get(value) ?? 0);
    return [...found, Math.max(0, all - found.reduce((a, b) => a + b, 0))];
  };
  return {
    reference: cellsOf([reference, referenceTotal]),
    current: cellsOf([current, currentTotal]),
  };
};

type Counted = readonly [counts: ReadonlyMap<string, number>, total: number];
