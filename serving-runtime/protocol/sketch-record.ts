/**
 * What a window of predictions looked like, feature by feature: small, mergeable over pods and windows,
 * without any single row. Quantiles are a DDSketch (Masson, Rim, Lee, VLDB 2019) of 1 % relative error,
 * frequent values a Space-Saving summary (Metwally, Agrawal, El Abbadi, ICDT 2005).
 */
import { DDSketch } from '@datadog/sketches-js';

export type FeatureSummary = {
  /** Values looked at, those that are missing or infinite included. */
  readonly count: number;
  /** NaN. */
  readonly nulls: number;
  readonly infinite: number;
  /** Absent where no value was a finite number. */
  readonly numbers?: NumberSummary;
  /** Of integers, booleans and texts, most frequent first. */
  readonly values?: readonly FrequentValue[];
};

export type NumberSummary = {
  readonly count: number;
  readonly mean: number;
  /** Sum of squared distances from the mean: the variance times count. */
  readonly m2: number;
  readonly min: number;
  readonly max: number;
  /** The DDSketch as base64 of its protobuf. */
  readonly quantiles: string;
};

/** Counted `count` times, of which at most `error` were other values. */
export type FrequentValue = readonly [value: string, count: number, error: number];

export type SketchRecord = FeatureSummary & {
  readonly type: 'sketch';
  /** The name it is served under. */
  readonly model: string;
  readonly version: string;
  readonly role: 'input' | 'output';
  /** The tensor's name, with `[column]` where it has several columns. */
  readonly feature: string;
  /** RFC 3339, UTC. */
  readonly windowStart: string;
  readonly windowMs: number;
};

/** Values kept of one feature; the least frequent go first. */
export const keptValues = 64;

/** What both describe together. Throws where the quantiles of one are no DDSketch. */
export function mergeSummaries(a: FeatureSummary, b: FeatureSummary): FeatureSummary {
  const numbers = a.numbers && b.numbers ? mergeNumbers(a.numbers, b.numbers) : undefined;
  const either = numbers ?? a.numbers ?? b.numbers;
  const values = mergeValues(a.values ?? [], b.values ?? []);
  return {
    count: a.count + b.count,
    nulls: a.nulls + b.nulls,
    infinite: a.infinite + b.infinite,
    ...(either === undefined ? {} : { numbers: either }),
    ...(values.length === 0 ? {} : { values }),
  };
}

/** Chan, Golub, LeVeque 1979 for mean and m2. */
function mergeNumbers(a: NumberSummary, b: NumberSummary): NumberSummary {
  const count = a.count + b.count;
  const delta = b.mean - a.mean;
  const quantiles = openQuantiles(a);
  quantiles.merge(openQuantiles(b));
  return {
    count,
    mean: a.mean + (delta * b.count) / count,
    m2: a.m2 + b.m2 + (delta * delta * a.count * b.count) / count,
    min: Math.min(a.min, b.min),
    max: Math.max(a.max, b.max),
    quantiles: Buffer.from(quantiles.toProto()).toString('base64'),
  };
}

/**
 * Agarwal et al., PODS 2012: counts add up; what one side does not list may have been there as often as
 * its least listed value.
 */
function mergeValues(
  a: readonly FrequentValue[],
  b: readonly FrequentValue[],
): readonly FrequentValue[] {
  const [leastA, leastB] = [leastOf(a), leastOf(b)];
  const listedB = new Map(b.map(([value, ...rest]) => [value, rest] as const));
  const merged = a.map(([value, count, error]): FrequentValue => {
    const [more, moreError] = listedB.get(value) ?? [leastB, leastB];
    listedB.delete(value);
    return [value, count + more, error + moreError];
  });
  for (const [value, [count, error]] of listedB) {
    merged.push([value, count + leastA, error + leastA]);
  }
  return merged.sort(([, x], [, y]) => y - x).slice(0, keptValues);
}

/** How often a value that is not listed can have come. */
const leastOf = (values: readonly FrequentValue[]): number =>
  values.length < keptValues ? 0 : (values.at(-1)?.[1] ?? 0);

/** The value below which the share `q` (0 to 1) of the numbers lies, to 1 % of itself. */
export function quantileOf(numbers: NumberSummary, q: number): number {
  if (q === 0) return numbers.min;
  if (q === 1) return numbers.max;
  const value = openQuantiles(numbers).getValueAtQuantile(q);
  return Math.min(numbers.max, Math.max(numbers.min, value));
}

const openQuantiles = ({ quantiles }: NumberSummary) =>
  DDSketch.fromProto(Buffer.from(quantiles, 'base64'));
