import type { SequentialResult } from './confidence-sequence.ts';
import { confidenceSequence } from './confidence-sequence.ts';

/** How often each cell came in the reference and in what is compared with it. */
export type CellCounts = {
  readonly reference: readonly number[];
  readonly current: readonly number[];
};

export type StabilityIndex = {
  /** Sum of (a - e) ln(a / e) over the cells, as it is. */
  readonly index: number;
  /** Less what two samples of one distribution differ by on average; not below 0. */
  readonly excess: number;
  /** Of the index, by the delta method. */
  readonly variance: number;
  /** Values in both samples. */
  readonly values: number;
};

/**
 * Added to each cell that either sample has: an empty one would make the index infinite. One half is what
 * Jeffreys' prior adds (Krichevsky & Trofimov 1981). A fixed least share such as 1e-4, which others use,
 * has no variance, so that nothing could be said of how sure an index with an empty cell is.
 */
const PSEUDO_COUNT = 0.5;

/**
 * Population stability index: the divergence of Kullback & Leibler 1951 in both directions (Siddiqi, "Credit
 * Risk Scorecards", 2006). Two samples of n and m values from one distribution over B cells differ by
 * about (B - 1)(1/n + 1/m) by chance alone (Yurdakul & Naranjo, "Statistical properties of the
 * population stability index", J. Risk Model Validation 2020), which `excess` leaves out.
 * @throws Error where a sample is empty or the cells are not the same
 */
export const populationStability = ({ reference, current }: CellCounts): StabilityIndex => {
  if (reference.length !== current.length) {
    throw new Error(`${reference.length} cells cannot be compared with ${current.length}`);
  }
  const [n, m] = [total(reference), total(current)];
  if (n === 0 || m === 0) throw new Error('an empty sample has no distribution');
  const inUse = reference
    .map((count, i) => [count, current[i] ?? 0] as const)
    .filter(([before, after]) => before + after > 0);
  const added = inUse.length * PSEUDO_COUNT;
  const cells = inUse.map(([before, after]) => ({
    expected: (before + PSEUDO_COUNT) / (n + added),
    actual: (after + PSEUDO_COUNT) / (m + added),
  }));
  const index = sum(cells.map(({ expected: e, actual: a }) => (a - e) * Math.log(a / e)));
  const byChance = (inUse.length - 1) * (1 / n + 1 / m);
  const variance =
    varianceOf(cells.map(({ expected: e, actual: a }) => [e, Math.log(e / a) + 1 - a / e])) / n +
    varianceOf(cells.map(({ expected: e, actual: a }) => [a, Math.log(a / e) + 1 - e / a])) / m;
  return { index, excess: Math.max(0, index - byChance), variance, values: n + m };
};

/**
 * Is the index of the two distributions surely above the threshold, however often one looks? The index is
 * about a mean of what each value adds to it, so the asymptotic confidence sequence holds for it.
 */
export const stabilityBeyond = (
  { excess, variance, values }: StabilityIndex,
  { threshold, ...options }: StabilityOptions,
): SequentialResult =>
  confidenceSequence(
    { value: excess, variance, units: values },
    { ...options, alternative: 'greater', null: threshold },
  );

export type StabilityOptions = {
  readonly threshold: number;
  readonly alpha: number;
  /** Values of both samples at which it is tightest; must not depend on the data. */
  readonly plannedUnits: number;
};

/** Of a value that is `value` with this probability. */
const varianceOf = (cells: readonly (readonly [probability: number, value: number])[]): number => {
  const mean = sum(cells.map(([p, value]) => p * value));
  return sum(cells.map(([p, value]) => p * (value - mean) ** 2));
};

const total = (counts: readonly number[]): number => sum(counts);
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
