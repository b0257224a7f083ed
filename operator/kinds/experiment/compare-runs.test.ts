import { describe, expect, test } from '@jest/globals';
import { compareRuns } from './compare-runs.ts';
import { comparedRun, seeds } from './testing/compared-run.ts';

const A = [0.91, 0.905, 0.92, 0.915, 0.9, 0.912];
const B = [0.921, 0.917, 0.925, 0.93, 0.904, 0.926];
const C = [0.908, 0.911, 0.921, 0.912, 0.903, 0.91];
const BY_MODEL = { groupBy: 'model', confidence: 0.95 };

const accuracy = (...parameters: Parameters<typeof compareRuns>) => {
  const found = compareRuns(...parameters).metrics.find(({ name }) => name === 'accuracy');
  if (found === undefined) throw new Error('There is no accuracy.');
  return found;
};

describe('comparing groups of runs', () => {
  test('is paired where seeds match, with Holm over the pairs', () => {
    const runs = [...seeds('a', A), ...seeds('b', B), ...seeds('c', C)];
    const { comparisons } = accuracy(runs, BY_MODEL);
    // scipy 1.17.1: ttest_rel(y, x), wilcoxon of the differences rounded to 6 digits; Holm by hand.
    const expected = [
      ['a', 'b', 5.3874818791750885, 0.0029722478932214637, 0.008916743679664392],
      ['a', 'c', 0.34921514788478913, 0.7411538220687438, 0.7411538220687438],
      ['b', 'c', -3.408228586736447, 0.019079955590512506, 0.03815991118102501],
    ] as const;
    expect(comparisons.map(({ a, b, pairs, t }) => [a, b, pairs, t.test])).toEqual(
      expected.map(([a, b]) => [a, b, 6, 'paired-t']),
    );
    expected.forEach(([, , statistic, pValue, adjustedPValue], index) => {
      expect(comparisons[index]?.t).toMatchObject({
        statistic: expect.closeTo(statistic, 9),
        pValue: expect.closeTo(pValue, 11),
        adjustedPValue: expect.closeTo(adjustedPValue, 11),
      });
    });
    expect(comparisons.map(({ wilcoxon }) => wilcoxon)).toMatchObject([
      { statistic: 0, pValue: 0.03125, adjustedPValue: 0.09375, exact: true },
      { statistic: 9.5, pValue: 0.90625, adjustedPValue: 0.90625, exact: true },
      { statistic: 0, pValue: 0.03125, adjustedPValue: 0.09375, exact: true },
    ]);
  });

  test("is Welch's where seeds do not match", () => {
    const a = [0.91, 0.89, 0.93, 0.9, 0.88];
    const runs = [...seeds('a', a), ...seeds('c', [0.8, 0.84, 0.86])];
    const { groups, comparisons } = accuracy(runs, BY_MODEL);
    // scipy 1.17.1: ttest_ind(c, a, equal_var=False), .confidence_interval(0.95); t.interval of a
    expect(comparisons).toEqual([
      {
        a: 'a',
        b: 'c',
        difference: expect.closeTo(-0.06866666666666654, 12),
        t: {
          test: 'welch-t',
          statistic: expect.closeTo(-3.4990725009627375, 10),
          df: expect.closeTo(2.9802745746657906, 10),
          pValue: expect.closeTo(0.03991903030546873, 11),
          adjustedPValue: expect.closeTo(0.03991903030546873, 11),
          interval: {
            lower: expect.closeTo(-0.13135427899743818, 11),
            upper: expect.closeTo(-0.0059790543358949205, 11),
          },
        },
      },
    ]);
    expect(groups[0]).toEqual({
      group: 'a',
      count: 5,
      missing: [],
      notFinite: [],
      mean: expect.closeTo(0.902, 12),
      standardDeviation: expect.closeTo(0.01923538406167136, 12),
      interval: {
        lower: expect.closeTo(0.8781161161190001, 12),
        upper: expect.closeTo(0.9258838838809997, 12),
      },
    });
  });

  test('gives the same p-values for values that are all 1e290 times as large', () => {
    const large = (values: readonly number[]) => values.map((value) => value * 1e290);
    const runs = [...seeds('a', large(A)), ...seeds('b', large(B))];
    const { groups, comparisons } = accuracy(runs, BY_MODEL);
    expect(comparisons[0]?.t).toMatchObject({ pValue: expect.closeTo(0.0029722478932214637, 11) });
    expect(Number.isFinite(groups[0]?.interval?.upper)).toBe(true);
  });

  test('is paired by what pairBy names, and not where a repetition stands twice', () => {
    const folds = (model: string, ids: readonly string[]) =>
      ids.map((split, index) =>
        comparedRun(`${model}${index}`, { model, split }, { accuracy: index }),
      );
    const runs = [...folds('a', ['x', 'y']), ...folds('b', ['y', 'x'])];
    const byT = (all: typeof runs, pairBy?: readonly string[]) =>
      accuracy(all, { ...BY_MODEL, ...(pairBy && { pairBy }) }).comparisons[0]?.t.test;
    expect(byT(runs)).toBe('welch-t');
    expect(byT(runs, ['split'])).toBe('paired-t');
    const twice = [...folds('a', ['x', 'y', 'y']), ...folds('b', ['x', 'y', 'y'])];
    expect(byT(twice, ['split'])).toBe('welch-t');
    expect(byT([...folds('a', ['x', 'y']), ...folds('b', ['x', 'z'])], ['split'])).toBe('welch-t');
  });

  test('takes nested runs of one parent as a group and leaves the parent out', () => {
    const parent = comparedRun('f', {}, {});
    const tags = { 'mlflow.parentRunId': parent.runId };
    const nested = ['1', '2'].map((fold) =>
      comparedRun(fold, { fold }, { accuracy: Number(fold) }, tags),
    );
    const result = compareRuns([parent, ...nested], { confidence: 0.95 });
    expect(result).toMatchObject({
      groups: [{ name: parent.runId, runs: [{ name: '1' }, { name: '2' }] }],
      ungrouped: [parent.runId],
      reason: 'NotEnoughRuns',
      needed: 2,
    });
  });
});

