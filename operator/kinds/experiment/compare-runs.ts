import type { RunGroup } from './compare-groups.ts';
import { PAIR_BY, groupRuns, repetitionsMatch } from './compare-groups.ts';
import { adjusted, comparePair, type Comparison } from './compare-pairs.ts';
import { differingParams, type ParamDifference } from './compare-params.ts';
import { sampleOf, summaryOf, type SampleSummary } from './compare-samples.ts';
import { InvalidRunInput, type Run } from './run-store.ts';

export const MOST_GROUPS = 20;
export const MOST_METRICS = 50;
const NAMED = 20;

export type CompareQuestion = {
  /** Param or tag; default: runs of one parent are a group. */
  readonly groupBy?: string;
  /** Params or tags that together tell repetitions apart; default: fold and seed. */
  readonly pairBy?: readonly string[];
  /** Default: all that any run has. */
  readonly metrics?: readonly string[];
  /** Level of the intervals, between 0 and 1. */
  readonly confidence: number;
};

export type RunComparison = {
  readonly confidence: number;
  readonly groups: readonly {
    readonly name: string;
    readonly runs: readonly Pick<Run, 'runId' | 'name' | 'status'>[];
  }[];
  /** Chosen runs without the param or tag `groupBy`, and parents of others: compared with nothing. */
  readonly ungrouped: readonly string[];
  readonly params: readonly ParamDifference[];
  /** How many params differ; at most 200 of them are shown. */
  readonly differingParams: number;
  readonly metrics: readonly {
    readonly name: string;
    readonly groups: readonly SampleSummary[];
    readonly comparisons: readonly Comparison[];
  }[];
  /** Set where there are not two groups to compare. */
  readonly reason?: 'NotEnoughRuns';
  readonly needed?: number;
  readonly message?: string;
};

/**
 * In what groups of runs differ: params, and the latest metrics with Student intervals over the runs of a
 * group, pairwise tests, Holm over the pairs of one metric. Intervals are for one look each.
 * @throws InvalidRunInput for too many groups or metrics, and a metric that no run has
 */
export const compareRuns = (runs: readonly Run[], question: CompareQuestion): RunComparison => {
  const { groupBy, confidence } = question;
  const { groups, ungrouped } = groupRuns(runs, groupBy);
  if (groups.length > MOST_GROUPS) {
    throw new InvalidRunInput(
      `The chosen runs are ${groups.length} groups; at most ${MOST_GROUPS} are compared. ` +
        'Choose fewer runs, or another groupBy.',
    );
  }
  const { params, differing } = differingParams(groups);
  return {
    confidence,
    groups: groups.map((group) => ({
      name: group.name,
      runs: group.runs.map(({ runId, name, status }) => ({ runId, name, status })),
    })),
    ungrouped,
    params,
    differingParams: differing,
    metrics: compareMetrics(groups, chosenMetrics(groups, question.metrics), question),
    ...(groups.length < 2 && tooFewGroups(groups.length)),
  };
};

type Pair = { readonly a: number; readonly b: number; readonly paired: boolean };

/** Every two groups, by index; found once, as it is the same for all metrics. */
const pairsOf = (groups: readonly RunGroup[], keys: readonly string[]): readonly Pair[] =>
  groups.flatMap((a, index) =>
    groups.slice(index + 1).map((b, after) => ({
      a: index,
      b: index + 1 + after,
      paired: repetitionsMatch(a, b, keys),
    })),
  );

const compareMetrics = (
  groups: readonly RunGroup[],
  metrics: readonly string[],
  { groupBy, pairBy = PAIR_BY, confidence }: CompareQuestion,
): RunComparison['metrics'] => {
  // What makes the groups differ cannot be what their repetitions share.
  const keys = pairBy.filter((key) => key !== groupBy);
  const alpha = 1 - confidence;
  const pairs = pairsOf(groups, keys);
  return metrics.map((metric) => {
    const samples = groups.map((group) => sampleOf(group, metric, keys));
    const comparisons = pairs.flatMap(({ a, b, paired }) => {
      const [ofA, ofB] = [samples[a], samples[b]];
      if (ofA === undefined || ofB === undefined) return [];
      return [comparePair(ofA, ofB, { metric, alpha, paired })];
    });
    return {
      name: metric,
      groups: samples.map((sample) => summaryOf(sample, metric, alpha)),
      comparisons: adjusted(comparisons),
    };
  });
};

const chosenMetrics = (
  groups: readonly RunGroup[],
  asked: readonly string[] | undefined,
): readonly string[] => {
  const all = groups.flatMap(({ runs }) => runs.flatMap(({ metrics }) => metrics));
  const had = new Set(all.map(({ key }) => key).toSorted());
  const unknown = asked?.find((name) => !had.has(name));
  if (unknown !== undefined) {
    throw new InvalidRunInput(
      `No chosen run has a metric "${unknown}"; they have ${named([...had])}.`,
    );
  }
  const chosen = [...new Set(asked ?? had)];
  if (chosen.length > MOST_METRICS) {
    throw new InvalidRunInput(
      `The chosen runs have ${chosen.length} metrics; at most ${MOST_METRICS} are compared. ` +
        'Name those you want with ?metric=…&metric=….',
    );
  }
  return chosen;
};

const named = (names: readonly string[]): string => {
  if (names.length === 0) return 'none';
  const rest = names.length > NAMED ? ` and ${names.length - NAMED} more` : '';
  return `${names.slice(0, NAMED).join(', ')}${rest}`;
};

const tooFewGroups = (count: number) => ({
  reason: 'NotEnoughRuns' as const,
  needed: 2,
  message:
    `Two groups are needed to compare, and the chosen runs are ${count}. ` +
    'Choose more runs, or name with groupBy the param or tag in which they differ.',
});
