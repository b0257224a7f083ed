/** Answers of a version that gets copies of requests, beside those of the version that answers. Pure. */

/** How far two numbers may differ, as NumPy's isclose has it: |a - b| <= absolute + relative * |a|. */
export type Tolerance = { readonly absolute: number; readonly relative: number };

/** The defaults of numpy.isclose. */
export const TOLERANCE: Tolerance = { absolute: 1e-8, relative: 1e-5 };

/** What one side did, over the pairs. */
export type Side = {
  readonly version: string;
  /** Answers with a status of 400 and more. */
  readonly errors: number;
  /** Milliseconds; absent without pairs. */
  readonly p50Ms?: number;
  readonly p99Ms?: number;
  readonly meanMs?: number;
};

/** Requests that were logged by one version or both, matched by the id of the request. */
export type Pairing = {
  /** Ids that each of the two answered once. */
  readonly pairs: number;
  /** Ids of which only one side is there: not copied, not logged yet, or lost. */
  readonly stableOnly: number;
  readonly candidateOnly: number;
  /** Ids that a side answered more than once, which says nothing about which belong together. */
  readonly ambiguous: number;
  /** Whether there are older requests than could be looked at. */
  readonly truncated: boolean;
  readonly stable: Side;
  readonly candidate: Side;
  /** Records of the latest pairs, as JSON text. */
  readonly latest: readonly PairOfRecords[];
};

export type PairOfRecords = { readonly stable: string; readonly candidate: string };

export type OutputReport = {
  readonly name: string;
  readonly datatype: string;
  /** Values that were compared, one by one. */
  readonly values: number;
  /** Of those: the same to the last digit. */
  readonly equal: number;
  readonly withinTolerance: number;
  /** Of numbers that are finite on both sides; relative to the larger of the two. */
  readonly maxAbsolute?: number;
  readonly meanAbsolute?: number;
  readonly maxRelative?: number;
  readonly meanRelative?: number;
};

export type Comparison = {
  /** Pairs whose outputs were compared. */
  readonly compared: number;
  /** Of those: every output within the tolerance. */
  readonly agreeing: number;
  /** Pairs where a side failed, or of which no outputs were logged. */
  readonly incomparable: number;
  /** By name; at most 16. */
  readonly outputs: readonly OutputReport[];
};

export type ShadowReport = Omit<Pairing, 'latest'> &
  Comparison & {
    /** RFC 3339 */
    readonly since: string;
    readonly tolerance: Tolerance;
    /** Share of the compared pairs that agree, from 0 to 1; absent where none was. */
    readonly agreement?: number;
  };

export const reportOf = (
  { latest, ...counts }: Pairing,
  since: string,
  tolerance: Tolerance = TOLERANCE,
): ShadowReport => {
  const comparison = compare(latest, tolerance);
  const { compared, agreeing } = comparison;
  const agreement = compared === 0 ? {} : { agreement: agreeing / compared };
  return { since, tolerance, ...counts, ...comparison, ...agreement };
};

export const compare = (
  pairs: readonly PairOfRecords[],
  tolerance: Tolerance = TOLERANCE,
): Comparison => {
  const tallies = new Map<string, Tally>();
  let [agreeing, incomparable] = [0, 0];
  for (const pair of pairs) {
    const [stable, candidate] = [outputsOf(pair.stable), outputsOf(pair.candidate)];
    if (stable === undefined || candidate === undefined) incomparable++;
    else if (agree(stable, candidate, tolerance, tallies)) agreeing++;
  }
  const compared = pairs.length - incomparable;
  const outputs = [...tallies.values()].slice(0, MOST_OUTPUTS).map((tally) => tally.report());
  return { compared, agreeing, incomparable, outputs };
};

const MOST_OUTPUTS = 16;

type Output = {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly data: readonly unknown[];
};

/** Undefined where the request failed, or its outputs were not kept. */
const outputsOf = (record: string): readonly Output[] | undefined => {
  const { status, outputs } = JSON.parse(record, keepingDigits) as {
    readonly status: number;
    readonly outputs?: readonly Output[];
  };
  return status >= 400 || !outputs?.every(({ data }) => Array.isArray(data)) ? undefined : outputs;
};

/** Whole numbers beyond 2^53 stay text, or two that differ would look the same. */
const keepingDigits = (_key: string, value: unknown, context?: { source?: string }): unknown => {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  const source = context?.source ?? '';
  return /^-?\d+$/.test(source) ? source : value;
};

const agree = (
  stable: readonly Output[],
  candidate: readonly Output[],
  tolerance: Tolerance,
  tallies: Map<string, Tally>,
): boolean => {
  let isSame = stable.length === candidate.length;
  for (const one of stable) {
    const other = candidate.find(({ name }) => name === one.name);
    const tally = tallies.get(one.name) ?? new Tally(one);
    tallies.set(one.name, tally);
    isSame = tally.add(one, other, tolerance) && isSame;
  }
  return isSame;
};

const isFloating = (datatype: string): boolean => /^(FP|BF)/.test(datatype);

class Tally {
  readonly #of: Output;
  #values = 0;
  #equal = 0;
  #within = 0;
  #finite = 0;
  #absolute = { max: 0, sum: 0 };
  #relative = { max: 0, sum: 0 };

  constructor(of: Output) {
    this.#of = of;
  }

  /** Whether all are the same, within the tolerance. Another shape or type makes all of them differ. */
  add(one: Output, other: Output | undefined, tolerance: Tolerance): boolean {
    this.#values += one.data.length;
    if (other?.datatype !== one.datatype || String(other.shape) !== String(one.shape)) return false;
    let within = 0;
    for (const [i, a] of one.data.entries()) {
      if (this.#same(a, other.data[i], tolerance)) within++;
    }
    this.#within += within;
    return within === one.data.length && other.data.length === one.data.length;
  }

  #same(a: unknown, b: unknown, { absolute, relative }: Tolerance): boolean {
    if (a === b) this.#equal++;
    if (typeof a !== 'number' || typeof b !== 'number') return a === b;
    const difference = Math.abs(a - b);
    this.#note(difference, a === b ? 0 : difference / Math.max(Math.abs(a), Math.abs(b)));
    const allowed = isFloating(this.#of.datatype) ? absolute + relative * Math.abs(a) : 0;
    return difference <= allowed;
  }

  #note(absolute: number, relative: number): void {
    this.#finite++;
    this.#absolute.max = Math.max(this.#absolute.max, absolute);
    this.#absolute.sum += absolute;
    this.#relative.max = Math.max(this.#relative.max, relative);
    this.#relative.sum += relative;
  }

  report(): OutputReport {
    const { name, datatype } = this.#of;
    const found = { name, datatype, values: this.#values, equal: this.#equal };
    const counts = { ...found, withinTolerance: this.#within };
    if (this.#finite === 0) return counts;
    return {
      ...counts,
      maxAbsolute: this.#absolute.max,
      meanAbsolute: this.#absolute.sum / this.#finite,
      maxRelative: this.#relative.max,
      meanRelative: this.#relative.sum / this.#finite,
    };
  }
}
