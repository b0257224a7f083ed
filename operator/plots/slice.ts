import { COLORS, goodnessColor } from './colors.ts';
import {
  emptySearch,
  missingNotes,
  objectiveOf,
  sampleNotes,
  trialWords,
  valueOf,
} from './described.ts';
import { AREA, emptyFigure, figure } from './figure.ts';
import { numberFor, scaleOf, type Dimension } from './scale.ts';
import type { PlottedSearch } from './search-sample.ts';
import { element, tooltip } from './svg.ts';

/** What trials reached by one parameter; later ones are bluer: Optuna's plot_slice. */
export const slice = (search: PlottedSearch, parameter: Dimension): string => {
  const title = `Slice of ${search.name} by ${parameter.name}`;
  const { trials } = search;
  if (trials.length === 0) return emptySearch(title, search);
  const { name } = objectiveOf(search);
  const last = Math.max(1, trials.at(-1)?.number ?? 1);
  const found = trials.flatMap((trial) => {
    const at = numberFor(parameter, trial.parameters[parameter.name]);
    return at === undefined ? [] : [{ trial, at }];
  });
  if (found.length === 0)
    return emptyFigure(title, `No complete trial was given ${parameter.name}.`);
  const x = scaleOf(
    parameter,
    found.map(({ at }) => at),
    { from: AREA.left, to: AREA.right },
  );
  const y = scaleOf(
    { name, kind: 'linear' },
    found.map(({ trial }) => valueOf(trial, search)),
    { from: AREA.bottom, to: AREA.top },
  );
  const points = found.map(({ trial, at }) =>
    element(
      'circle',
      {
        ...{ cx: x.place(at), cy: y.place(valueOf(trial, search)), r: 3.5 },
        fill: goodnessColor(trial.number / last),
      },
      tooltip(
        `${trialWords(trial, search)}, ${parameter.name} ${trial.parameters[parameter.name]}`,
      ),
    ),
  );
  return figure({
    title,
    x: { label: parameter.name, scale: x },
    y: { label: name, scale: y },
    marks: [element('g', { 'fill-opacity': 0.75 }, points.join(''))],
    legend: [
      { label: 'First trials', color: COLORS.orange },
      { label: 'Last trials', color: COLORS.blue },
    ],
    notes: [
      ...missingNotes(trials.length - found.length, parameter.name),
      ...sampleNotes(trials.length, search),
    ],
  });
};
