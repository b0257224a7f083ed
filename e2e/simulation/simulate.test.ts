import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';

/** In a process of its own: a run replaces the global clock and randomness. */
const simulated = (seed: number): string =>
  execFileSync(process.execPath, [join(import.meta.dirname, 'main.ts'), '--seed', String(seed)], {
    encoding: 'utf8',
  });

describe('a simulation', () => {
  test('of one seed is the same each time, event by event', () => {
    const first = simulated(7);
    expect(first).toMatch(/^seed 7: \d+ events in \d+ s, trace [0-9a-f]{16}\n$/);
    expect(simulated(7)).toBe(first);
  }, 60_000);

  test('of another seed is another one', () => {
    expect(simulated(8).split('trace')[1]).not.toBe(simulated(9).split('trace')[1]);
  }, 60_000);
});
