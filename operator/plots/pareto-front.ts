import { COLORS } from './colors.ts';
import { counted, emptySearch, sampleNotes } from './described.ts';
import { AREA, figure } from './figure.ts';
import { scaleOf } from './scale.ts';
import type { PlottedSearch, PlottedTrial } from './search-sample.ts';
import { element, tooltip } from './svg.ts';

export type Front = {
  /** Places of the two objectives that are shown. */
  readonly x: number;
  readonly y: number;
  readonly trials: readonly PlottedTrial[];
  /** How many the whole front has. */
  readonly total: number;
};

/** Two objectives of a search and the trials that no other beats in all: Optuna's plot_pareto_front. */
export const paretoFront = (search: PlottedSearch, front: Front): string => {
  const title = `Pareto front of ${search.name}`;
  if (search.trials.length === 0) return emptySearch(title, search);
  const members = new Set(front.trials.map(({ number }) => number));
  const others = search.trials.filter(({ number }) => !members.has(number));
  const all = [...others, ...front.trials];
  const side = (index: number, span: { readonly from: number; readonly to: number }) => {
    const objective = search.objectives[index];
    const name = objective?.name ?? '';
    const values = all.map((trial) => trial.values[index] ?? 0);
    return {
      label: `${name} (${objective?.direction ?? ''})`,
      scale: scaleOf({ name, kind: 'linear' }, values, span),
    };
  };
  const x = side(front.x, { from: AREA.left, to: AREA.right });
  const y = side(front.y, { from: AREA.bottom, to: AREA.top });
  const points = (trials: readonly PlottedTrial[], color: string, r: number): string =>
    element(
      'g',
      { fill: color, 'fill-opacity': 0.75 },
      trials
        .map(({ number, values }) =>
          element(
            'circle',
            { cx: x.scale.place(values[front.x] ?? 0), cy: y.scale.place(values[front.y] ?? 0), r },
            tooltip(`trial ${number}: ${values.join(', ')}`),
          ),
        )
        .join(''),
    );
  return figure({
    title,
    x,
    y,
    marks: [points(others, COLORS.gray, 3), points(front.trials, COLORS.vermillion, 4)],
    legend: [
      { label: `Pareto front (${counted(front.total)})`, color: COLORS.vermillion },
      { label: 'Other trials', color: COLORS.gray },
    ],
    notes: [
      ...(search.objectives.length > 2
        ? [
            `The front is that of all ${search.objectives.length} objectives; two of them are shown.`,
          ]
        : []),
      ...(front.trials.length < front.total
        ? [`Shows ${counted(front.trials.length)} of ${counted(front.total)} trials of the front.`]
        : sampleNotes(search.trials.length, search)),
    ],
  });
};
