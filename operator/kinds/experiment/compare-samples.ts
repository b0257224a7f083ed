import type { RunGroup } from './compare-groups.ts';
import { repetitionOf } from './compare-groups.ts';
import type { Interval } from '../../statistics/confidence-sequence.ts';
import { estimateMean, studentInterval } from '../../statistics/student.ts';

/** Why there is no interval or no test. */
export type Unknown = {
  readonly reason: 'NotEnoughRuns' | 'NoVariation';
  readonly message: string;
  /** Of `NotEnoughRuns`: how many are needed, in each group or as pairs. */
  readonly needed?: number;
};

/** The latest values of one metric in one group. */
export type Sample = {
  readonly group: string;
  readonly values: readonly { readonly repetition: string | undefined; readonly value: number }[];
  /** Ids of runs that never logged it. */
  readonly missing: readonly string[];
  /** Ids of runs whose latest value is NaN, infinite, or beyond 1e300: they are in no number here. */
  readonly notFinite: readonly string[];
};

export type SampleSummary = Pick<Sample, 'group' | 'missing' | 'notFinite'> & {
  readonly count: number;
  readonly mean?: number;
  readonly standardDeviation?: number;
  readonly interval?: Interval;
} & Partial<Unknown>;

/** A mean and an interval need so many. */
export const FEWEST = 2;

/** Beyond it, a difference or an interval would be infinite. */
const LARGEST = 1e300;

/** Numbers that differ by less, as a share of the largest of them, differ by rounding only. */
const GRAIN = 1e-13;

export const sampleOf = (
  { name, runs }: RunGroup,
  metric: string,
  keys: readonly string[],
): Sample => {
  const logged = runs.map((run) => ({
    runId: run.runId,
    repetition: repetitionOf(run, keys),
    value: run.metrics.find(({ key }) => key === metric)?.value,
  }));
  const usable = (value: number): boolean => Math.abs(value) <= LARGEST;
  return {
    group: name,
    values: logged.flatMap(({ repetition, value }) =>
      value !== undefined && usable(value) ? [{ repetition, value }] : [],
    ),
    missing: logged.filter(({ value }) => value === undefined).map(({ runId }) => runId),
    notFinite: logged
      .filter(({ value }) => value !== undefined && !usable(value))
      .map(({ runId }) => runId),
  };
};

/** Mean, deviation and Student's interval over the runs of a group, or why there is none. */
export const summaryOf = (sample: Sample, metric: string, alpha: number): SampleSummary => {
  const { group, missing, notFinite } = sample;
  const values = sample.values.map(({ value }) => value);
  const count = values.length;
  const scale = scaleOf(values);
  const estimate = estimateMean(values.map((value) => value / scale));
  const base = { group, count, missing, notFinite };
  const mean = estimate.value * scale;
  if (count < FEWEST) return { ...base, ...(count > 0 && { mean }), ...tooFew([sample], metric) };
  const told = {
    ...base,
    mean,
    standardDeviation: Math.sqrt(estimate.variance * count) * scale,
  };
  if (!varies(values, scale))
    return { ...told, ...noVariation(`"${metric}" is the same in every run of group "${group}"`) };
  const interval = studentInterval(estimate, alpha);
  return interval === undefined ? told : { ...told, interval: scaled(interval, scale) };
};

export const tooFew = (samples: readonly Sample[], metric: string): Unknown => {
  const short = samples
    .filter(({ values }) => values.length < FEWEST)
    .map(({ group, values }) => `group "${group}" has ${values.length}`);
  return {
    reason: 'NotEnoughRuns',
    needed: FEWEST,
    message:
      `${FEWEST} runs with a finite value of "${metric}" are needed in each group: ${short.join(', ')}. ` +
      'Add runs with other seeds or folds.',
  };
};

export const noVariation = (what: string): Unknown => ({
  reason: 'NoVariation',
  message:
    `${what}, so that nothing says how much of it is chance. ` +
    'See whether the seed has any effect.',
});

/** By which all are divided, so that no square of them overflows or vanishes. */
export const scaleOf = (values: readonly number[]): number =>
  Math.max(0, ...values.map(Math.abs)) || 1;

/** Whole numbers that are equal where the values are, but for rounding. */
export const grains = (values: readonly number[], scale: number): readonly number[] =>
  values.map((value) => Math.round(value / scale / GRAIN));

export const varies = (values: readonly number[], scale: number): boolean =>
  new Set(grains(values, scale)).size > 1;

export const scaled = ({ lower, upper }: Interval, scale: number): Interval => ({
  lower: lower * scale,
  upper: upper * scale,
});
