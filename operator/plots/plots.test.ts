import { describe, expect, test } from '@jest/globals';
import { contour } from './contour.ts';
import { intermediateValues } from './intermediate-values.ts';
import { optimizationHistory } from './optimization-history.ts';
import { parallelCoordinates } from './parallel-coordinates.ts';
import { paretoFront } from './pareto-front.ts';
import type { Dimension } from './scale.ts';
import {
  SearchSample,
  type Objective,
  type PlottedSearch,
  type PlottedTrial,
} from './search-sample.ts';
import { slice } from './slice.ts';

const LR: Dimension = { name: 'lr', kind: 'log' };
const DEPTH: Dimension = { name: 'depth', kind: 'linear' };
const KIND: Dimension = { name: 'kind', kind: 'choice', choices: ['a', '<b>'] };
const ACCURACY: Objective = { name: 'accuracy', direction: 'maximize' };
const LATENCY: Objective = { name: 'latency', direction: 'minimize' };

const trial = (
  number: number,
  values: readonly number[],
  parameters: PlottedTrial['parameters'] = {},
): PlottedTrial => ({ number, values, parameters });

const searchOf = (
  trials: readonly (PlottedTrial | undefined)[],
  objectives: readonly Objective[] = [ACCURACY],
): PlottedSearch => {
  const sample = new SearchSample({
    ...{ name: 'digits', objectives, objective: 0, parameters: [LR, DEPTH, KIND] },
  });
  for (const each of trials) sample.add(each);
  return sample.search;
};

/** Centres of the circles, in order. */
const circles = (svg: string): readonly string[] =>
  [...svg.matchAll(/cx="([^"]+)" cy="([^"]+)"/g)].map(([, x, y]) => `${x} ${y}`);

const pathsIn = (svg: string): readonly (string | undefined)[] =>
  [...svg.matchAll(/<path d="([^"]+)"/g)].map(([, d]) => d);

// The axes go from pixel 96 to 690 and from 366 up to 68.
describe('the optimization history', () => {
  const svg = optimizationHistory(searchOf([trial(0, [0]), trial(5, [0.25]), trial(10, [1])]));

  test('puts each trial where its number and value are', () => {
    expect(circles(svg)).toEqual(['96 366', '393 291.5', '690 68']);
  });

  test('draws the best so far as stairs that end at the last trial', () => {
    expect(pathsIn(svg)).toEqual(['M96 366H393V291.5H690V68H690']);
    const least = optimizationHistory(
      searchOf([trial(0, [1]), trial(5, [2]), trial(10, [0])], [LATENCY]),
    );
    expect(pathsIn(least)).toEqual(['M96 217H690V366H690']);
  });

  test('names axes and ticks', () => {
    for (const label of ['Optimization history of digits', 'Trial', 'accuracy', '0.2', '10'])
      expect(svg).toContain(`>${label}</text>`);
  });

  test('shows at most some 2,000 trials, the best among them, and says so', () => {
    const many = Array.from({ length: 100_000 }, (_, number) =>
      trial(number, [number === 77_777 ? 2 : number / 100_000]),
    );
    const large = optimizationHistory(searchOf(many));
    expect(circles(large)).toHaveLength(1565);
    expect(large).toContain('trial 77777: accuracy 2');
    expect(large).toContain('Shows 1,565 of 100,000 complete trials');
    expect(large.length).toBeLessThan(400_000);
  });
});

describe('a search in which nothing is complete', () => {
  test('gives plots that say so', () => {
    const none = searchOf([]);
    const failed = searchOf([undefined, undefined]);
    for (const draw of [
      optimizationHistory,
      parallelCoordinates,
      (search: PlottedSearch) => slice(search, LR),
      (search: PlottedSearch) => contour(search, LR, DEPTH),
      (search: PlottedSearch) => paretoFront(search, { x: 0, y: 1, trials: [], total: 0 }),
    ]) {
      expect(draw(none)).toContain('>No trial has started yet.</text>');
      expect(draw(failed)).toContain('>None of 2 trials is complete yet.</text>');
    }
    expect(intermediateValues({ name: 'digits', metric: 'loss', total: 0 }, [])).toContain(
      '>No trial has reported a value of loss yet.</text>',
    );
  });
});

