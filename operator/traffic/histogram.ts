/** How long things took, in buckets, as Prometheus' classic histograms have them. */
export type Histogram = {
  /** Upper bounds in seconds, inclusive and ascending; a last one of +Inf is implied. */
  readonly bounds: readonly number[];
  /** Observations in each bucket alone (not added up); one more than there are bounds. */
  readonly counts: readonly number[];
};

/** Of a process that has nothing to show yet, not even its bounds; goes with any bounds. */
export const emptyHistogram: Histogram = { bounds: [], counts: [0] };

export const observations = ({ counts }: Histogram): number =>
  counts.reduce((total, count) => total + count, 0);

/** Whether they can be added: the same bounds, or one of them has nothing to show yet. */
export const comparable = (one: Histogram, other: Histogram): boolean =>
  isEmpty(one) || isEmpty(other) || sameBounds(one, other);

/** All observations together; throws a RangeError when the bounds differ. */
export const sum = (histograms: readonly Histogram[]): Histogram =>
  histograms.reduce((one, other) => combine(one, other, (a, b) => a + b), emptyHistogram);

/**
 * What came to `before` until `after`; throws a RangeError when the bounds differ or a count went
 * down.
 */
export const difference = (after: Histogram, before: Histogram): Histogram => {
  const came = combine(after, before, (a, b) => a - b);
  if (came.counts.every((count) => count >= 0)) return came;
  throw new RangeError('the later histogram has fewer observations in a bucket than the earlier');
};

/**
 * The q-quantile (0 < q <= 1) in seconds, spread evenly within its bucket, the first of which
 * begins at 0; of observations over all bounds nothing is known but that, and the greatest bound is
 * given. Undefined without observations or bounds. As `histogram_quantile` of Prometheus:
 * https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile
 */
export const quantile = (histogram: Histogram, q: number): number | undefined => {
  if (!(q > 0 && q <= 1)) throw new RangeError(`a quantile must be over 0 and at most 1, not ${q}`);
  const { bounds, counts } = histogram;
  const rank = q * observations(histogram);
  if (rank === 0) return undefined;
  let below = 0;
  for (const [i, upper] of bounds.entries()) {
    const count = counts[i] ?? 0;
    if (below + count >= rank) return within(bounds[i - 1], upper, (rank - below) / count);
    below += count;
  }
  return bounds.at(-1);
};

/**
 * How many may have taken longer than `bound` seconds: all of the bucket that `bound` falls into
 * count, so that it is never too low, and exact where `bound` is one of the bounds.
 */
export const countAbove = ({ bounds, counts }: Histogram, bound: number): number =>
  counts.reduce((total, count, i) => ((bounds[i] ?? Infinity) > bound ? total + count : total), 0);

const within = (lower: number | undefined, upper: number, share: number): number => {
  if (lower === undefined && upper <= 0) return upper;
  const from = lower ?? 0;
  return from + (upper - from) * share;
};

const isEmpty = ({ bounds, counts }: Histogram): boolean =>
  bounds.length === 0 && counts.every((count) => count === 0);

const sameBounds = (one: Histogram, other: Histogram): boolean =>
  one.bounds.length === other.bounds.length &&
  one.bounds.every((bound, i) => bound === other.bounds[i]);

const combine = (
  one: Histogram,
  other: Histogram,
  join: (a: number, b: number) => number,
): Histogram => {
  if (!comparable(one, other)) {
    throw new RangeError(
      `histograms with different bounds: ${one.bounds.join(' ')} and ${other.bounds.join(' ')}`,
    );
  }
  const { bounds } = isEmpty(one) ? other : one;
  const counts = Array.from({ length: bounds.length + 1 }, (_, i) =>
    join(one.counts[i] ?? 0, other.counts[i] ?? 0),
  );
  return { bounds, counts };
};
