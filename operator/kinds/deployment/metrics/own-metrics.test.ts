import { describe, expect, test } from '@jest/globals';
import { FeatureSketch } from '../../../../serving-runtime/sketches/feature-sketch.ts';
import { noErrors, type ErrorTally } from '../../../store/labels.ts';
import { noTraffic } from '../../../traffic/traffic.ts';
import { judge } from '../analysis.ts';
import type { OwnData } from '../own-data.ts';
import type { AnalysisSpec, Metric } from './verdict.ts';

const analysisOf = (metric: Metric, minimumRequests = 100): AnalysisSpec => ({
  ...{ interval: '30s', minimumRequests, metrics: [metric] },
});
const judged = (metric: Metric, data: OwnData | undefined, requests = 1000): string => {
  const traffic = { ...noTraffic, requests };
  const window = { traffic, from: undefined, to: undefined, silent: [] };
  const own = { data, stable: '1.0.0', candidate: '1.1.0', path: '/labels' };
  const { is, words } = judge(analysisOf(metric), { window, own, measured: new Map() });
  return `${is}: ${words}`;
};

describe('prediction-error', () => {
  const metric: Metric = { name: 'prediction-error', thresholdRange: { max: 0.1 } };
  const absolute: Metric = { ...metric, error: 'absolute-error', thresholdRange: { max: 2 } };
  const shares = (answers: number, wrong: number) => ({ ...noErrors, answers, wrong });
  const means = (count: number, mean: number, spread = 1, answers = count): ErrorTally => ({
    ...{ answers, wrong: answers, incomparable: 0 },
    distances: { count, mean, m2: count * spread * spread },
  });
  const of = (candidate: ErrorTally, stable = noErrors, waiting = 0): OwnData => ({
    errors: { waiting, byVersion: new Map([['1.0.0', stable], ['1.1.0', candidate]]) }, // prettier-ignore
  });

  test.each<[string, Metric, OwnData | undefined, string]>([
    [
      'is good on enough labels',
      ...([metric, of(shares(200, 12))] as const),
      'pass: prediction-error (share of wrong answers) is 6 % on 200 labels, wanted at most 10 %',
    ],
    [
      'is surely bad',
      ...([metric, of(shares(200, 80))] as const),
      'fail: prediction-error (share of wrong answers) is 40 % on 200 labels, wanted at most 10 %',
    ],
    [
      'is bad, but may be bad luck',
      ...([metric, of(shares(200, 24))] as const),
      'inconclusive: prediction-error (share of wrong answers) is 12 % on 200 labels, wanted at most 10 %',
    ],
    [
      'has no labels: nothing is promoted',
      ...([metric, of(noErrors)] as const),
      'inconclusive: prediction-error: 0 of 100 labels of version 1.1.0 that are needed to judge; POST the truth to /labels',
    ],
    [
      'has labels that name nothing we know',
      ...([metric, of({ ...noErrors, incomparable: 3 }, noErrors, 7)] as const),
      'inconclusive: prediction-error: 0 of 100 labels of version 1.1.0 that are needed to judge; 7 labels name no request that is logged; 3 labels name an output that is not logged, or have another number of values; POST the truth to /labels',
    ],
    ['was not read yet', metric, undefined, 'inconclusive: prediction-error: nothing was read yet'],
    [
      'cannot be read',
      ...([metric, { failed: 'The database could not read.' }] as const),
      'inconclusive: prediction-error: The database could not read.',
    ],
    [
      'is a distance that is good',
      ...([absolute, of(means(150, 1.5))] as const),
      'pass: prediction-error (mean absolute error) is 1.5 on 150 labels, wanted at most 2',
    ],
    [
      'is a distance that is surely bad',
      ...([absolute, of(means(600, 2.5))] as const),
      'fail: prediction-error (mean absolute error) is 2.5 on 600 labels, wanted at most 2',
    ],
    [
      'is a bad distance of too few for its variance to be believed',
      ...([absolute, of(means(400, 2.5))] as const),
      'inconclusive: prediction-error (mean absolute error) is 2.5 on 400 labels, wanted at most 2',
    ],
    [
      'is a distance that some answers do not have',
      ...([absolute, of(means(150, 1.5, 1, 160))] as const),
      'inconclusive: prediction-error (mean absolute error) is 1.5 on 150 labels, and 10 answers or labels are no numbers, wanted at most 2',
    ],
    [
      'is surely worse than that of the stable version',
      ...([{ ...metric, thresholdRange: { max: 1 }, maxIncrease: 0.05 }, of(shares(1000, 300), shares(1000, 100))] as const), // prettier-ignore
      'fail: prediction-error (share of wrong answers) is 30 % on 1000 labels, wanted at most 100 % and at most 5 % more than the 10 % on 1000 labels of version 1.0.0',
    ],
    [
      'is to be compared with the stable version, which has no labels',
      ...([{ ...metric, maxIncrease: 0.05 }, of(shares(1000, 3))] as const),
      'inconclusive: prediction-error: 0 of 100 labels of version 1.0.0 that are needed to judge; POST the truth to /labels',
    ],
  ])('%s', (_what, of, data, expected) => {
    expect(judged(of, data)).toBe(expected);
  });

  test('brings the old version back before enough requests were measured, but promotes nothing', () => {
    expect(judged(metric, of(shares(200, 80)), 0)).toMatch(/^fail: prediction-error/);
    expect(judged(metric, of(shares(200, 12)), 0)).toBe(
      'inconclusive: 0 of 100 requests that are needed to judge',
    );
  });
});

