import { describe, expect, test } from '@jest/globals';
import type { Clock } from './clock.ts';
import { ApiError } from './cluster.ts';
import { RetryPace } from './retry-pace.ts';

const EXPIRED = new ApiError(410, 'Expired', 'too old resource version');
const GONE = Object.assign(new Error('other side closed'), { code: 'UND_ERR_SOCKET' });
/** Nothing passes; with the largest random number delays are the whole steps of the backoff. */
const pace = (): RetryPace =>
  new RetryPace({ monotonic: () => 0 } as Partial<Clock> as Clock, () => 1);
const delays = (of: RetryPace, errors: readonly unknown[]): readonly number[] =>
  errors.map((error) => of.failed(error, undefined));

describe('how soon a watch is opened again', () => {
  test('grows with refusals in a row, up to half a minute', () => {
    const errors = Array.from({ length: 8 }, () => EXPIRED);
    expect(delays(pace(), errors)).toEqual([
      500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000,
    ]);
  });

  test('is at most 5 s while nobody answers', () => {
    const errors = Array.from({ length: 6 }, () => GONE);
    expect(delays(pace(), errors)).toEqual([500, 1_000, 2_000, 4_000, 5_000, 5_000]);
  });

  test('is counted anew when a server that was away answers again, be it a refusal', () => {
    expect(delays(pace(), [GONE, GONE, GONE, EXPIRED, EXPIRED])).toEqual([
      500, 1_000, 2_000, 500, 1_000,
    ]);
  });

  test('is no sooner than the server asked for', () => {
    const busy = new ApiError(429, 'TooManyRequests', 'busy', { retryAfterSeconds: 7 });
    expect(delays(pace(), [busy])).toEqual([7_000]);
  });
});
