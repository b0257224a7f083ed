import { boundaryAt } from '../../operator/statistics/confidence-sequence.ts';
import { fixedPower, sequentialPower } from '../../operator/statistics/power.ts';
import { parseDuration } from '../../serving-runtime/protocol/duration.ts';
import { crossingProbability, type TheoryLook } from './boundary-crossing.ts';
import { meanOf, unitVariance, type MetricModel } from './metric-model.ts';
import { DAY_MS, type SimulationPlan } from './simulate-test.ts';

export type Theory = {
  /** Chance that the sequence ever finds the candidate better, at the looks the simulation has. */
  readonly sequential: number;
  /** The same at one look, with the planned units: sequentialPower, whatever the simulation's traffic. */
  readonly atPlannedUnits: number;
  /** One look of the fixed test at the end, in the direction that is better. */
  readonly fixed: number;
};

/**
 * What the first goal alone should do to the only candidate, if estimates were exactly normal and as
 * many units came as expected. Guardrails and further goals can only keep it from winning.
 * @returns undefined for quantiles, whose exact sequence has no such formula, and for several candidates
 */
export const theoryOf = (plan: SimulationPlan): Theory | undefined => {
  const [model] = plan.metrics;
  const [goal] = plan.spec.metrics.goal;
  if (model === undefined || goal === undefined || goal.type === 'quantile') return undefined;
  if (plan.spec.candidates.length > 1) return undefined;
  const [effect = 0] = model.effects;
  const gain = goal.direction === 'increase' ? effect : -effect;
  const { spec, traffic } = plan;
  const level = levelOf(plan, model);
  const plannedUnits = spec.minimumSamples * (spec.candidates.length + 1);
  const looks = decidingLooks(plan, model).map((units): TheoryLook => ({
    information: 1 / varianceOf(plan, model, units),
    boundary: boundaryAt(sum(armsOf(plan, units)), { alpha: level, plannedUnits }),
  }));
  const endDays = Math.min(traffic.days, daysOf(spec.maximumRuntime, Infinity));
  const errorAt = (units: number): number => Math.sqrt(varianceOf(plan, model, units));
  const planned = (plannedUnits * 100) / sum(armsOf(plan, 100));
  return {
    sequential: crossingProbability(looks, gain),
    atPlannedUnits: onBetterSide(sequentialPower(gain, errorAt(planned), level), gain),
    fixed: onBetterSide(fixedPower(gain, errorAt(traffic.unitsPerDay * endDays), spec.alpha), gain),
  };
};

/** Two-sided power of no effect is half on each side; that of an effect is nearly all on its own. */
const onBetterSide = (power: number, gain: number): number =>
  gain === 0 ? power / 2 : gain > 0 ? power : 0;

/** Goals share alpha (the first step of Holm's method); a proportion keeps 9 tenths. */
const levelOf = ({ spec }: SimulationPlan, { aggregate }: MetricModel): number =>
  (spec.alpha / spec.metrics.goal.length) * (aggregate === 'proportion' ? 0.9 : 1);

/** Expected units of control and the candidate, of so many in all. */
const armsOf = ({ spec }: SimulationPlan, units: number): readonly [number, number] => {
  const control = 100 - sum(spec.candidates.map(({ weight }) => weight));
  return [(units * control) / 100, (units * (spec.candidates[0]?.weight ?? 0)) / 100];
};

const varianceOf = (plan: SimulationPlan, model: MetricModel, units: number): number => {
  const [control, treatment] = armsOf(plan, units);
  return (
    unitVariance(model, model.control) / control + unitVariance(model, meanOf(model, 0)) / treatment
  );
};

/** Units of all variants at the looks at which something may be decided. */
const decidingLooks = (plan: SimulationPlan, model: MetricModel): readonly number[] => {
  const { spec, traffic } = plan;
  const [least, most] = [daysOf(spec.minimumRuntime, 0), daysOf(spec.maximumRuntime, Infinity)];
  return Array.from(
    { length: traffic.looks },
    (_look, at) => ((at + 1) * traffic.days) / traffic.looks,
  )
    .filter((days) => days >= least && days <= most)
    .map((days) => days * traffic.unitsPerDay)
    .filter((units) => armsOf(plan, units).every((arm) => arm >= leastUnits(plan, model)));
};

/** minimumSamples, and the burn-in of the statistics (operator/statistics/burn-in.ts). */
const leastUnits = ({ spec }: SimulationPlan, model: MetricModel): number => {
  if (model.aggregate !== 'proportion') return Math.max(spec.minimumSamples, 500);
  const rarer = [model.control, meanOf(model, 0)].map((share) => Math.min(share, 1 - share));
  return Math.max(spec.minimumSamples, 10 / Math.min(...rarer));
};

const daysOf = (duration: string, otherwise: number): number =>
  (parseDuration(duration) ?? otherwise * DAY_MS) / DAY_MS;

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
