import type { ABTestSpec } from '../../crds/schema/ab-test.ts';
import type { Measurement } from '../../operator/kinds/ab-test/measurement.ts';
import type { Aggregate } from '../../operator/statistics/aggregates.ts';
import { mergeAggregates } from '../../operator/statistics/aggregates.ts';
import { isBandit } from '../../operator/kinds/ab-test/test-plan.ts';
import { parseDuration } from '../../serving-runtime/protocol/duration.ts';
import { binomial } from './draws.ts';
import { meanOf, type MetricModel } from './metric-model.ts';
import { drawUnits, noUnits } from './metric-stream.ts';
import { fixedThreshold, repeatedTest } from './naive-tests.ts';
import { randomStream, type RandomStream } from './random-stream.ts';
import { lookAt, startTest, variantsOf, weightsOf, type VirtualTest } from './virtual-test.ts';

export const DAY_MS = 86_400_000;

type Traffic = {
  /** New units a day, of all variants together. */
  readonly unitsPerDay: number;
  readonly days: number;
  /** At equal intervals over the days. */
  readonly looks: number;
};

export type SimulationPlan = {
  readonly spec: ABTestSpec;
  readonly metrics: readonly MetricModel[];
  readonly traffic: Traffic;
};

/** Who won (`control`, a candidate, or `inconclusive`), and when it was known or given up. */
export type End = { readonly winner: string; readonly days: number };

export const METHODS = ['decide', 'threshold', 'repeated'] as const;
export type Method = (typeof METHODS)[number];

/** How one and the same stream of units ended by each method. */
export type Ends = Readonly<Record<Method, End>>;

/** Any day would do; nothing depends on it. */
const BEGIN = Date.UTC(2026, 0, 1);

/** One test from its first unit to its end; it follows from the seed and the number of the test. */
export const simulateTest = (plan: SimulationPlan, seed: number, test: number): Ends => {
  const { spec, traffic } = plan;
  const units = new UnitStream(plan, seed, test);
  const ends: Partial<Record<Method, End>> = {};
  let state = startTest(spec, new Date(BEGIN));
  // A decision ends the split; the methods beside it get what they would have had.
  let weights = weightsOf(state);
  for (let look = 1; look <= traffic.looks; look += 1) {
    const days = (look * traffic.days) / traffic.looks;
    const measurement = units.upTo(days, weights);
    if (ends.decide === undefined) {
      state = lookAt(state, measurement, new Date(BEGIN + days * DAY_MS));
      const winner = winnerOf(state);
      if (winner === undefined) weights = weightsOf(state);
      else ends.decide = { winner, days };
    }
    addNaiveEnds(ends, spec, { measurement, days, weights });
    if (METHODS.every((method) => ends[method] !== undefined)) break;
  }
  const open: End = { winner: 'inconclusive', days: traffic.days };
  return {
    decide: ends.decide ?? open,
    threshold: ends.threshold ?? open,
    repeated: ends.repeated ?? open,
  };
};

const winnerOf = ({ plan }: VirtualTest): string | undefined =>
  plan.is === 'decided' ? plan.decision.winner : undefined;

type Look = {
  readonly measurement: Measurement;
  readonly days: number;
  readonly weights: ReturnType<typeof weightsOf>;
};

/** They wait for the same minimums and give up at the same time, so that only the test differs. */
const addNaiveEnds = (
  ends: Partial<Record<Method, End>>,
  spec: ABTestSpec,
  { measurement, days, weights }: Look,
): void => {
  const enough =
    days * DAY_MS >= (parseDuration(spec.minimumRuntime) ?? 0) &&
    measurement.variants.every(
      ({ variant, units }) =>
        // Nobody waits for a candidate that was dropped.
        units >= spec.minimumSamples ||
        weights.some(([name, weight]) => name === variant && weight === 0),
    );
  if (enough) {
    ends.threshold ??= { winner: fixedThreshold(spec, measurement), days };
    const found = ends.repeated === undefined ? repeatedTest(spec, measurement) : undefined;
    if (found !== undefined) ends.repeated = { winner: found, days };
  }
  if (days * DAY_MS < (parseDuration(spec.maximumRuntime) ?? Infinity)) return;
  ends.threshold ??= { winner: 'inconclusive', days };
  ends.repeated ??= { winner: 'inconclusive', days };
};

