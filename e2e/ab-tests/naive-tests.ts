import type { ABTestSpec } from '../../crds/schema/ab-test.ts';
import { CONTROL } from '../../operator/kinds/ab-test/test-plan.ts';
import type { Measurement } from '../../operator/kinds/ab-test/measurement.ts';
import type { Aggregate } from '../../operator/statistics/aggregates.ts';
import { estimateOf } from '../../operator/statistics/estimates.ts';
import { proportionsTest, welchTest } from '../../operator/statistics/fixed-horizon.ts';
import { quantileOf } from '../../operator/statistics/quantile-sequence.ts';

/**
 * What is done without such a controller, on the first goal of the same measurements: to be shown beside
 * it, never to be used.
 */

type Goal = ABTestSpec['metrics']['goal'][number];

/** The candidate whose value is best, where it is better than control's by any amount; or control. */
export const fixedThreshold = (spec: ABTestSpec, measurement: Measurement): string => {
  const [goal] = spec.metrics.goal;
  if (goal === undefined) return CONTROL;
  const gains = spec.candidates.map(({ name }) => ({
    name,
    gain: gainOf(goal, measurement, name),
  }));
  const [best] = gains.toSorted((a, b) => b.gain - a.gain);
  return best !== undefined && best.gain > 0 ? best.name : CONTROL;
};

/**
 * The two-sided test for one look (pooled z of shares, Welch's t of means and ratios), at alpha, once
 * more: a candidate that is significantly better; control where all are significantly worse.
 * @returns undefined where it finds nothing, as always with quantiles, which have no such test here
 */
export const repeatedTest = (spec: ABTestSpec, measurement: Measurement): string | undefined => {
  const [goal] = spec.metrics.goal;
  if (goal === undefined || goal.type === 'quantile') return undefined;
  const found = spec.candidates.filter(
    ({ name }) =>
      pValueOf(
        aggregateOf(measurement, goal.name, CONTROL),
        aggregateOf(measurement, goal.name, name),
        spec.alpha,
      ) <= spec.alpha,
  );
  const better = found.filter(({ name }) => gainOf(goal, measurement, name) > 0);
  if (better[0] !== undefined) return better[0].name;
  return found.length === spec.candidates.length ? CONTROL : undefined;
};

const gainOf = (goal: Goal, measurement: Measurement, candidate: string): number => {
  const valueOf = (variant: string): number =>
    value(aggregateOf(measurement, goal.name, variant), goal.quantile);
  const difference = valueOf(candidate) - valueOf(CONTROL);
  return goal.direction === 'increase' ? difference : -difference;
};

const value = (aggregate: Aggregate, quantile = 0.5): number =>
  aggregate.type === 'quantile'
    ? (quantileOf(aggregate.bins, quantile) ?? 0)
    : estimateOf(aggregate, 'variant').value;

const pValueOf = (control: Aggregate, treatment: Aggregate, alpha: number): number => {
  if (control.type === 'quantile' || treatment.type === 'quantile') return 1;
  if (control.type === 'proportion' && treatment.type === 'proportion') {
    return proportionsTest(control, treatment, alpha)?.pValue ?? 1;
  }
  const [one, other] = [estimateOf(control, 'control'), estimateOf(treatment, 'treatment')];
  return welchTest(one, other, alpha)?.pValue ?? 1;
};

const aggregateOf = (measurement: Measurement, metric: string, variant: string): Aggregate => {
  const found = measurement.metrics.find(
    (each) => each.metric === metric && each.variant === variant,
  );
  if (found === undefined) throw new Error(`metric ${metric} of ${variant} was not measured`);
  return found.aggregate;
};
