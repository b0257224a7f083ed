/**
 * Integrals over a line by Gauss-Legendre with 8 nodes a cell. The cells are cut where the functions
 * bend, so that a narrow one beside a wide one is not stepped over.
 */
export type Node = { readonly at: number; readonly weight: number };

/** Nodes for the cells between the knots; no cell is wider than `widest`. */
export const nodesBetween = (
  knots: readonly number[],
  widest = Number.POSITIVE_INFINITY,
): readonly Node[] => {
  const ascending = [...new Set(knots)].sort((a, b) => a - b);
  return ascending.flatMap((upper, index) => {
    const lower = ascending[index - 1];
    return lower === undefined ? [] : cells(lower, upper, widest).flatMap(nodesIn);
  });
};

export const integrate = (nodes: readonly Node[], of: (at: number) => number): number =>
  nodes.reduce((sum, { at, weight }) => sum + weight * of(at), 0);

type Cell = readonly [lower: number, upper: number];

const cells = (lower: number, upper: number, widest: number): readonly Cell[] => {
  const count = Math.max(1, Math.ceil((upper - lower) / widest));
  const width = (upper - lower) / count;
  return Array.from({ length: count }, (_, index) => [
    lower + width * index,
    lower + width * (index + 1),
  ]);
};

const nodesIn = ([lower, upper]: Cell): readonly Node[] => {
  const [middle, half] = [(lower + upper) / 2, (upper - lower) / 2];
  return LEGENDRE.flatMap(([x, weight]) => [
    { at: middle - half * x, weight: half * weight },
    { at: middle + half * x, weight: half * weight },
  ]);
};

/** Abramowitz & Stegun, table 25.4, n = 8. */
const LEGENDRE = [
  [0.1834346424956498, 0.362683783378362],
  [0.525532409916329, 0.3137066458778873],
  [0.7966664774136267, 0.2223810344533745],
  [0.9602898564975363, 0.1012285362903763],
] as const;
