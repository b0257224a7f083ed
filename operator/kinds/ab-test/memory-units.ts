import type { NewPrediction } from '../../store/predictions.ts';
import type { Outcome, TestScope } from './outcome-store.ts';

/** One unit with all it did, for the store in memory. Times in ms since 1970. */
export type Unit = {
  variant: string;
  firstSeen: number;
  conflicting: boolean;
  readonly requests: NewPrediction[];
};

/** `unit` is undefined where it named a request that was not logged. */
export type NamedOutcome = {
  readonly unit: string | undefined;
  readonly metric: string;
  readonly value: number;
  readonly at: number;
};

/** A logged request, and when it was taken in. */
export type Request = { readonly prediction: NewPrediction; readonly absorbedAt: number };

export const unitsOf = (
  test: TestScope,
  requests: readonly Request[],
): ReadonlyMap<string, Unit> => {
  const units = new Map<string, Unit>();
  for (const { prediction, absorbedAt } of requests) {
    const { unit, variant = '', at } = prediction;
    if (unit === undefined || !test.variants.includes(variant)) continue;
    if (Date.parse(at) < Date.parse(test.since)) continue;
    const seen = Math.min(Date.parse(at), absorbedAt);
    const known = units.get(unit);
    if (known === undefined) {
      units.set(unit, { variant, firstSeen: seen, conflicting: false, requests: [prediction] });
      continue;
    }
    known.requests.push(prediction);
    known.conflicting ||= known.variant !== variant;
    known.firstSeen = Math.min(known.firstSeen, seen);
  }
  return units;
};

export const nameOutcomes = (
  outcomes: readonly Outcome[],
  requests: readonly Request[],
): readonly NamedOutcome[] =>
  outcomes.map(({ of, metric, value, at }) => {
    if ('unit' in of) return { unit: of.unit, metric, value, at: Date.parse(at) };
    const found = requests
      .map(({ prediction }) => prediction)
      .find(({ id, unit }) => id === of.predictionId && unit !== undefined);
    const after = found === undefined ? 0 : Date.parse(found.at) + 0.001;
    return { unit: found?.unit, metric, value, at: Math.max(Date.parse(at), after) };
  });
