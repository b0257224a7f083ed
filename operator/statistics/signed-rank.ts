import { normalTail } from './special-functions.ts';

/** Up to so many differences that are not 0 the p-value is exact: 2^50 counts fit a double. */
const MOST_EXACT = 50;

export type SignedRank = {
  /** The smaller of the two rank sums. */
  readonly statistic: number;
  /** Two-sided. */
  readonly pValue: number;
  /** Differences that are not 0; those that are say nothing and are left out. */
  readonly pairs: number;
  readonly exact: boolean;
};

/**
 * Wilcoxon's signed-rank test (1945) of whether differences lie symmetrically around 0. Equal sizes share
 * the mean of their ranks, and the exact p-value is that of all 2^n signs of these ranks (Pratt & Gibbons
 * 1981), ties included; beyond 50 pairs the normal one, its variance corrected for ties.
 * @param differences finite; what counts as equal must be equal to the last digit
 * @returns undefined where all are 0
 */
export const signedRankTest = (differences: readonly number[]): SignedRank | undefined => {
  const told = differences.filter((each) => each !== 0);
  if (told.length === 0) return undefined;
  const doubled = doubledRanks(told.map(Math.abs));
  const total = sum(doubled);
  const positive = sum(doubled.filter((_, index) => (told[index] ?? 0) > 0));
  const least = Math.min(positive, total - positive);
  const exact = told.length <= MOST_EXACT;
  const pValue = exact ? exactTwoSided(doubled, least) : normalTwoSided(doubled, least);
  return { statistic: least / 2, pValue, pairs: told.length, exact };
};

/** The fewest pairs whose least possible two-sided p-value, 2 / 2^n, is at most alpha. */
export const fewestSignedRankPairs = (alpha: number): number => Math.ceil(Math.log2(2 / alpha));

/** Twice the ranks of the sizes, so that the mean of two neighbours is a whole number too. */
const doubledRanks = (sizes: readonly number[]): readonly number[] => {
  const ascending = sizes.map((size, index) => ({ size, index }));
  ascending.sort((a, b) => a.size - b.size);
  const ranks = sizes.map(() => 0);
  let first = 0;
  while (first < ascending.length) {
    let after = first + 1;
    while (ascending[after]?.size === ascending[first]?.size) after += 1;
    for (const { index } of ascending.slice(first, after)) ranks[index] = first + 1 + after;
    first = after;
  }
  return ranks;
};

/** The distribution is symmetric: both tails are as likely. */
const exactTwoSided = (doubled: readonly number[], least: number): number => {
  const ways = new Array<number>(sum(doubled) + 1).fill(0);
  ways[0] = 1;
  for (const rank of doubled) {
    for (let at = ways.length - 1; at >= rank; at -= 1) {
      ways[at] = (ways[at] ?? 0) + (ways[at - rank] ?? 0);
    }
  }
  return Math.min(1, (2 * sum(ways.slice(0, least + 1))) / 2 ** doubled.length);
};

/** The variance of a sum of signed ranks is a quarter of the sum of their squares, ties or not. */
const normalTwoSided = (doubled: readonly number[], least: number): number => {
  const deviation = Math.sqrt(sum(doubled.map((rank) => rank * rank)) / 4);
  return Math.min(1, 2 * normalTail((sum(doubled) / 2 - least) / deviation));
};

const sum = (values: readonly number[]): number => values.reduce((total, each) => total + each, 0);
