/** A summary as cells of counts, so that two of them can be compared. */
import { DDSketch } from '@datadog/sketches-js';
import type { FeatureSummary, NumberSummary } from './sketch-record.ts';
import { keptValues } from './sketch-record.ts';

/** `count` values that are `value` to 1 % of itself, as all sketches of one accuracy bin them. */
export type NumberBin = { readonly value: number; readonly count: number };

/** Ascending, without empty ones. Throws where the quantiles are no DDSketch. */
export function binsOf({ quantiles }: NumberSummary): readonly NumberBin[] {
  const { store, negativeStore, zeroCount, mapping } = DDSketch.fromProto(
    Buffer.from(quantiles, 'base64'),
  );
  const positive = binsOfStore(store, (key) => mapping.value(key));
  const negative = binsOfStore(negativeStore, (key) => -mapping.value(key)).reverse();
  const zero = zeroCount > 0 ? [{ value: 0, count: zeroCount }] : [];
  return [...negative, ...zero, ...positive];
}

type Store = { readonly bins: readonly number[]; readonly offset: number };

function binsOfStore({ bins, offset }: Store, valueOf: (key: number) => number): NumberBin[] {
  return bins.flatMap((count, i) => (count > 0 ? [{ value: valueOf(i + offset), count }] : []));
}

/** The summary in a record of JSON text; undefined where a pod sent something else. */
export function readSummary(record: string): FeatureSummary | undefined {
  try {
    const summary = JSON.parse(record) as FeatureSummary;
    const { count, nulls, infinite, numbers, values = [] } = summary;
    const counts = [
      count,
      nulls,
      infinite,
      ...values.flatMap(([, often, error]) => [often, error]),
    ];
    const numeric =
      numbers === undefined ? [] : binsOf(numbers).flatMap(({ value, count: n }) => [value, n]);
    return [...counts, ...numeric].every(Number.isFinite) ? summary : undefined;
  } catch {
    return undefined;
  }
}

/** How often each value came, where all of them are listed; undefined: there were others, or only numbers. */
export function countsOf({ values }: FeatureSummary): ReadonlyMap<string, number> | undefined {
  if (values === undefined || values.length >= keptValues) return undefined;
  return new Map(values.map(([value, count]) => [value, count]));
}

/** How often each listed value came at least; the rest of `count` is not listed. */
export function leastCountsOf({ values = [] }: FeatureSummary): ReadonlyMap<string, number> {
  return new Map(values.map(([value, count, error]) => [value, count - error]));
}