describe('drift', () => {
  const metric: Metric = { name: 'drift', thresholdRange: { max: 0.2 } };
  const numbers = (count: number, of: (i: number) => number) => {
    const sketch = new FeatureSketch();
    for (let i = 0; i < count; i++) sketch.addNumber(of(i));
    return sketch.summary();
  };
  const classes = (...counts: readonly number[]) => {
    const sketch = new FeatureSketch();
    counts.forEach((count, value) => {
      for (let i = 0; i < count; i++) sketch.addInteger(value);
    });
    return sketch.summary();
  };
  type Summary = ReturnType<typeof numbers>;
  const of = (stable: readonly Summary[], candidate: readonly Summary[]): OwnData => {
    const named = (all: readonly Summary[]) => new Map(all.map((each, i) => [`Y[${String(i)}]`, each])); // prettier-ignore
    return { distributions: new Map([['1.0.0', named(stable)], ['1.1.0', named(candidate)]]) }; // prettier-ignore
  };
  const even = numbers(1000, (i) => (i % 100) - 50);

  test('is not there between two samples of one distribution', () => {
    expect(judged(metric, of([even], [numbers(500, (i) => ((7 * i) % 100) - 50)]))).toMatch(
      /^pass: drift \(population stability index\) of Y\[0\] is 0(\.0\d*)? on 500 values of version 1\.1\.0 against 1000 of 1\.0\.0, wanted at most 0\.2$/,
    );
  });

  test('is told of the feature that differs most', () => {
    const shifted = numbers(1000, (i) => (i % 100) - 20);
    expect(judged(metric, of([even, even], [even, shifted]))).toMatch(
      /^fail: drift .* of Y\[1\] is /,
    );
    expect(judged({ ...metric, feature: 'Y[0]' }, of([even, even], [even, shifted]))).toMatch(
      /^pass/,
    );
  });

  test('of classes is by class; of answers that are no numbers, too', () => {
    expect(judged(metric, of([classes(500, 500)], [classes(490, 510)]))).toMatch(/^pass/);
    expect(judged(metric, of([classes(500, 500)], [classes(100, 900)]))).toMatch(/^fail/);
    expect(judged(metric, of([classes(500, 500)], [classes(0, 0, 900)]))).toMatch(/^fail/);
    const half = numbers(1000, (i) => (i % 2 === 0 ? Number.NaN : (i % 100) - 50));
    expect(judged(metric, of([even], [half]))).toMatch(/^fail/);
    expect(judged(metric, of([even], [numbers(1000, () => Number.NaN)]))).toMatch(/^fail/);
  });

  test('of a constant that becomes another is seen', () => {
    const two = numbers(300, () => 2);
    expect(judged(metric, of([two], [numbers(300, () => 3)]))).toMatch(/^fail/);
    expect(judged(metric, of([two], [two]))).toMatch(/^pass/);
  });

  test('says that data are too few, never that there is none', () => {
    expect(judged(metric, of([even], [numbers(199, () => 1)]))).toBe(
      'inconclusive: drift: InsufficientData: 199 of 200 values of Y[0] of version 1.1.0 that are needed to judge',
    );
    expect(judged(metric, of([], []))).toBe(
      'inconclusive: drift: InsufficientData: no sketch of either version has come, of which pods send one a minute',
    );
    expect(judged(metric, { ...of([], [even]), unreadable: 2 })).toBe(
      'inconclusive: drift: InsufficientData: 0 of 200 values of Y[0] of version 1.0.0 that are needed to judge; 2 sketches could not be read',
    );
  });
});
