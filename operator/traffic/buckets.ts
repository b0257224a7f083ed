/**
 * Which buckets of units the candidates of an A/B test get; control gets what is left. The answer
 * depends on the weights alone: nothing has to be remembered for a unit to keep its variant.
 */
import { BUCKETS } from './unit-hash.ts';

export type CandidateShare = {
  readonly name: string;
  /** Whole percent of the units, 0 … 100. */
  readonly weight: number;
};

export type CandidateBuckets = {
  readonly name: string;
  /** Ascending, as many as the weight is percent. */
  readonly buckets: readonly number[];
};

/**
 * Each of n candidates has a home of 100/n neighbouring buckets, which it fills from the lower end.
 * One that needs more takes from the homes of the others the buckets that these would fill last.
 *
 * Raising a weight moves no unit off that candidate. Between other candidates no unit moves where
 * there are at most two of them (they grow towards each other), nor where no weight is beyond its
 * home. More is impossible: three candidates that never take from one another would need
 * 3 × 50 buckets of their own to grow to 50 % each.
 *
 * To take out one candidate without moving units of the others, leave its weight and send its
 * buckets to control. Throws a RangeError for weights that are not whole, or over 100 in sum.
 */
export const bucketRanges = (shares: readonly CandidateShare[]): CandidateBuckets[] => {
  check(shares);
  const homes = shares.map((_, at) => homeOf(at, shares.length));
  const taken = shares.map(({ weight }, at) => (homes[at] ?? []).slice(0, weight));
  const free = new Set(Array.from({ length: BUCKETS }, (_, bucket) => bucket));
  for (const bucket of taken.flat()) free.delete(bucket);
  return shares.map(({ name, weight }, at) => {
    const home = taken[at] ?? [];
    const more = abroad(homes, at).filter((bucket) => free.has(bucket));
    const beyond = more.slice(0, weight - home.length);
    for (const bucket of beyond) free.delete(bucket);
    return { name, buckets: [...home, ...beyond].toSorted((one, other) => one - other) };
  });
};

/**
 * RE2 for exactly these buckets as the gateway writes them, in two digits (Istio takes up to 1024
 * characters; this is a tenth of it). Throws a RangeError for none: such a route is to be left out.
 */
export const bucketRegex = (buckets: readonly number[]): string => {
  if (buckets.length === 0) throw new RangeError('no buckets: leave the route out');
  const tensOf = new Map<string, number[]>();
  for (let ten = 0; ten < 10; ten++) {
    const units = buckets.filter((bucket) => Math.floor(bucket / 10) === ten);
    if (units.length === 0) continue;
    const digits = digitClass(units.map((bucket) => bucket % 10));
    tensOf.set(digits, [...(tensOf.get(digits) ?? []), ten]);
  }
  const parts = [...tensOf].map(([digits, tens]) => `${digitClass(tens)}${digits}`);
  return `^(${parts.join('|')})$`;
};

const check = (shares: readonly CandidateShare[]): void => {
  const wrong = shares.find(({ weight }) => !(Number.isInteger(weight) && weight >= 0));
  if (wrong !== undefined) {
    throw new RangeError(`the weight of ${wrong.name} must be whole percents, not ${wrong.weight}`);
  }
  const sum = shares.reduce((total, { weight }) => total + weight, 0);
  if (sum > BUCKETS) throw new RangeError(`weights must sum to at most 100, not ${sum}`);
};

const homeOf = (at: number, candidates: number): number[] => {
  const first = Math.floor((at * BUCKETS) / candidates);
  const end = Math.floor(((at + 1) * BUCKETS) / candidates);
  return Array.from({ length: end - first }, (_, depth) => first + depth);
};

/** Buckets of other homes, those that are filled last first; of equal ones the next home's. */
const abroad = (homes: readonly (readonly number[])[], at: number): number[] =>
  [...homes.slice(at + 1), ...homes.slice(0, at)]
    .flatMap((home) => home.map((bucket, depth) => ({ bucket, depth })))
    .toSorted((one, other) => other.depth - one.depth)
    .map(({ bucket }) => bucket);

const digitClass = (digits: readonly number[]): string => {
  const runs: string[] = [];
  for (const digit of digits.toSorted((one, other) => one - other)) {
    const run = runs.at(-1);
    if (run !== undefined && Number(run.at(-1)) === digit - 1) runs[runs.length - 1] = run + digit;
    else runs.push(String(digit));
  }
  if (runs.length === 1 && runs[0]?.length === 1) return runs[0];
  return `[${runs.map((run) => (run.length > 2 ? `${run[0]}-${run.at(-1)}` : run)).join('')}]`;
};
