import type { ABTestSpec } from '../../crds/schema/ab-test.ts';
import { parseDuration } from '../../serving-runtime/protocol/duration.ts';
import type { Arguments } from './arguments.ts';
import { metricModels, modelFault } from './metric-model.ts';
import { DAY_MS, type SimulationPlan } from './simulate-test.ts';

export type Wishes = Pick<
  Arguments,
  'first' | 'values' | 'spread' | 'normal' | 'unitsPerDay' | 'days' | 'looks'
>;

/**
 * What is simulated of a test, as far as it can be.
 * @throws Error that says which wish does not fit the test
 */
export const planOf = (spec: ABTestSpec, wishes: Wishes): SimulationPlan => {
  const { first, spread, normal, unitsPerDay, looks } = wishes;
  const [goal] = spec.metrics.goal;
  const values = new Map(wishes.values);
  if (goal !== undefined) values.set(goal.name, { ...values.get(goal.name), ...first });
  const metrics = metricModels(spec, { values, spread, normal });
  const unknown = [...values.keys()].find((name) => metrics.every((model) => model.name !== name));
  if (unknown !== undefined) {
    const known = metrics.map(({ name }) => name).join(', ');
    throw new Error(`--metric ${unknown}: the test has no such metric; it has ${known}.`);
  }
  const fault = metrics.map(modelFault).find((each) => each !== undefined);
  if (fault !== undefined) throw new Error(`${fault}.`);
  const days = wishes.days ?? (parseDuration(spec.maximumRuntime) ?? 0) / DAY_MS;
  return { spec, metrics, traffic: { unitsPerDay, days, looks } };
};

/** The same without any effect. */
export const withoutEffect = (plan: SimulationPlan): SimulationPlan => ({
  ...plan,
  metrics: plan.metrics.map((model) => ({ ...model, effects: [] })),
});

export const hasEffect = ({ metrics }: SimulationPlan): boolean =>
  metrics.some(({ effects }) => effects.some((effect) => effect !== 0));
