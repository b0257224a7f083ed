/**
 * Shares of any scale as whole percentages that sum to exactly 100, in the same order: each gets
 * the whole part of its quota, and what is left goes one by one to the largest remainders, of equal
 * ones to the first (Hamilton's method of apportionment). No weight is a whole percent or more from
 * its quota; a share under half a percent may get 0.
 * Throws a RangeError for shares that are negative, not finite or all 0.
 */
export const integerWeights = (shares: readonly number[]): number[] => {
  const whole = shares.reduce((sum, share) => sum + share, 0);
  const wrong = shares.find((share) => !(share >= 0 && share < Infinity));
  if (wrong !== undefined) throw new RangeError(`a share must be a number from 0, not ${wrong}`);
  if (!(whole > 0 && whole < Infinity)) {
    throw new RangeError(`shares must sum to a number over 0, not ${whole}`);
  }
  const quotas = shares.map((share) => (share / whole) * 100);
  const weights = quotas.map(Math.floor);
  const left = 100 - weights.reduce((sum, weight) => sum + weight, 0);
  const byRemainder = quotas
    .map((quota, i) => ({ i, remainder: quota - Math.floor(quota) }))
    .toSorted((one, other) => other.remainder - one.remainder);
  for (const { i } of byRemainder.slice(0, left)) weights[i] = (weights[i] ?? 0) + 1;
  return weights;
};
