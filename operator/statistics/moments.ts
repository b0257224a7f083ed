/**
 * Moments that merge without losing digits: Welford 1962 for one value, Chan, Golub & LeVeque 1983
 * for two sets. Sums of squares would lose all digits of the variance where the mean is large.
 */

/** Of `count` values: their mean and m2, the sum of squared deviations from it. */
export type Moments = { readonly count: number; readonly mean: number; readonly m2: number };

/** Of `count` pairs: the moments of both, and cross, the sum of products of their deviations. */
export type JointMoments = {
  readonly count: number;
  readonly first: Spread;
  readonly second: Spread;
  readonly cross: number;
};

type Spread = { readonly mean: number; readonly m2: number };

export const noMoments: Moments = { count: 0, mean: 0, m2: 0 };

export const noJointMoments: JointMoments = {
  count: 0,
  first: { mean: 0, m2: 0 },
  second: { mean: 0, m2: 0 },
  cross: 0,
};

export const momentsOf = (values: Iterable<number>): Moments => {
  let moments = noMoments;
  for (const value of values) moments = mergeMoments(moments, { count: 1, mean: value, m2: 0 });
  return moments;
};

export const jointMomentsOf = (pairs: Iterable<readonly [number, number]>): JointMoments => {
  let moments = noJointMoments;
  for (const [first, second] of pairs) {
    moments = mergeJointMoments(moments, {
      count: 1,
      first: { mean: first, m2: 0 },
      second: { mean: second, m2: 0 },
      cross: 0,
    });
  }
  return moments;
};

export const mergeMoments = (a: Moments, b: Moments): Moments => {
  const count = a.count + b.count;
  if (count === 0) return noMoments;
  return { count, ...mergeSpread([a.count, a], [b.count, b]) };
};

export const mergeJointMoments = (a: JointMoments, b: JointMoments): JointMoments => {
  const count = a.count + b.count;
  if (count === 0) return noJointMoments;
  const shiftOfFirst = b.first.mean - a.first.mean;
  const shiftOfSecond = b.second.mean - a.second.mean;
  return {
    count,
    first: mergeSpread([a.count, a.first], [b.count, b.first]),
    second: mergeSpread([a.count, a.second], [b.count, b.second]),
    cross: a.cross + b.cross + shiftOfFirst * shiftOfSecond * a.count * (b.count / count),
  };
};

/** Unbiased variance of the values; with fewer than two of them it is unknown: infinite. */
export const variance = ({ count, m2 }: Moments): number =>
  count < 2 ? Number.POSITIVE_INFINITY : m2 / (count - 1);

type Counted<T> = readonly [count: number, spread: T];

const mergeSpread = ([countA, a]: Counted<Spread>, [countB, b]: Counted<Spread>): Spread => {
  const shift = b.mean - a.mean;
  const share = countB / (countA + countB);
  return { mean: a.mean + shift * share, m2: a.m2 + b.m2 + shift * shift * countA * share };
};