type RunningPeriod = {
  readonly since: string;
  readonly weights: ReturnType<typeof weightsOf>;
  readonly units: number[];
  /** By metric and variant; of a bandit only. */
  readonly sums: Aggregate[][];
};

/** Sums of all units so far. Each metric draws from a lane of its own: one more changes no other. */
class UnitStream {
  readonly #plan: SimulationPlan;
  readonly #variants: readonly string[];
  readonly #arrivals: RandomStream;
  readonly #lanes: readonly RandomStream[];
  readonly #units: Map<string, number>;
  readonly #sums: Aggregate[][];
  readonly #periods: RunningPeriod[] = [];
  #total = 0;
  #days = 0;

  constructor(plan: SimulationPlan, seed: number, test: number) {
    this.#plan = plan;
    this.#variants = variantsOf(plan.spec);
    this.#arrivals = randomStream(seed, test, 0);
    this.#lanes = plan.metrics.map((_metric, index) => randomStream(seed, test, index + 1));
    this.#units = new Map(this.#variants.map((variant) => [variant, 0]));
    this.#sums = plan.metrics.map((metric) => this.#variants.map(() => noUnits(metric)));
  }

  /** @param weights percent of the units that come until then, by variant */
  upTo(days: number, weights: ReturnType<typeof weightsOf>): Measurement {
    const total = Math.floor(this.#plan.traffic.unitsPerDay * days + 1e-9);
    this.#begin(weights);
    this.#split(total - this.#total, weights);
    this.#total = total;
    this.#days = days;
    return {
      variants: this.#variants.map((variant) => ({
        variant,
        units: this.#units.get(variant) ?? 0,
      })),
      ...{ conflictingUnits: 0, outcomesOfUnknownUnits: 0, outcomesBeforeExposure: 0 },
      metrics: this.#plan.metrics.flatMap(({ name }, at) =>
        this.#variants.flatMap((variant, of) => {
          const aggregate = this.#sums[at]?.[of];
          return aggregate === undefined ? [] : [{ variant, metric: name, aggregate }];
        }),
      ),
      periods: this.#periods.map(({ since, weights: of, units, sums }) => ({
        ...{ since, weights: Object.fromEntries(of) },
        variants: this.#variants.map((variant, at) => ({ variant, units: units[at] ?? 0 })),
        metrics: this.#plan.metrics.flatMap(({ name }, at) =>
          (sums[at] ?? []).map((aggregate, index) => ({
            ...{ variant: this.#variants[index] ?? '', metric: name, aggregate },
          })),
        ),
      })),
    };
  }

  /** Units since the weights are these; nobody is on the way while they change here. */
  #begin(weights: ReturnType<typeof weightsOf>): void {
    if (this.#periods.at(-1)?.weights.join() === weights.join()) return;
    this.#periods.push({
      since: new Date(BEGIN + this.#days * DAY_MS).toISOString(),
      weights,
      units: this.#variants.map(() => 0),
      sums: this.#plan.metrics.map((metric) => this.#variants.map(() => noUnits(metric))),
    });
  }

  /** Multinomial: one variant after the other takes its share of those that are left. */
  #split(units: number, weights: ReturnType<typeof weightsOf>): void {
    let [left, weight] = [units, 100];
    for (const [variant, its] of weights) {
      const taken = weight <= its ? left : binomial(left, its / weight, this.#arrivals);
      this.#add(variant, taken);
      left -= taken;
      weight -= its;
    }
  }

  #add(variant: string, count: number): void {
    const of = this.#variants.indexOf(variant);
    this.#units.set(variant, (this.#units.get(variant) ?? 0) + count);
    const period = this.#periods.at(-1);
    if (period !== undefined) period.units[of] = (period.units[of] ?? 0) + count;
    this.#plan.metrics.forEach((model, at) => {
      const [sums, lane] = [this.#sums[at], this.#lanes[at]];
      const before = sums?.[of];
      if (sums === undefined || lane === undefined || before === undefined) return;
      const drawn = drawUnits(model, count, of === 0 ? model.control : meanOf(model, of - 1), lane);
      sums[of] = mergeAggregates(before, drawn);
      const its = isBandit(this.#plan.spec) ? period?.sums[at] : undefined;
      const sum = its?.[of];
      if (its !== undefined && sum !== undefined) its[of] = mergeAggregates(sum, drawn);
    });
  }
}
