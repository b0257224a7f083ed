import type { Interval } from '../../statistics/confidence-sequence.ts';
import { welchTest } from '../../statistics/fixed-horizon.ts';
import { holm } from '../../statistics/multiple-testing.ts';
import { fewestSignedRankPairs, signedRankTest } from '../../statistics/signed-rank.ts';
import { estimateMean, pairedTest } from '../../statistics/student.ts';
import {
  FEWEST,
  grains,
  noVariation,
  scaleOf,
  scaled,
  tooFew,
  varies,
  type Sample,
  type Unknown,
} from './compare-samples.ts';

type Numbers = {
  readonly statistic: number;
  readonly pValue: number;
  /** By Holm, over all pairs of groups that this test answered for this metric. */
  readonly adjustedPValue?: number;
};

type TTest = { readonly test: 'paired-t' | 'welch-t' } & (
  Unknown | (Numbers & { readonly df: number; readonly interval: Interval })
);

type RankTest = { readonly test: 'wilcoxon-signed-rank' } & (
  Unknown | (Numbers & { readonly exact: boolean })
);

/** Group b against group a in one metric. */
export type Comparison = {
  readonly a: string;
  readonly b: string;
  /** Mean of b minus mean of a; of a paired comparison, over the pairs. */
  readonly difference?: number;
  /** Repetitions that have a value in both; of a paired comparison only. */
  readonly pairs?: number;
  readonly t: TTest;
  /** Of a paired comparison only. */
  readonly wilcoxon?: RankTest;
};

export type PairQuestion = {
  readonly metric: string;
  readonly alpha: number;
  /** Whether their repetitions match (see repetitionsMatch). */
  readonly paired: boolean;
};

/** Paired where repetitions match, else by Welch; not yet adjusted. */
export const comparePair = (a: Sample, b: Sample, question: PairQuestion): Comparison =>
  question.paired ? pairwise(a, b, question) : unpaired(a, b, question);

/** Adjusts the p-values of either test for how many pairs it was asked of. */
export const adjusted = (comparisons: readonly Comparison[]): readonly Comparison[] => {
  const ofT = holmOf(comparisons.map(({ t }) => t));
  const ofRanks = holmOf(comparisons.map(({ wilcoxon }) => wilcoxon));
  return comparisons.map((each, index) => ({
    ...each,
    t: { ...each.t, ...ofT[index] },
    ...(each.wilcoxon !== undefined && { wilcoxon: { ...each.wilcoxon, ...ofRanks[index] } }),
  }));
};

/** Of those that answered; the others count for nothing. */
const holmOf = (
  tests: readonly (object | undefined)[],
): readonly { readonly adjustedPValue?: number }[] => {
  const answered = tests.flatMap((test, index) =>
    test !== undefined && 'pValue' in test ? [{ index, p: Number(test.pValue) }] : [],
  );
  const byHolm = holm(answered.map(({ p }) => p));
  const found = new Map(answered.map(({ index }, rank) => [index, byHolm[rank] ?? 1]));
  return tests.map((_, index) => {
    const adjustedPValue = found.get(index);
    return adjustedPValue === undefined ? {} : { adjustedPValue };
  });
};

const pairwise = (a: Sample, b: Sample, { metric, alpha }: PairQuestion): Comparison => {
  const ofA = new Map(a.values.map(({ repetition, value }) => [repetition, value]));
  const both = b.values.flatMap(({ repetition, value }) => {
    const other = ofA.get(repetition);
    return other === undefined ? [] : [[other, value] as const];
  });
  const scale = scaleOf(both.flat());
  const differences = both.map(([x, y]) => y / scale - x / scale);
  const test = 'paired-t';
  const t = (): TTest => {
    if (differences.length < FEWEST) return { test, ...tooFewPairs(both.length, FEWEST, metric) };
    const result = varies(differences, 1) ? pairedTest(differences, alpha) : undefined;
    if (result === undefined) {
      return {
        test,
        ...noVariation(`"${metric}" differs by the same in every pair`),
      };
    }
    return { test, ...result, interval: scaled(result.interval, scale) };
  };
  return {
    a: a.group,
    b: b.group,
    pairs: both.length,
    ...(both.length > 0 && { difference: estimateMean(differences).value * scale }),
    t: t(),
    wilcoxon: byRanks(grains(differences, 1), metric, alpha),
  };
};

const byRanks = (differences: readonly number[], metric: string, alpha: number): RankTest => {
  const test = 'wilcoxon-signed-rank';
  const needed = fewestSignedRankPairs(alpha);
  const result = signedRankTest(differences);
  const pairs = result?.pairs ?? 0;
  if (result === undefined || pairs < needed) {
    return { test, ...tooFewPairs(pairs, needed, metric, ' that differ') };
  }
  const { statistic, pValue, exact } = result;
  return { test, statistic, pValue, exact };
};

const tooFewPairs = (have: number, needed: number, metric: string, which = ''): Unknown => ({
  reason: 'NotEnoughRuns',
  needed,
  message:
    `${needed} pairs of finite values of "${metric}"${which} are needed, and there are ${have}. ` +
    'Add runs of both groups with the same further seeds or folds.',
});

const unpaired = (a: Sample, b: Sample, { metric, alpha }: PairQuestion): Comparison => {
  const ofA = a.values.map(({ value }) => value);
  const ofB = b.values.map(({ value }) => value);
  const scale = scaleOf([...ofA, ...ofB]);
  const meanA = estimateMean(ofA.map((value) => value / scale));
  const meanB = estimateMean(ofB.map((value) => value / scale));
  const test = 'welch-t';
  const t = (): TTest => {
    if (Math.min(ofA.length, ofB.length) < FEWEST) return { test, ...tooFew([a, b], metric) };
    const known = varies(ofA, scale) || varies(ofB, scale);
    const result = known ? welchTest(meanA, meanB, alpha) : undefined;
    if (result === undefined) {
      return { test, ...noVariation(`"${metric}" is the same in every run of either group`) };
    }
    const { statistic, df, pValue, interval } = result;
    return { test, statistic, df, pValue, interval: scaled(interval, scale) };
  };
  return {
    a: a.group,
    b: b.group,
    ...(ofA.length > 0 && ofB.length > 0 && { difference: (meanB.value - meanA.value) * scale }),
    t: t(),
  };
};
