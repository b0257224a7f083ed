import type { Measurement, MetricDefinition } from '../../operator/kinds/ab-test/measurement.ts';
import { aggregatesOf, type PerVariant } from '../../operator/kinds/ab-test/per-variant.ts';
import { requestMetricOf } from '../../operator/kinds/ab-test/test-metrics.ts';
import { jointMomentsOf } from '../../operator/statistics/moments.ts';
import type { RecordedUnit } from './recorded-units.ts';
import { binValues } from './value-bins.ts';

/** Of one unit and metric: sum and number of its values, and whether one is above 0. */
type Sums = { sum: number; count: number; positive: boolean };
type Unit = { readonly variant: string; readonly sums: Map<string, Sums> };

const NOTHING: Readonly<Sums> = { sum: 0, count: 0, positive: false };

/**
 * Units as they become known, measured by the rules of operator/kinds/ab-test/README.md: one that is seen
 * in a second variant counts nowhere, and values are summed up per unit. A unit's first row is its first
 * exposure, so nothing comes before it and there is no covariate.
 */
export class RecordedMeasure {
  readonly #variants: readonly string[];
  readonly #metrics: readonly MetricDefinition[];
  readonly #units = new Map<string, Unit>();
  readonly #conflicting = new Set<string>();

  constructor(variants: readonly string[], metrics: readonly MetricDefinition[]) {
    this.#variants = variants;
    this.#metrics = metrics;
  }

  take({ unit, variant, metric, value }: RecordedUnit): void {
    const known = this.#units.get(unit) ?? { variant, sums: new Map<string, Sums>() };
    this.#units.set(unit, known);
    if (known.variant !== variant) this.#conflicting.add(unit);
    if (metric === undefined) return;
    const sums = known.sums.get(metric) ?? { ...NOTHING };
    sums.sum += value;
    sums.count += 1;
    sums.positive ||= value > 0;
    known.sums.set(metric, sums);
  }

  measure(): Measurement {
    const members = new Map<string, Unit[]>(this.#variants.map((variant) => [variant, []]));
    for (const [name, unit] of this.#units) {
      if (!this.#conflicting.has(name)) members.get(unit.variant)?.push(unit);
    }
    return {
      variants: [...members].map(([variant, units]) => ({ variant, units: units.length })),
      conflictingUnits: this.#conflicting.size,
      ...{ outcomesOfUnknownUnits: 0, outcomesBeforeExposure: 0, periods: [] },
      metrics: this.#metrics.flatMap((metric) =>
        aggregatesOf(perVariant(metric, members), this.#variants).map(([variant, aggregate]) => ({
          ...{ variant, metric: metric.name, aggregate },
        })),
      ),
    };
  }
}

const perVariant = (
  metric: MetricDefinition,
  members: ReadonlyMap<string, readonly Unit[]>,
): PerVariant => {
  const { name, type, numerator = '', denominator = '' } = metric;
  const by = <T>(make: (units: readonly Unit[]) => T): ReadonlyMap<string, T> =>
    new Map(
      [...members]
        .filter(([, units]) => units.length > 0)
        .map(([variant, units]) => [variant, make(units)]),
    );
  const pairs = (first: (unit: Unit) => number, second: (unit: Unit) => number) =>
    by((units) =>
      jointMomentsOf(units.map((unit): readonly [number, number] => [first(unit), second(unit)])),
    );
  const sumOf = (of: string) => (unit: Unit) => sumsOf(unit, of).sum;
  const isRequest = requestMetricOf(metric) !== undefined;
  switch (type) {
    case 'ratio':
      return { type, pairs: pairs(sumOf(numerator), sumOf(denominator)) };
    case 'proportion':
      return isRequest
        ? { type: 'ratio', pairs: pairs(sumOf(name), (unit) => sumsOf(unit, name).count) }
        : {
            type,
            counts: by((units) => ({
              units: units.length,
              successes: units.filter((unit) => sumsOf(unit, name).positive).length,
            })),
          };
    case 'mean':
      return { type, pairs: pairs(isRequest ? meanOf(name) : sumOf(name), () => 0) };
    case 'quantile':
      return { type, bins: by((units) => binValues(units.filter(has(name)).map(meanOf(name)))) };
  }
};

const sumsOf = ({ sums }: Unit, metric: string): Readonly<Sums> => sums.get(metric) ?? NOTHING;

const has =
  (metric: string) =>
  (unit: Unit): boolean =>
    sumsOf(unit, metric).count > 0;

const meanOf =
  (metric: string) =>
  (unit: Unit): number => {
    const { sum, count } = sumsOf(unit, metric);
    return count === 0 ? 0 : sum / count;
  };
