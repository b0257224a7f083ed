import { exactInterval } from '../../operator/statistics/binomial-bounds.ts';
import type { Interval } from '../../operator/statistics/confidence-sequence.ts';
import { CONTROL } from '../../operator/kinds/ab-test/test-plan.ts';
import { METHODS, type End, type Ends, type Method } from './simulate-test.ts';

/** Of how many tests; shares of them, and days until their end, given up ones included. */
export type Tally = {
  readonly tests: number;
  readonly promoted: number;
  /** Clopper & Pearson, 99 %. */
  readonly interval: Interval;
  readonly controlKept: number;
  readonly inconclusive: number;
  readonly medianDays: number;
  /** Nine of ten tests have ended by then. */
  readonly slowDays: number;
};

export const CONFIDENCE = 0.99;

export const tallyOf = (ends: readonly Ends[]): Readonly<Record<Method, Tally>> => {
  const [decide, threshold, repeated] = METHODS.map((method) =>
    tally(ends.map((each) => each[method])),
  );
  const none = tally([]);
  return { decide: decide ?? none, threshold: threshold ?? none, repeated: repeated ?? none };
};

const tally = (ends: readonly End[]): Tally => {
  const tests = ends.length;
  const count = (is: (winner: string) => boolean): number =>
    ends.filter(({ winner }) => is(winner)).length;
  const promoted = count((winner) => winner !== CONTROL && winner !== 'inconclusive');
  const days = ends.map((end) => end.days).sort((a, b) => a - b);
  const after = (share: number): number => days[Math.ceil(share * tests) - 1] ?? 0;
  return {
    tests,
    promoted: promoted / tests,
    interval: exactInterval({ successes: promoted, units: tests }, 1 - CONFIDENCE),
    controlKept: count((winner) => winner === CONTROL) / tests,
    inconclusive: count((winner) => winner === 'inconclusive') / tests,
    medianDays: after(0.5),
    slowDays: after(0.9),
  };
};
