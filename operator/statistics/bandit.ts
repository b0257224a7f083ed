import type { Posterior } from './posteriors.ts';
import { nodesBetween } from './quadrature.ts';

/**
 * P(the arm's value is the greatest) of each arm, by quadrature: what Thompson sampling (1933) gives
 * each arm on average. For a metric that should be small, pass posteriors of its negative.
 */
export const probabilitiesBest = (arms: readonly Posterior[]): readonly number[] => {
  const widest = Math.min(...arms.map((arm) => arm.widest));
  const nodes = nodesBetween(
    arms.flatMap(({ knots }) => knots),
    widest,
  );
  const best = arms.map(() => 0);
  for (const { at, weight } of nodes) {
    const cdfs = arms.map((arm) => arm.cdf(at));
    arms.forEach((arm, index) => {
      const others = cdfs.reduce(
        (product, cdf, other) => (other === index ? product : product * cdf),
        1,
      );
      best[index] = (best[index] ?? 0) + weight * arm.density(at) * others;
    });
  }
  const total = best.reduce((sum, each) => sum + each, 0);
  return best.map((each) => each / total);
};

/**
 * Whole percents that sum to exactly 100: each arm its floor, and its share of the rest by the largest
 * remainder (Hamilton), the earlier arm where remainders are equal.
 * @throws Error where the floors leave nothing to share
 */
export const trafficWeights = (shares: readonly number[], floor: number): readonly number[] => {
  const rest = 100 - floor * shares.length;
  if (!Number.isInteger(floor) || floor < 0 || rest < 0) {
    throw new Error(
      `a floor of ${floor} % does not fit ${shares.length} arms: it must be a whole number from 0, and all of them at most 100 together`,
    );
  }
  const total = shares.reduce((sum, share) => sum + share, 0);
  if (!(total > 0) || shares.some((share) => !(share >= 0))) {
    throw new Error(`the shares ${shares.join(', ')} must be from 0 and not all 0`);
  }
  const exact = shares.map((share) => (rest * share) / total);
  const whole = exact.map(Math.floor);
  const left = rest - whole.reduce((sum, each) => sum + each, 0);
  const luckiest = exact
    .map((value, index) => ({ index, remainder: value - Math.floor(value) }))
    .sort((a, b) => b.remainder - a.remainder || a.index - b.index)
    .slice(0, left);
  const extra = new Set(luckiest.map(({ index }) => index));
  return whole.map((each, index) => floor + each + (extra.has(index) ? 1 : 0));
};
