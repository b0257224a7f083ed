export type BackoffOptions = {
  readonly baseMs: number;
  readonly maxMs: number;
};

/**
 * Exponential backoff with equal jitter: half of base·2ⁿ fixed, half random, so retries spread and
 * none comes at once.
 *
 * @param attempt failures so far, from 1
 * @param random a number in [0, 1)
 * @returns milliseconds, at most maxMs
 */
export const backoffMs = (attempt: number, random: number, options: BackoffOptions): number => {
  const full = Math.min(options.maxMs, options.baseMs * 2 ** Math.min(attempt - 1, 30));
  return Math.round(full / 2 + (full / 2) * random);
};
