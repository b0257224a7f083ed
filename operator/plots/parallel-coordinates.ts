import { COLORS, goodnessColor } from './colors.ts';
import { emptySearch, objectiveOf, sampleNotes, trialWords, valueOf } from './described.ts';
import { AREA, figure, line, path } from './figure.ts';
import { goodnessAmong } from './goodness.ts';
import { numberFor, scaleOf, type Dimension, type Scale } from './scale.ts';
import type { PlottedSearch, PlottedTrial } from './search-sample.ts';
import { element, pixels, tooltip, words } from './svg.ts';

/** More axes than this leave no room for their names. */
const MOST_PARAMETERS = 8;

type Column = {
  readonly name: string;
  readonly at: number;
  readonly scale: Scale;
  readonly valueIn: (trial: PlottedTrial) => number | undefined;
};

/**
 * One line for each trial through the objective and its parameters, the best ones on top: Optuna's
 * plot_parallel_coordinate. A line has a gap where the trial was not given the parameter.
 */
export const parallelCoordinates = (search: PlottedSearch): string => {
  const title = `Parallel coordinates of ${search.name}`;
  const { trials, parameters } = search;
  if (trials.length === 0) return emptySearch(title, search);
  const columns = columnsOf(search);
  const goodness = goodnessAmong(search);
  const lines = trials
    .map((trial) => ({ trial, good: goodness(valueOf(trial, search)) }))
    .toSorted((a, b) => a.good - b.good)
    .map(({ trial, good }) =>
      element(
        'path',
        { d: lineOf(trial, columns), stroke: goodnessColor(good) },
        tooltip(trialWords(trial, search)),
      ),
    );
  return figure({
    title,
    marks: [
      element('g', { fill: 'none', 'stroke-opacity': 0.6, 'stroke-width': 1.5 }, lines.join('')),
      ...columns.map(columnAxis),
    ],
    legend: [
      { label: 'Worst', color: COLORS.orange },
      { label: 'Best', color: COLORS.blue },
    ],
    notes: [
      ...(parameters.length > MOST_PARAMETERS
        ? [`Shows the first ${MOST_PARAMETERS} of ${parameters.length} parameters.`]
        : []),
      ...sampleNotes(trials.length, search),
    ],
  });
};

const columnsOf = (search: PlottedSearch): readonly Column[] => {
  const shown = search.parameters.slice(0, MOST_PARAMETERS);
  const gap = (AREA.right - AREA.left - 40) / Math.max(shown.length, 1);
  const column = (dimension: Dimension, index: number, valueIn: Column['valueIn']): Column => ({
    name: dimension.name,
    at: AREA.left + index * gap,
    scale: scaleOf(
      dimension,
      search.trials.map(valueIn).filter((value) => value !== undefined),
      { from: AREA.bottom, to: AREA.top + 8 },
    ),
    valueIn,
  });
  return [
    column({ name: objectiveOf(search).name, kind: 'linear' }, 0, (trial) =>
      valueOf(trial, search),
    ),
    ...shown.map((parameter, index) =>
      column(parameter, index + 1, ({ parameters }) =>
        numberFor(parameter, parameters[parameter.name]),
      ),
    ),
  ];
};

const lineOf = (trial: PlottedTrial, columns: readonly Column[]): string => {
  let pen = 'M';
  return columns
    .map(({ at, scale, valueIn }) => {
      const value = valueIn(trial);
      const step = value === undefined ? '' : `${pen}${pixels(at)} ${pixels(scale.place(value))}`;
      pen = value === undefined ? 'M' : 'L';
      return step;
    })
    .join('');
};

const columnAxis = ({ name, at, scale }: Column, index: number, all: readonly Column[]): string => {
  const room = Math.max(4, Math.floor((AREA.right - AREA.left) / all.length / 7) - 1);
  // Every second name stands lower, so that long ones have room.
  const below = AREA.bottom + 18 + (all.length > 5 && index % 2 === 1 ? 14 : 0);
  return [
    path([line(at, AREA.top, at, AREA.bottom)], 'axis'),
    ...scale.marks.map((mark) =>
      words(mark.label, { class: 'halo', x: at + 5, y: mark.at + 4 }, room),
    ),
    words(name, { x: at, y: below, 'text-anchor': 'middle' }, Math.max(room, 12)),
  ].join('');
};