describe('what is not known', () => {
  test('is said of single runs, with how many are needed', () => {
    const runs = [comparedRun('a', {}, { accuracy: 1 }), comparedRun('b', {}, { accuracy: 3 })];
    const { groups, comparisons } = accuracy(runs, { confidence: 0.95 });
    expect(groups[0]).toMatchObject({ mean: 1, reason: 'NotEnoughRuns', needed: 2 });
    expect(groups[0]).not.toHaveProperty('interval');
    expect(comparisons).toMatchObject([
      { difference: 2, t: { test: 'welch-t', reason: 'NotEnoughRuns', needed: 2 } },
    ]);
    expect(comparisons[0]?.t).not.toHaveProperty('pValue');
  });

  test('is said of Wilcoxon with five pairs, which could never be significant', () => {
    const runs = [...seeds('a', A.slice(0, 5)), ...seeds('b', B.slice(0, 5))];
    expect(accuracy(runs, BY_MODEL).comparisons[0]?.wilcoxon).toEqual({
      test: 'wilcoxon-signed-rank',
      reason: 'NotEnoughRuns',
      needed: 6,
      message:
        '6 pairs of finite values of "accuracy" that differ are needed, and there are 5. ' +
        'Add runs of both groups with the same further seeds or folds.',
    });
  });

  test('is said where NaN and missing values leave too few pairs', () => {
    const [missing] = seeds('b', [1], 'loss');
    if (missing === undefined) throw new Error('There is no run.');
    const runs = [...seeds('a', [1, NaN, 3]), missing, ...seeds('b', [0, 5, 4]).slice(1)];
    const { groups, comparisons } = accuracy(runs, BY_MODEL);
    expect(groups).toMatchObject([
      { count: 2, mean: 2, missing: [], notFinite: ['a1'.repeat(16)] },
      { count: 2, mean: 4.5, missing: ['b0'.repeat(16)], notFinite: [] },
    ]);
    expect(comparisons).toMatchObject([
      { pairs: 1, difference: 1, t: { test: 'paired-t', reason: 'NotEnoughRuns', needed: 2 } },
    ]);
  });

  test('is said where nothing varies but by rounding', () => {
    const runs = [...seeds('a', [0.1, 0.2, 0.3]), ...seeds('b', [0.2, 0.3, 0.4])];
    const { comparisons } = accuracy(runs, BY_MODEL);
    // 0.2 - 0.1, 0.3 - 0.2 and 0.4 - 0.3 differ in their last digits.
    expect(comparisons[0]?.t).toMatchObject({ test: 'paired-t', reason: 'NoVariation' });
    const same = accuracy([...seeds('a', [1, 1]), ...seeds('b', [2, 2, 2])], BY_MODEL);
    expect(same.groups[0]).toMatchObject({ mean: 1, reason: 'NoVariation' });
    expect(same.comparisons[0]?.t).toMatchObject({ test: 'welch-t', reason: 'NoVariation' });
  });
});

describe('params', () => {
  test('are shown where groups differ, and keys of every object are no params', () => {
    const runs = [
      comparedRun('a', { lr: '0.1', depth: '3', long: 'x'.repeat(300) }, {}),
      comparedRun('b', { lr: '0.2', depth: '3' }, {}),
    ];
    const { params, ungrouped } = compareRuns(runs, { confidence: 0.95 });
    const [a, b] = runs.map(({ runId }) => runId);
    expect(params).toEqual([
      {
        name: 'long',
        values: [
          { group: a, values: [`${'x'.repeat(250)}…`], missing: 0 },
          { group: b, values: [], missing: 1 },
        ],
      },
      {
        name: 'lr',
        values: [
          { group: a, values: ['0.1'], missing: 0 },
          { group: b, values: ['0.2'], missing: 0 },
        ],
      },
    ]);
    expect(ungrouped).toEqual([]);
    expect(compareRuns(runs, { groupBy: 'constructor', confidence: 0.95 }).ungrouped).toEqual([
      a,
      b,
    ]);
  });

  test('that tell repetitions apart in the same way are not shown', () => {
    const { params } = compareRuns([...seeds('a', A), ...seeds('b', B)], BY_MODEL);
    expect(params.map(({ name }) => name)).toEqual(['model']);
  });
});

describe('what cannot be compared is refused', () => {
  test('a metric that no run has, too many groups, too many metrics', () => {
    const runs = seeds('a', A);
    expect(() => compareRuns(runs, { ...BY_MODEL, metrics: ['f1'] })).toThrow(
      'No chosen run has a metric "f1"; they have accuracy.',
    );
    const groups = Array.from({ length: 21 }, (_, i) => comparedRun('a', { model: `${i}` }, {}));
    expect(() => compareRuns(groups, BY_MODEL)).toThrow('are 21 groups; at most 20');
    const many = Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`m${i}`, i]));
    expect(() => compareRuns([comparedRun('a', {}, many)], { confidence: 0.95 })).toThrow(
      'have 51 metrics; at most 50',
    );
  });
});
