/** What the numbers of a test say of its candidates. Pure: the simulation asks it, too. */
import { sampleRatioOverSplits, sequentialSampleRatio } from '../../statistics/sample-ratio.ts';
import { beliefsOf, type Belief } from './bandit.ts';
import { findingsOf, type Finding } from './findings.ts';
import type { Measurement } from './measurement.ts';
import { CONTROL, isBandit, type TestPlan } from './test-plan.ts';

export type Judgement = {
  readonly findings: readonly Finding[];
  /** Of units being split like this, if they were split by the weights; at every look. */
  readonly sampleRatioP: number;
  readonly isMismatched: boolean;
  /** Candidates that are surely worse than a guardrail allows, now or at an earlier look. */
  readonly harmful: readonly string[];
  /**
   * The best first: better in a goal and worse in none; of a bandit, so probably the best that it ends. And
   * safe in all guardrails.
   */
  readonly winners: readonly string[];
  /** Variants with fewer units than minimumSamples; a harmful one gets no more and is not waited for. */
  readonly short: readonly string[];
  /** Of a bandit, how probable it is of each variant left that it is the best; empty: not told yet. */
  readonly beliefs: readonly Belief[];
};

/** Fabijan et al., "Diagnosing Sample Ratio Mismatch in Online Controlled Experiments", KDD 2019. */
const MISMATCH_ALPHA = 0.001;

/**
 * @param dropped candidates that get units no more, as an earlier look found them harmful
 * @throws Error where a measurement is impossible, such as more successes than units
 */
export const judgeTest = (
  plan: TestPlan,
  measurement: Measurement,
  dropped: readonly string[] = [],
): Judgement => {
  const findings = findingsOf(plan, measurement);
  const sampleRatioP = ratioOf(plan, measurement, dropped);
  const harmful = plan.candidates
    .map(({ name }) => name)
    .filter(
      (name) =>
        dropped.includes(name) || of(findings, name).some(({ verdict }) => verdict === 'harmful'),
    );
  const beliefs = isBandit(plan) ? beliefsOf(plan, measurement, harmful) : [];
  return {
    findings,
    sampleRatioP,
    isMismatched: sampleRatioP < MISMATCH_ALPHA,
    harmful,
    winners: winnersOf(plan, findings, beliefs).filter((name) => !harmful.includes(name)),
    short: measurement.variants
      .filter(({ variant, units }) => units < plan.minimumSamples && !harmful.includes(variant))
      .map(({ variant }) => variant),
    beliefs,
  };
};

const of = (findings: readonly Finding[], candidate: string): readonly Finding[] =>
  findings.filter((finding) => finding.candidate === candidate);

/**
 * By the weights of the time where they were noted. What was dropped is left out: its units that come back
 * see control and count no more. Control gets its units from then on, which only the weights of the time tell.
 */
const ratioOf = (
  plan: TestPlan,
  { variants, periods }: Measurement,
  dropped: readonly string[],
): number => {
  if (periods.length > 0) {
    const splits = periods.map(
      (period) =>
        new Map(
          period.variants
            .filter(({ variant }) => isBandit(plan) || !dropped.includes(variant))
            .map(
              ({ variant, units }) =>
                [variant, { weight: period.weights?.[variant] ?? 0, units }] as const,
            )
            .filter(([, { weight }]) => weight > 0),
        ),
    );
    return sampleRatioOverSplits(splits.filter(({ size }) => size > 0)).pValue;
  }
  const { candidates } = plan;
  const control = 100 - candidates.reduce((sum, { weight }) => sum + weight, 0);
  const weights = new Map([[CONTROL, control], ...candidates.map(entryOf)]);
  const unsteady = dropped.length === 0 ? [] : [CONTROL, ...dropped];
  const arms = variants
    .filter(({ variant }) => !unsteady.includes(variant))
    .map(({ variant, units }) => ({ weight: weights.get(variant) ?? 0, units }))
    .filter(({ weight }) => weight > 0);
  return sequentialSampleRatio(arms).pValue;
};

const entryOf = ({ name, weight }: TestPlan['candidates'][number]): readonly [string, number] => [
  name,
  weight,
];

const winnersOf = (
  plan: TestPlan,
  findings: readonly Finding[],
  beliefs: readonly Belief[],
): readonly string[] => {
  const { candidates, metrics, allocation } = plan;
  const isBest = (name: string): boolean =>
    beliefs.some(
      (belief) =>
        belief.variant === name &&
        belief.probabilityBest >= (allocation?.probabilityToBeBest ?? Infinity),
    );
  const wins = candidates.filter(({ name }) => {
    const its = of(findings, name);
    const goals = its.filter(({ role }) => role === 'goal');
    const guardrails = its.filter(({ role }) => role === 'guardrail');
    const isBetter = isBandit(plan)
      ? isBest(name)
      : goals.some(({ verdict }) => verdict === 'better') &&
        goals.every(({ verdict }) => verdict !== 'worse');
    return isBetter && guardrails.every(({ verdict }) => verdict === 'safe');
  });
  const first = metrics.goal[0];
  const sign = first?.direction === 'decrease' ? -1 : 1;
  const effectOf = (name: string): number =>
    sign *
    (of(findings, name).find(({ metric }) => metric === first?.name)?.comparison.effect ?? 0);
  return wins.map(({ name }) => name).toSorted((a, b) => effectOf(b) - effectOf(a));
};
