/** What the numbers of a test say of its candidates. Pure: the simulation asks it, too. */
import type { ABTestSpec } from '../../../crds/schema/ab-test.ts';
import type { Aggregate } from '../../statistics/aggregates.ts';
import { awayFromBoundary } from '../../statistics/boundary-rates.ts';
import { judgeGuardrail } from '../../statistics/guardrail.ts';
import { holm } from '../../statistics/multiple-testing.ts';
import { sequentialSampleRatio } from '../../statistics/sample-ratio.ts';
import { estimateOf } from '../../statistics/estimates.ts';
import { compareGoal, type GoalComparison } from './compare.ts';
import type { Measurement, MetricDefinition } from './measurement.ts';
import { requestMetricOf } from './test-metrics.ts';

export type TestPlan = Pick<
  ABTestSpec,
  'metrics' | 'alpha' | 'minimumSamples' | 'candidates' | 'inference'
>;

export const CONTROL = 'control';

/** How a candidate compares with control in one metric. */
export type Finding = {
  readonly candidate: string;
  readonly metric: string;
  readonly comparison: GoalComparison;
} & (
  | {
      readonly role: 'goal';
      /** Chance of so much evidence without a difference, over all goals and candidates (Holm 1979). */
      readonly adjustedP: number;
      readonly verdict: 'better' | 'worse' | 'unsure';
    }
  | { readonly role: 'guardrail'; readonly verdict: 'safe' | 'harmful' | 'undecided' }
);

export type Judgement = {
  readonly findings: readonly Finding[];
  /** Of units being split like this, if they were split by the weights; at every look. */
  readonly sampleRatioP: number;
  readonly isMismatched: boolean;
  /** Candidates that are surely worse than a guardrail allows, now or at an earlier look. */
  readonly harmful: readonly string[];
  /** Better in a goal, worse in none, and safe in all guardrails; the best first. */
  readonly winners: readonly string[];
  /** Variants with fewer units than minimumSamples; a harmful one gets no more and is not waited for. */
  readonly short: readonly string[];
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
  const findings = [...goalFindings(plan, measurement), ...guardrailFindings(plan, measurement)];
  const sampleRatioP = ratioOf(plan, measurement, dropped);
  const harmful = plan.candidates
    .map(({ name }) => name)
    .filter(
      (name) =>
        dropped.includes(name) || of(findings, name).some(({ verdict }) => verdict === 'harmful'),
    );
  return {
    findings,
    sampleRatioP,
    isMismatched: sampleRatioP < MISMATCH_ALPHA,
    harmful,
    winners: winnersOf(plan, findings).filter((name) => !harmful.includes(name)),
    short: measurement.variants
      .filter(({ variant, units }) => units < plan.minimumSamples && !harmful.includes(variant))
      .map(({ variant }) => variant),
  };
};

const of = (findings: readonly Finding[], candidate: string): readonly Finding[] =>
  findings.filter((finding) => finding.candidate === candidate);

const aggregateOf = (measurement: Measurement, metric: string, variant: string): Aggregate => {
  const found = measurement.metrics.find(
    (each) => each.metric === metric && each.variant === variant,
  );
  if (found === undefined) throw new Error(`metric ${metric} of ${variant} was not measured`);
  return found.aggregate;
};

/** Control and a candidate in one metric. */
const pairOf = (
  measurement: Measurement,
  metric: MetricDefinition,
  candidate: string,
): readonly [control: Aggregate, treatment: Aggregate] => {
  const control = aggregateOf(measurement, metric.name, CONTROL);
  const treatment = aggregateOf(measurement, metric.name, candidate);
  const isRate = requestMetricOf(metric) !== undefined;
  return isRate && control.type === 'ratio' && treatment.type === 'ratio'
    ? awayFromBoundary(control, treatment)
    : [control, treatment];
};

const optionsOf = ({ alpha, minimumSamples, candidates }: TestPlan) => ({
  alpha,
  // Where the sequences are tightest: the size the test is planned for.
  plannedUnits: minimumSamples * (candidates.length + 1),
});

