import { describe, expect, test } from '@jest/globals';
import { ApiError } from './cluster.ts';
import { askedDelayMs, isTransient } from './retry-policy.ts';

const withCode = (code: string): Error => Object.assign(new Error('no'), { code });

describe('what may go better without help', () => {
  test.each([
    ['a conflict', new ApiError(409, 'Conflict', 'changed')],
    ['a server that is overloaded', new ApiError(429, 'TooManyRequests', 'slow')],
    ['a server that fails', new ApiError(500, 'InternalError', 'oops')],
    ['a server that is not there', new ApiError(503, 'Unavailable', 'down')],
    ['a connection that broke', new TypeError('fetch failed', { cause: withCode('ECONNRESET') })],
    ['a socket closed by the other side', withCode('UND_ERR_SOCKET')],
    ['a call that took too long', new DOMException('late', 'TimeoutError')],
  ])('is %s', (_what, error) => {
    expect(isTransient(error)).toBe(true);
  });

  test.each([
    ['an invalid object', new ApiError(422, 'Invalid', 'bad')],
    ['a name that is taken', new ApiError(409, 'AlreadyExists', 'taken')],
    ['a right that is missing', new ApiError(403, 'Forbidden', 'no')],
    ['a fault of our own', new TypeError('x is undefined')],
    ['anything thrown', 'text'],
    ['nothing', undefined],
  ])('is not %s', (_what, error) => {
    expect(isTransient(error)).toBe(false);
  });

  test('waits as long as Retry-After says', () => {
    expect(askedDelayMs(new ApiError(429, '', '', { retryAfterSeconds: 2 }))).toBe(2_000);
    expect(askedDelayMs(new ApiError(500, '', ''))).toBe(0);
    expect(askedDelayMs(new Error('x'))).toBe(0);
  });
});
