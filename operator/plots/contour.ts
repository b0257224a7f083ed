import { COLORS, goodnessColor } from './colors.ts';
import {
  emptySearch,
  missingNotes,
  objectiveOf,
  sampleNotes,
  trialWords,
  valueOf,
} from './described.ts';
import { EvenSample } from './even-sample.ts';
import { AREA, emptyFigure, figure } from './figure.ts';
import { goodnessAmong } from './goodness.ts';
import { numberFor, scaleOf, type Dimension } from './scale.ts';
import type { PlottedSearch, PlottedTrial } from './search-sample.ts';
import { element, tooltip } from './svg.ts';

type Placed = {
  readonly trial: PlottedTrial;
  readonly x: number;
  readonly y: number;
  readonly good: number;
};

const GRID = { columns: 48, rows: 28 } as const;
const LEVELS = 8;
/** The shading weighs every trial for every cell, so it takes no more than these. */
const MOST_WEIGHED = 400;

/**
 * How good trials are by two parameters: Optuna's plot_contour. Between the trials the shading is
 * Shepard's inverse distance weighting (doi:10.1145/800186.810616) of their ranks, in eight levels.
 */
export const contour = (search: PlottedSearch, across: Dimension, up: Dimension): string => {
  const title = `Contour of ${search.name} by ${across.name} and ${up.name}`;
  const { trials } = search;
  if (trials.length === 0) return emptySearch(title, search);
  const goodness = goodnessAmong(search);
  const found = trials.flatMap((trial) => {
    const x = numberFor(across, trial.parameters[across.name]);
    const y = numberFor(up, trial.parameters[up.name]);
    return x === undefined || y === undefined ? [] : [{ trial, x, y }];
  });
  if (found.length === 0) {
    return emptyFigure(title, `No complete trial was given both ${across.name} and ${up.name}.`);
  }
  const xs = found.map(({ x }) => x);
  const ys = found.map(({ y }) => y);
  const x = scaleOf(across, xs, { from: AREA.left, to: AREA.right });
  const y = scaleOf(up, ys, { from: AREA.bottom, to: AREA.top });
  const placed = found.map((each) => ({
    trial: each.trial,
    x: x.place(each.x),
    y: y.place(each.y),
    good: goodness(valueOf(each.trial, search)),
  }));
  return figure({
    title,
    x: { label: across.name, scale: x },
    y: { label: up.name, scale: y },
    marks: [shading(placed), dots(placed, search)],
    legend: [
      { label: `Worst ${objectiveOf(search).name}`, color: COLORS.orange },
      { label: `Best ${objectiveOf(search).name}`, color: COLORS.blue },
    ],
    notes: [
      shadingNote(found.length),
      ...missingNotes(trials.length - found.length, 'both'),
      ...sampleNotes(trials.length, search),
    ],
  });
};

const shadingNote = (found: number): string =>
  `The shading is interpolated from the ranks of ${found > MOST_WEIGHED ? `at most ${MOST_WEIGHED} of the` : 'the'} trials; far from any it says little.`;

const dots = (placed: readonly Placed[], search: PlottedSearch): string =>
  element(
    'g',
    { stroke: '#ffffff', 'stroke-width': 0.8 },
    placed
      .map(({ trial, x, y, good }) =>
        element(
          'circle',
          { cx: x, cy: y, r: 3.5, fill: goodnessColor(good) },
          tooltip(trialWords(trial, search)),
        ),
      )
      .join(''),
  );

const shading = (placed: readonly Placed[]): string => {
  const sample = new EvenSample<Placed>(MOST_WEIGHED);
  for (const each of placed) sample.add(each);
  const height = (AREA.bottom - AREA.top) / GRID.rows;
  const rows = Array.from({ length: GRID.rows }, (_, row) =>
    rowOf(sample.items, AREA.top + row * height, height),
  );
  return element('g', { 'fill-opacity': 0.55, 'shape-rendering': 'crispEdges' }, rows.join(''));
};

/** Neighbours of one level are one rectangle. */
const rowOf = (placed: readonly Placed[], top: number, height: number): string => {
  const width = (AREA.right - AREA.left) / GRID.columns;
  const levels = Array.from({ length: GRID.columns }, (_, column) =>
    levelAt(placed, AREA.left + (column + 0.5) * width, top + height / 2),
  );
  const starts = levels.flatMap((level, at) => (level === levels[at - 1] ? [] : [{ level, at }]));
  return starts
    .map(({ level, at }, index) => {
      const until = starts[index + 1]?.at ?? GRID.columns;
      return element('rect', {
        ...{ x: AREA.left + at * width, y: top, width: (until - at) * width, height },
        fill: goodnessColor(level / (LEVELS - 1)),
      });
    })
    .join('');
};

const levelAt = (placed: readonly Placed[], x: number, y: number): number => {
  let sum = 0;
  let weights = 0;
  for (const each of placed) {
    // Shepard's power of 3; never nearer than a pixel, so that it stays finite.
    const weight = Math.max(1, (each.x - x) ** 2 + (each.y - y) ** 2) ** -1.5;
    sum += weight * each.good;
    weights += weight;
  }
  return Math.min(LEVELS - 1, Math.floor((sum / weights) * LEVELS));
};
