import { describe, expect, test } from '@jest/globals';
import { seededRandom } from '../../e2e/seeded-random.ts';
import { trafficWeights } from './bandit.ts';
import { effectiveCount, inverselyWeighted, type Stratum } from './inverse-propensity.ts';
import { compareSequentially } from './sequential-comparison.ts';
import { normalCdf } from './special-functions.ts';
import { compareWeighted } from './weighted-comparison.ts';

const OPTIONS = { alpha: 0.05, plannedUnits: 2000 };

const stratum = (propensity: number, units: number, successes: number): Stratum => ({
  propensity,
  aggregate: { type: 'proportion', units, successes },
});

describe('a comparison with inverse-propensity weights', () => {
  test('is the plain one where the shares stay', () => {
    const plain = compareSequentially(
      { type: 'proportion', units: 3000, successes: 300 },
      { type: 'proportion', units: 1000, successes: 130 },
      OPTIONS,
    );
    const control = [stratum(0.75, 1000, 110), stratum(0.75, 2000, 190)];
    const treatment = [stratum(0.25, 400, 50), stratum(0.25, 600, 80)];
    const weighted = compareWeighted(control, treatment, OPTIONS);
    expect(weighted.effect).toBeCloseTo(plain.effect ?? 0, 12);
    expect(weighted.logEvalue).toBeCloseTo(plain.logEvalue, 9);
    expect(weighted.interval.lower).toBeCloseTo(plain.interval.lower, 9);
  });

  test('sees no difference where only the times differ', () => {
    // Both sell to one in ten at first and to one in three then, when treatment has 9 of 10 units.
    const control = [stratum(0.9, 9000, 900), stratum(0.1, 1000, 333)];
    const treatment = [stratum(0.1, 1000, 100), stratum(0.9, 9000, 3000)];
    expect(Math.abs(compareWeighted(control, treatment, OPTIONS).effect ?? 1)).toBeLessThan(0.001);
    expect(compareWeighted(control, treatment, OPTIONS).pValue).toBe(1);
  });

  test('has the exact test of what came at first before the burn-in is over', () => {
    const pooled = (units: number, successes: number) =>
      ({ type: 'proportion', units, successes }) as const;
    const weighted = compareWeighted(
      [stratum(0.5, 200, 100), stratum(0.8, 200, 100)],
      [stratum(0.5, 100, 0), stratum(0.2, 50, 0)],
      OPTIONS,
    );
    expect(weighted).toEqual(compareSequentially(pooled(200, 100), pooled(100, 0), OPTIONS));
    expect(weighted.pValue).toBeLessThan(0.001);
  });

  test('knows nothing without units', () => {
    expect(compareWeighted([], [], OPTIONS).pValue).toBe(1);
  });
});

/** What a bandit of two equal arms would do next; both beliefs about normal, which is fast. */
const nextShare = (arms: readonly (readonly Stratum[])[]): number => {
  const [control, treatment] = arms.map((strata) => {
    const { units, successes } = effectiveCount(inverselyWeighted(strata, 'arm'));
    const mean = (1 + successes) / (2 + units);
    return { mean, variance: (mean * (1 - mean)) / (3 + units) };
  }) as [Belief, Belief];
  const z = (treatment.mean - control.mean) / Math.sqrt(control.variance + treatment.variance);
  return (trafficWeights([normalCdf(-z), normalCdf(z)], 5)[1] ?? 0) / 100;
};

type Belief = { readonly mean: number; readonly variance: number };

/** An A/A stream: 60 batches of 200 units, shares by Thompson sampling, sales that grow by the hour. */
const everRejects = (random: () => number): boolean => {
  const arms: [Stratum[], Stratum[]] = [[], []];
  let share = 0.5;
  for (let batch = 0; batch < 60; batch += 1) {
    const counts = [0, 0, 0, 0];
    const rate = 0.1 + batch / 300;
    for (let unit = 0; unit < 200; unit += 1) {
      const arm = random() < share ? 1 : 0;
      counts[2 * arm] = (counts[2 * arm] ?? 0) + 1;
      if (random() < rate) counts[2 * arm + 1] = (counts[2 * arm + 1] ?? 0) + 1;
    }
    arms[0].push(stratum(1 - share, counts[0] ?? 0, counts[1] ?? 0));
    arms[1].push(stratum(share, counts[2] ?? 0, counts[3] ?? 0));
    if (compareWeighted(...arms, OPTIONS).pValue <= OPTIONS.alpha) return true;
    share = nextShare(arms);
  }
  return false;
};

test('false positives of a bandit that is looked at 60 times, with a trend, are within alpha', () => {
  const random = seededRandom(20_261);
  let rejections = 0;
  for (let stream = 0; stream < 100; stream += 1) if (everRejects(random)) rejections += 1;
  // scipy 1.17.1: binom.ppf(0.99, 100, 0.05)
  expect(rejections).toBeLessThanOrEqual(11);
});
