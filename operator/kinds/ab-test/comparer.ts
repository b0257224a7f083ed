/** By which numbers of a measurement a candidate is compared with control. Pure. */
import type { Aggregate } from '../../statistics/aggregates.ts';
import { awayFromBoundary, isAtBoundary, softened } from '../../statistics/boundary-rates.ts';
import type { Stratum } from '../../statistics/inverse-propensity.ts';
import { compareWeighted } from '../../statistics/weighted-comparison.ts';
import { compareGoal, type CompareOptions, type GoalComparison } from './compare.ts';
import type { Measurement, MetricDefinition } from './measurement.ts';
import { requestMetricOf } from './test-metrics.ts';
import { CONTROL, isBandit, type TestPlan } from './test-plan.ts';

export type Compare = (options: CompareOptions) => GoalComparison;

type Wanted = {
  readonly metric: MetricDefinition & { readonly quantile?: number | undefined };
  readonly candidate: string;
};

export const comparerOf = (
  plan: TestPlan,
  measurement: Measurement,
  { metric, candidate }: Wanted,
): Compare => {
  if (isBandit(plan)) {
    const [control, treatment] = strataPair(measurement, metric, candidate);
    return (options) => compareWeighted(control, treatment, options);
  }
  const pair = pairOf(measurement, metric, candidate);
  const quantile = metric.quantile === undefined ? {} : { quantile: metric.quantile };
  return (options) => compareGoal(...pair, { ...options, ...quantile });
};

export const aggregateOf = (
  { metrics }: Pick<Measurement, 'metrics'>,
  metric: string,
  variant: string,
): Aggregate => {
  const found = metrics.find((each) => each.metric === metric && each.variant === variant);
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

/** A variant's units by the share it had when they came, without those that came while shares changed. */
export const strataOf = (
  { periods }: Measurement,
  metric: string,
  variant: string,
): readonly Stratum[] =>
  periods.flatMap((period): readonly Stratum[] => {
    const weight = period.weights?.[variant] ?? 0;
    const aggregate = aggregateOf(period, metric, variant);
    if (weight <= 0) return [];
    if (aggregate.type !== 'quantile') return [{ propensity: weight / 100, aggregate }];
    throw new Error(`metric ${metric} is a quantile, which a bandit cannot compare`);
  });

/** Rates at 0 or 1 get one event of either kind, as in `awayFromBoundary`. */
const strataPair = (
  measurement: Measurement,
  metric: MetricDefinition,
  candidate: string,
): readonly [control: readonly Stratum[], treatment: readonly Stratum[]] => {
  const pair = [CONTROL, candidate].map((variant) => strataOf(measurement, metric.name, variant));
  const [control = [], treatment = []] = pair;
  const isExtreme =
    requestMetricOf(metric) !== undefined &&
    [CONTROL, candidate].some((variant) => {
      const all = aggregateOf(measurement, metric.name, variant);
      return all.type === 'ratio' && isAtBoundary(all);
    });
  return isExtreme ? [withEvents(control), withEvents(treatment)] : [control, treatment];
};

const withEvents = ([first, ...rest]: readonly Stratum[]): readonly Stratum[] => {
  if (first?.aggregate.type !== 'ratio') return first === undefined ? rest : [first, ...rest];
  return [{ ...first, aggregate: softened(first.aggregate) }, ...rest];
};
