/** How candidates compare with control in goals, guardrails and secondary metrics. Pure. */
import { judgeGuardrailBy } from '../../statistics/guardrail.ts';
import { benjaminiHochberg, holm } from '../../statistics/multiple-testing.ts';
import { estimateOf } from '../../statistics/estimates.ts';
import { CONTROL, type TestPlan } from './test-plan.ts';
import { aggregateOf, comparerOf, type Compare } from './comparer.ts';
import type { GoalComparison } from './compare.ts';
import type { Measurement, MetricDefinition } from './measurement.ts';

/** How a candidate compares with control in one metric. */
export type Finding = {
  readonly candidate: string;
  readonly metric: string;
  readonly comparison: GoalComparison;
} & (
  | {
      readonly role: 'goal' | 'secondary';
      /**
       * Of a goal the chance of so much evidence without a difference, over all goals and candidates (Holm
       * 1979); of a secondary metric the share of false discoveries (Benjamini & Hochberg 1995).
       */
      readonly adjustedP: number;
      readonly verdict: 'better' | 'worse' | 'unsure';
    }
  | { readonly role: 'guardrail'; readonly verdict: 'safe' | 'harmful' | 'undecided' }
);

export const findingsOf = (plan: TestPlan, measurement: Measurement): readonly Finding[] => [
  ...goalFindings(plan, measurement),
  ...guardrailFindings(plan, measurement),
  ...secondaryFindings(plan, measurement),
];

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
    comparerOf(plan, measurement, { metric: goal, candidate })({
      ...{ ...options, alpha: alpha / pairs.length },
      ...(plan.inference === undefined ? {} : { mode: plan.inference.mode }),
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
      const { name: metric, direction, margin } = guardrail;
      const compare = comparerOf(plan, measurement, { metric: guardrail, candidate });
      const { verdict, safe, harmful } = judgeGuardrailBy(compare, {
        ...optionsOf(plan),
        direction,
        margin:
          margin.relative === undefined
            ? { absolute: margin.absolute ?? 0 }
            : { relative: margin.relative },
      });
      const comparison = verdict === 'harmful' ? harmful : safe;
      return { candidate, metric, role: 'guardrail', comparison, verdict };
    }),
  );

/**
 * Sequential whatever the goals are, as they are looked at all along. A p-value is one over an e-value
 * here, by which the share of false discoveries is bounded however the metrics hang together (Wang & Ramdas,
 * "False discovery rate control with e-values", 2022). Intervals are as much wider as keeps the share of
 * wrong ones among the discoveries (Benjamini & Yekutieli 2005): a discovery's leaves out 0.
 */
const secondaryFindings = (plan: TestPlan, measurement: Measurement): readonly Finding[] => {
  const pairs = plan.candidates.flatMap(({ name: candidate }) =>
    (plan.metrics.secondary ?? []).map((metric) => ({
      ...{ candidate, metric },
      compare: comparerOf(plan, measurement, { metric, candidate }),
    })),
  );
  const { alpha, plannedUnits } = optionsOf(plan);
  const compareAt = (compare: Compare, level: number) =>
    compare({ plannedUnits, alpha: level, tunedFor: alpha });
  const adjusted = benjaminiHochberg(pairs.map(({ compare }) => compareAt(compare, alpha).pValue));
  const discoveries = adjusted.filter((p) => p <= alpha).length;
  const level = (alpha * Math.max(1, discoveries)) / Math.max(1, pairs.length);
  return pairs.map(({ candidate, metric, compare }, index): Finding => {
    const comparison = compareAt(compare, level);
    const adjustedP = adjusted[index] ?? 1;
    const better = (comparison.effect ?? 0) > 0 === (metric.direction === 'increase');
    const verdict = adjustedP > alpha ? 'unsure' : better ? 'better' : 'worse';
    return { candidate, metric: metric.name, role: 'secondary', comparison, adjustedP, verdict };
  });
};