describe('a slice', () => {
  test('stands on a logarithmic axis where the parameter is drawn so', () => {
    const svg = slice(
      searchOf([
        trial(0, [0], { lr: '0.01' }),
        trial(1, [1], { lr: '0.1' }),
        trial(2, [1], { lr: '1' }),
      ]),
      LR,
    );
    expect(circles(svg)).toEqual(['96 366', '393 68', '690 68']);
    for (const label of ['0.01', '0.05', '0.1', '1']) expect(svg).toContain(`>${label}</text>`);
  });

  test('puts choices in the middle of their bands and escapes their names', () => {
    const trials = [trial(0, [0], { kind: 'a' }), trial(1, [1], { kind: '<b>' })];
    const svg = slice(searchOf(trials), KIND);
    expect(circles(svg)).toEqual(['244.5 366', '541.5 68']);
    expect(svg).toContain('>&lt;b&gt;</text>');
    expect(svg).not.toContain('<b>');
  });

  test('leaves out trials that were not given the parameter, and says so', () => {
    const trials = [trial(0, [0], { depth: '1' }), trial(1, [1], { depth: '' }), trial(2, [2])];
    const svg = slice(searchOf(trials), DEPTH);
    expect(circles(svg)).toHaveLength(1);
    expect(svg).toContain('Left out: 2 without depth.');
    expect(slice(searchOf([trial(0, [0])]), DEPTH)).toContain('No complete trial was given depth.');
  });
});

describe('parallel coordinates', () => {
  test('draw one line for each trial, the best last and bluest, with gaps where nothing was given', () => {
    const svg = parallelCoordinates(
      searchOf([
        trial(0, [1], { lr: '0.1', depth: '4', kind: 'a' }),
        trial(1, [0], { lr: '0.01', kind: 'a' }),
      ]),
    );
    // Axes at 96 and then every (690 - 96 - 40) / 3, from 366 up to 76; depth 4 alone stands in the
    // middle of its axis, the first of two choices at a quarter.
    expect(pathsIn(svg).slice(0, 2)).toEqual([
      'M96 366L280.7 366M650 293.5',
      'M96 76L280.7 76L465.3 221L650 293.5',
    ]);
    expect(svg.indexOf('#e69f00"><title>trial 1')).toBeGreaterThan(-1);
    expect(svg.indexOf('#0072b2"><title>trial 0')).toBeGreaterThan(svg.indexOf('trial 1'));
  });
});

describe('a contour', () => {
  test('shades by the trials that are near', () => {
    const svg = contour(
      searchOf([
        trial(0, [0], { depth: '0', kind: 'a' }),
        trial(1, [1], { depth: '10', kind: 'a' }),
      ]),
      DEPTH,
      KIND,
    );
    expect(circles(svg)).toEqual(['96 291.5', '690 291.5']);
    const cells = [...svg.matchAll(/<rect x="(96|[\d.]+)" y="68" [^>]*fill="([^"]+)"/g)];
    // The top row goes from the worst on the left to the best on the right.
    expect(cells[0]?.slice(1)).toEqual(['96', '#e69f00']);
    expect(cells.at(-1)?.[2]).toBe('#0072b2');
  });

  test('says how many trials lack one of the two', () => {
    const trials = [trial(0, [0], { depth: '0', kind: 'a' }), trial(1, [1], { depth: '10' })];
    expect(contour(searchOf(trials), DEPTH, KIND)).toContain('Left out: 1 without both.');
  });
});

describe('a Pareto front', () => {
  test('sets the front apart from the others', () => {
    const front = [trial(0, [0, 0]), trial(1, [1, 10])];
    const svg = paretoFront(searchOf([...front, trial(2, [0.5, 10])], [ACCURACY, LATENCY]), {
      ...{ x: 0, y: 1, trials: front, total: 5 },
    });
    expect(circles(svg)).toEqual(['393 68', '96 366', '690 68']);
    expect(svg).toContain('>Pareto front (5)</text>');
    expect(svg).toContain('>accuracy (maximize)</text>');
    expect(svg).toContain('Shows 2 of 5 trials of the front.');
  });
});

describe('intermediate values', () => {
  test('are lines by step, coloured by how the trial ended; what is no number is left out', () => {
    const svg = intermediateValues({ name: 'digits', metric: 'loss', total: 9 }, [
      {
        ...{ number: 0, state: 'complete' },
        points: [
          { step: 0, value: 1 },
          { step: 5, value: Number.NaN },
          { step: 10, value: 0 },
        ],
      },
      { number: 1, state: 'pruned', points: [{ step: 5, value: 0.5 }] },
      { number: 2, state: 'other', points: [] },
    ]);
    expect(pathsIn(svg)).toEqual(['M96 68L690 366', 'M393 217h0']);
    expect(svg).toContain('stroke="#e69f00"><title>trial 1</title>');
    expect(svg).toContain('Shows 3 of 9 trials');
  });
});