/** Each is tested at a level that all together keep alpha; p-values are adjusted by Holm's method. */
const goalFindings = (plan: TestPlan, measurement: Measurement): readonly Finding[] => {
  const { alpha, ...options } = optionsOf(plan);
  const pairs = plan.candidates.flatMap(({ name: candidate }) =>
    plan.metrics.goal.map((goal) => ({ candidate, goal })),
  );
  const compared = pairs.map(({ candidate, goal }) =>
    compareGoal(...pairOf(measurement, goal, candidate), {
      ...{ ...options, alpha: alpha / pairs.length },
      ...(plan.inference === undefined ? {} : { mode: plan.inference.mode }),
      ...(goal.quantile === undefined ? {} : { quantile: goal.quantile }),
    }),
  );
  const adjusted = holm(compared.map(({ pValue }) => pValue));
  return pairs.flatMap(({ candidate, goal }, i): readonly Finding[] => {
    const [comparison, adjustedP] = [compared[i], adjusted[i]];
    if (comparison === undefined || adjustedP === undefined) return [];
    const better = (comparison.effect ?? 0) > 0 === (goal.direction === 'increase');
    const isSure =
      comparison.probabilityToBeat === undefined
        ? adjustedP <= alpha
        : isBelieved(plan, comparison, controlOf(measurement, goal));
    const verdict = !isSure ? 'unsure' : better ? 'better' : 'worse';
    return [{ candidate, metric: goal.name, role: 'goal', comparison, adjustedP, verdict }];
  });
};

/** Bayesian: so probable, and in the mean so little to lose, that there is a difference. */
const isBelieved = (
  { inference }: TestPlan,
  { probabilityToBeat = 0.5, expectedLoss = Infinity, effect = 0 }: GoalComparison,
  control: number,
): boolean => {
  if (inference === undefined) return false;
  const isSure = Math.max(probabilityToBeat, 1 - probabilityToBeat) >= inference.probabilityToBeat;
  // The loss of choosing the one that looks better: of the other it is that and the effect.
  const loss = effect >= 0 ? expectedLoss : expectedLoss + effect;
  return isSure && loss <= inference.expectedLoss * Math.abs(control);
};

const controlOf = (measurement: Measurement, { name }: MetricDefinition): number => {
  const control = aggregateOf(measurement, name, CONTROL);
  return control.type === 'quantile' ? Number.NaN : estimateOf(control, CONTROL).value;
};

/** Not corrected upward: an alarm about harm must not come later because more is watched. */
const guardrailFindings = (plan: TestPlan, measurement: Measurement): readonly Finding[] =>
  plan.candidates.flatMap(({ name: candidate }) =>
    (plan.metrics.guardrails ?? []).map((guardrail): Finding => {
      const { name: metric, direction, quantile, margin } = guardrail;
      const { verdict, safe, harmful } = judgeGuardrail(
        ...pairOf(measurement, guardrail, candidate),
        {
          ...optionsOf(plan),
          direction,
          margin:
            margin.relative === undefined
              ? { absolute: margin.absolute ?? 0 }
              : { relative: margin.relative },
          ...(quantile === undefined ? {} : { quantile }),
        },
      );
      const comparison = verdict === 'harmful' ? harmful : safe;
      return { candidate, metric, role: 'guardrail', comparison, verdict };
    }),
  );

/**
 * Control gets the units of what was dropped from then on, so that only the others are still split as
 * their weights say; one alone has nothing to be compared with.
 */
const ratioOf = (
  { candidates }: TestPlan,
  { variants }: Measurement,
  dropped: readonly string[],
): number => {
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
  { candidates, metrics }: TestPlan,
  findings: readonly Finding[],
): readonly string[] => {
  const wins = candidates.filter(({ name }) => {
    const its = of(findings, name);
    return (
      its.some(({ verdict }) => verdict === 'better') &&
      its.every(({ verdict }) => verdict !== 'worse' && verdict !== 'harmful') &&
      its.every(({ role, verdict }) => role === 'goal' || verdict === 'safe')
    );
  });
  const first = metrics.goal[0];
  const sign = first?.direction === 'decrease' ? -1 : 1;
  const effectOf = (name: string): number =>
    sign *
    (of(findings, name).find(({ metric }) => metric === first?.name)?.comparison.effect ?? 0);
  return wins.map(({ name }) => name).toSorted((a, b) => effectOf(b) - effectOf(a));
};
