import { describe, expect, test } from '@jest/globals';
import { seededRandom } from '../../e2e/seeded-random.ts';
import type { Aggregate } from './aggregates.ts';
import { mergeAggregates, unitsOf } from './aggregates.ts';
import { judgeRate } from './binomial-bounds.ts';
import { momentsOf } from './moments.ts';
import { sequentialSampleRatio } from './sample-ratio.ts';
import { compareSequentially } from './sequential-comparison.ts';
import { fixedPower } from './power.ts';
import { proportionsTest } from './fixed-horizon.ts';

/**
 * A/A tests: both variants are the same, and each stream is looked at 200 times from its first units on.
 * How many ever find a difference is at most alpha, plus what chance may add to that many streams.
 */
const ALPHA = 0.05;
const LOOKS = 200;
const STREAMS = 200;
const UNITS = 5_000;
/** 99 % point of Binomial(200, 0.05): scipy 1.17.1 binom.ppf(0.99, 200, 0.05) */
const AT_MOST = 18;

/** Spread on a logarithmic scale: as many looks at the first hundred units as at the last ones. */
const looks: number[] = [];
for (let look = 0; look < LOOKS; look += 1) {
  const spread = Math.round(2 * (UNITS / 2) ** (look / (LOOKS - 1)));
  looks.push(Math.max(spread, (looks.at(-1) ?? 1) + 1));
}

type Draw = (count: number, random: () => number) => Aggregate;

const proportion =
  (share: number): Draw =>
  (units, random) => {
    let successes = 0;
    for (let unit = 0; unit < units; unit += 1) if (random() < share) successes += 1;
    return { type: 'proportion', units, successes };
  };

const exponential: Draw = (count, random) => ({
  type: 'mean',
  values: momentsOf(Array.from({ length: count }, () => -Math.log(1 - random()))),
});

type Judge = (control: Aggregate, treatment: Aggregate) => boolean;

const everRejects = (draw: Draw, share: number, judge: Judge, random: () => number): boolean => {
  let [control, treatment] = [draw(0, random), draw(0, random)];
  for (const look of looks) {
    const more = look - unitsOf(control) - unitsOf(treatment);
    let treated = 0;
    for (let unit = 0; unit < more; unit += 1) if (random() < share) treated += 1;
    control = mergeAggregates(control, draw(more - treated, random));
    treatment = mergeAggregates(treatment, draw(treated, random));
    if (judge(control, treatment)) return true;
  }
  return false;
};

const rejections = (draw: Draw, share: number, judge: Judge): number => {
  const random = seededRandom(20_260);
  let count = 0;
  for (let stream = 0; stream < STREAMS; stream += 1) {
    if (everRejects(draw, share, judge, random)) count += 1;
  }
  return count;
};

const anytime: Judge = (control, treatment) =>
  compareSequentially(control, treatment, { alpha: ALPHA, plannedUnits: 2000 }).pValue <= ALPHA;

describe('false positives of tests that are looked at 200 times', () => {
  test.each([
    ['half of the units', 0.5, 0.5],
    ['one in twenty', 0.05, 0.5],
    ['one in a hundred', 0.01, 0.5],
    ['one in twenty, a tenth of them treated', 0.05, 0.1],
  ])('are within alpha for a proportion of %s', (_name, share, treated) => {
    expect(rejections(proportion(share), treated, anytime)).toBeLessThanOrEqual(AT_MOST);
  });

  test('are within alpha for a skewed mean', () => {
    expect(rejections(exponential, 0.5, anytime)).toBeLessThanOrEqual(AT_MOST);
  });

  test('are far beyond it for a test that is made for one look', () => {
    const peeking: Judge = (control, treatment) => {
      if (control.type !== 'proportion' || treatment.type !== 'proportion') return false;
      return (proportionsTest(control, treatment, ALPHA)?.pValue ?? 1) <= ALPHA;
    };
    expect(rejections(proportion(0.5), 0.5, peeking)).toBeGreaterThan(STREAMS * 0.3);
  });

  test('are within alpha for the sample ratio', () => {
    const mismatch: Judge = (control, treatment) =>
      sequentialSampleRatio([
        { weight: 9, units: unitsOf(control) },
        { weight: 1, units: unitsOf(treatment) },
      ]).pValue <= ALPHA;
    expect(rejections(proportion(1), 0.1, mismatch)).toBeLessThanOrEqual(AT_MOST);
  });

  test.each(['pass', 'fail'] as const)(
    'are within alpha for a canary at its threshold that should not %s',
    (wrong) => {
      const judge: Judge = (_control, treatment) =>
        treatment.type === 'proportion' &&
        judgeRate(treatment, {
          threshold: 0.99,
          side: 'at-least',
          minimumRequests: 100,
          alpha: ALPHA,
        }) === wrong;
      expect(rejections(proportion(0.99), 0.9, judge)).toBeLessThanOrEqual(AT_MOST);
    },
  );
});

test('an effect that is there is found', () => {
  const [control, treatment] = [proportion(0.1), proportion(0.15)];
  const random = seededRandom(5);
  let found = 0;
  for (let stream = 0; stream < 100; stream += 1) {
    if (anytime(control(2500, random), treatment(2500, random))) found += 1;
  }
  // One look of the fixed test finds all but a few: 99.97 %.
  expect(fixedPower(0.05, Math.sqrt((0.09 + 0.1275) / 2500), ALPHA)).toBeGreaterThan(0.99);
  expect(found).toBeGreaterThan(90);
});
