import type { Experiment } from '../../../crds/schema/experiment.ts';
import { objectivesOf, type Objective } from './study.ts';
import type { MetricSummary } from './trial-store.ts';

export type Judged =
  { readonly values: readonly number[] } | { readonly missing: string; readonly metric: string };

/**
 * What a finished trial reached, in the order of the objectives: the best of its values, or the one
 * that metricStrategies names. A trial without a number to compare has failed, and this says why.
 */
export const judge = (experiment: Experiment, summaries: readonly MetricSummary[]): Judged => {
  const values: number[] = [];
  for (const objective of objectivesOf(experiment)) {
    const summary = summaries.find(({ name }) => name === objective.name);
    const value = summary && valueOf(experiment, objective, summary);
    if (value === undefined || !Number.isFinite(value)) {
      return { metric: objective.name, missing: whyMissing(objective, value, summaries) };
    }
    values.push(value);
  }
  return { values };
};

const valueOf = (
  { spec }: Experiment,
  { name, direction }: Objective,
  { latest, min, max }: MetricSummary,
): number => {
  const strategy =
    spec.objective?.metricStrategies?.find((each) => each.name === name)?.value ??
    (direction === 'minimize' ? 'min' : 'max');
  if (strategy === 'latest') return latest;
  return (strategy === 'min' ? min : max) ?? latest;
};

const whyMissing = (
  { name }: Objective,
  value: number | undefined,
  summaries: readonly MetricSummary[],
): string => {
  if (value !== undefined) {
    return `The trial finished, but its ${name} is ${value}, with which nothing can be compared.`;
  }
  const logged = summaries.map((each) => each.name).join(', ');
  return `The trial finished, but reported no metric ${name}${logged === '' ? '' : ` (it reported ${logged})`}. Log it with mlflow.log_metric("${name}", value), or print a line ${name}=<value>.`;
};
