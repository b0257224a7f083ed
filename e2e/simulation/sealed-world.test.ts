import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { sealed } from './sealed-world.ts';

describe('a sealed world', () => {
  test.each([
    ['Date.now', () => Date.now()],
    ['new Date()', () => new Date()],
    ['Math.random', () => Math.random()],
    ['performance.now', () => performance.now()],
    ['setTimeout', () => setTimeout(() => undefined, 1)],
    ['setInterval', () => setInterval(() => undefined, 1)],
    ['fetch', () => void fetch('http://127.0.0.1')],
    ['a socket', () => connect(1, '127.0.0.1')],
  ])('refuses and notes %s', async (what, use) => {
    const noted = await sealed(
      () => undefined,
      async (breaches) => {
        expect(use).toThrow(what);
        return [...breaches];
      },
    );
    expect(noted).toEqual([what]);
  });

  test('is open again afterwards', async () => {
    await sealed(
      () => undefined,
      async () => undefined,
    );
    expect(Date.now()).toBeGreaterThan(0);
    expect(randomUUID()).toHaveLength(36);
    await new Promise((resolve) => setTimeout(resolve, 0));
  });

  test('lets a date of a given moment through', async () => {
    const moment = await sealed(
      () => undefined,
      async () => new Date('2026-01-01T00:00:00Z').toISOString(),
    );
    expect(moment).toBe('2026-01-01T00:00:00.000Z');
  });
});
