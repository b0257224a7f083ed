import { describe, expect, test } from '@jest/globals';
import { rangeOf } from './send-file.ts';

describe('the range of a download', () => {
  // RFC 9110, 14.1.2: examples for a representation of 10000 bytes.
  test.each([
    ['bytes=0-499', { start: 0, end: 499 }],
    ['bytes=500-999', { start: 500, end: 999 }],
    ['bytes=-500', { start: 9500, end: 9999 }],
    ['bytes=9500-', { start: 9500, end: 9999 }],
    ['bytes=9500-99999', { start: 9500, end: 9999 }],
    ['bytes=-20000', { start: 0, end: 9999 }],
  ])('%s is a part of the file', (header, range) => {
    expect(rangeOf(header, 10_000)).toEqual(range);
  });

  test.each([undefined, 'bytes=0-1,5-6', 'items=0-1', 'bytes=5-1', 'bytes=-', 'bytes=a-b'])(
    '%s is answered with all of it',
    (header) => {
      expect(rangeOf(header, 10_000)).toBe('all');
    },
  );

  test.each([
    ['bytes=10000-', 10_000],
    ['bytes=-0', 10_000],
    ['bytes=0-', 0],
  ])('%s lies outside of a file of %d bytes', (header, size) => {
    expect(rangeOf(header, size)).toBe('none');
  });
});
