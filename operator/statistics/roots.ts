/**
 * Where an increasing function is 0: regula falsi with the Illinois rule, which keeps the root between
 * two points and needs few steps.
 */
export const rootOf = (
  increasing: (at: number) => number,
  lower: number,
  upper: number,
): number => {
  let [low, high] = [lower, upper];
  let [below, above] = [increasing(low), increasing(high)];
  const enough = (upper - lower) * 1e-10;
  for (let step = 0; step < 60 && high - low > enough; step += 1) {
    const at = low - (below * (high - low)) / (above - below);
    const value = increasing(at);
    if (Math.abs(value) < 1e-13) return at;
    if (value < 0) {
      [low, below, above] = [at, value, above / 2];
    } else {
      [high, above, below] = [at, value, below / 2];
    }
  }
  return (low + high) / 2;
};

/** A function's value and slope at a point. */
export type Tangent = { readonly value: number; readonly slope: number };

/**
 * Where an increasing function is 0, or the end nearest to that: Newton's steps, or halves where one
 * would leave the bracket. At the ends the function may be infinite.
 */
export const rootByNewton = (
  increasing: (at: number) => Tangent,
  lower: number,
  upper: number,
): number => {
  if (increasing(lower).value >= 0) return lower;
  if (increasing(upper).value <= 0) return upper;
  let low = lower;
  let high = upper;
  let at = (low + high) / 2;
  for (let step = 0; step < 100 && at > low && at < high; step += 1) {
    const { value, slope } = increasing(at);
    if (value < 0) low = at;
    else high = at;
    const newton = at - value / slope;
    const next = newton > low && newton < high ? newton : (low + high) / 2;
    if ((next - at) ** 2 <= (1e-13 * at) ** 2) return next;
    at = next;
  }
  return at;
};
