import type { ABTestSpec } from '../../crds/schema/ab-test.ts';
import { requestMetricOf } from '../../operator/kinds/ab-test/test-metrics.ts';

type Goal = ABTestSpec['metrics']['goal'][number];

/** Which values synthetic units have. */
export type MetricModel = {
  readonly name: string;
  /** What the values are: `share` is 0 or 1 a unit, the others are numbers. */
  readonly shape: 'share' | 'normal' | 'log-normal' | 'ratio';
  /** What the controller measures of it. */
  readonly aggregate: 'proportion' | 'mean' | 'ratio' | 'quantile';
  /** Value in control: a share, a mean, a ratio of sums or a quantile. */
  readonly control: number;
  /** Those of the candidates minus control's, in the order of the spec; who has none is as control. */
  readonly effects: readonly number[];
  /** Standard deviation of a unit's value, as a share of the mean. */
  readonly spread: number;
  readonly quantile: number | undefined;
};

export type Assumed = { readonly control?: number; readonly effects?: readonly number[] };

/** What was said of the metrics; what was not said has a default. */
export type Assumptions = {
  /** Value in control and effects, by the metric's name. */
  readonly values: ReadonlyMap<string, Assumed>;
  readonly spread: number;
  readonly normal: boolean;
};

/** Requests (or sessions) of a unit, of which a ratio is made: 1 and a geometric number with this mean. */
export const MORE_REQUESTS = 3;

/** One for each metric of the test: goals, guardrails, and what is secondary. */
export const metricModels = (
  { metrics }: Pick<ABTestSpec, 'metrics'>,
  assumptions: Assumptions,
): readonly MetricModel[] =>
  [...metrics.goal, ...(metrics.guardrails ?? []), ...(metrics.secondary ?? [])].map((metric) =>
    modelOf(metric, assumptions),
  );

const modelOf = (metric: Goal, { values, spread, normal }: Assumptions): MetricModel => {
  const { name, type, quantile } = metric;
  const request = requestMetricOf(metric);
  const isShare =
    type === 'proportion' || (request !== undefined && request !== 'request-duration');
  const { control = defaultOf(metric, isShare), effects = [] } = values.get(name) ?? {};
  return {
    ...{ name, control, effects, spread, quantile },
    shape: isShare
      ? 'share'
      : type === 'ratio'
        ? 'ratio'
        : normal && type === 'mean'
          ? 'normal'
          : 'log-normal',
    // Both rates of requests are measured as a ratio of two sums a unit.
    aggregate: request !== undefined && type === 'proportion' ? 'ratio' : type,
  };
};

const defaultOf = ({ name }: Goal, isShare: boolean): number => {
  if (name === 'request-error-rate') return 0.01;
  if (name === 'request-success-rate') return 0.99;
  return isShare ? 0.1 : 1;
};

/** What is impossible about a model, with what to do; undefined where nothing is. */
export const modelFault = (model: MetricModel): string | undefined => {
  const { name, shape, control, effects } = model;
  const means = [control, ...effects.map((effect) => control + effect)];
  const words = `control is ${control} and the candidates ${means.slice(1).join(', ')}`;
  if (shape === 'share' && means.some((mean) => mean < 0 || mean > 1)) {
    return `metric ${name} is a share, but ${words}: give values from 0 to 1`;
  }
  if (shape !== 'share' && shape !== 'normal' && means.some((mean) => mean <= 0)) {
    return `metric ${name} is ${shape}, but ${words}: give values above 0 (a mean may be --normal)`;
  }
  if (model.aggregate === 'quantile' && shape === 'share') {
    return `metric ${name} is a quantile of a share of requests, which has no synthetic stream: replay recorded units with --replay`;
  }
  return undefined;
};

/** `candidate` counts from 0. */
export const meanOf = ({ control, effects }: MetricModel, candidate: number): number =>
  control + (effects[candidate] ?? 0);

/** Variance of one unit's value with that mean, by which the estimate varies (delta method for ratios). */
export const unitVariance = ({ shape, control, spread }: MetricModel, mean: number): number => {
  switch (shape) {
    case 'share':
      return mean * (1 - mean);
    case 'normal':
      return normalDeviation(control, spread) ** 2;
    case 'log-normal':
      return (mean * spread) ** 2;
    case 'ratio': {
      // N = r D L with L of mean 1: N - r D = r D (L - 1).
      const secondMoment = (1 + MORE_REQUESTS) ** 2 + MORE_REQUESTS * (1 + MORE_REQUESTS);
      return ((mean * spread) ** 2 * secondMoment) / (1 + MORE_REQUESTS) ** 2;
    }
  }
};

/** The same in both variants; of a mean of 0 the spread is that of 1. */
export const normalDeviation = (control: number, spread: number): number =>
  spread * (Math.abs(control) || 1);
