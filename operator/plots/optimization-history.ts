import { COLORS } from './colors.ts';
import { emptySearch, objectiveOf, sampleNotes, trialWords, valueOf } from './described.ts';
import { AREA, figure } from './figure.ts';
import { scaleOf, type Scale } from './scale.ts';
import type { PlottedSearch } from './search-sample.ts';
import { element, pixels, tooltip } from './svg.ts';

/** What each trial reached, and the best so far: Optuna's plot_optimization_history. */
export const optimizationHistory = (search: PlottedSearch): string => {
  const title = `Optimization history of ${search.name}`;
  const { trials } = search;
  if (trials.length === 0) return emptySearch(title, search);
  const numbers = trials.map(({ number }) => number);
  const x = scaleOf({ name: 'Trial', kind: 'linear' }, [0, ...numbers], horizontal);
  const { name } = objectiveOf(search);
  const values = trials.map((trial) => valueOf(trial, search));
  const y = scaleOf({ name, kind: 'linear' }, values, vertical);
  const points = trials.map((trial) =>
    element(
      'circle',
      { cx: x.place(trial.number), cy: y.place(valueOf(trial, search)), r: 3 },
      tooltip(trialWords(trial, search)),
    ),
  );
  return figure({
    title,
    x: { label: 'Trial', scale: x },
    y: { label: name, scale: y },
    marks: [
      element('g', { fill: COLORS.blue, 'fill-opacity': 0.7 }, points.join('')),
      element('path', {
        d: stairs(search, { x, y }, Math.max(...numbers.slice(-1))),
        fill: 'none',
        stroke: COLORS.vermillion,
        'stroke-width': 2,
      }),
    ],
    legend: [
      { label: name, color: COLORS.blue },
      { label: 'Best so far', color: COLORS.vermillion },
    ],
    notes: sampleNotes(trials.length, search),
  });
};

const horizontal = { from: AREA.left, to: AREA.right };
const vertical = { from: AREA.bottom, to: AREA.top };

/** The best so far stays until a trial beats it, so it moves in stairs up to the last trial. */
const stairs = (
  search: PlottedSearch,
  { x, y }: { readonly x: Scale; readonly y: Scale },
  last: number,
): string => {
  const steps = search.records.map((trial, index) => {
    const at = pixels(x.place(trial.number));
    const to = pixels(y.place(valueOf(trial, search)));
    return index === 0 ? `M${at} ${to}` : `H${at}V${to}`;
  });
  return `${steps.join('')}H${pixels(x.place(last))}`;
};
