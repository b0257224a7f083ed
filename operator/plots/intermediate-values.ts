import { COLORS } from './colors.ts';
import { counted } from './described.ts';
import { EvenSample } from './even-sample.ts';
import { AREA, emptyFigure, figure } from './figure.ts';
import { scaleOf } from './scale.ts';
import { element, pixels, tooltip } from './svg.ts';

export type Curve = {
  readonly number: number;
  readonly state: 'complete' | 'pruned' | 'other';
  /** In order of step; values that are no finite number are left out. */
  readonly points: readonly { readonly step: number; readonly value: number }[];
};

/** As many curves as an eye can follow, and as many points as the plot has room for. */
export const MOST_CURVES = 50;
const MOST_POINTS = 200;

const STATE_COLORS = {
  complete: COLORS.blue,
  pruned: COLORS.orange,
  other: COLORS.gray,
} as const;

/** What trials reported on their way: Optuna's plot_intermediate_values. `total` is all trials. */
export const intermediateValues = (
  search: { readonly name: string; readonly metric: string; readonly total: number },
  curves: readonly Curve[],
): string => {
  const title = `Intermediate values of ${search.name}`;
  const shown = curves
    .map((curve) => ({ ...curve, points: thinned(curve.points) }))
    .filter(({ points }) => points.length > 0);
  const points = shown.flatMap((curve) => curve.points);
  if (points.length === 0) {
    return emptyFigure(title, `No trial has reported a value of ${search.metric} yet.`);
  }
  const x = scaleOf(
    { name: 'Step', kind: 'linear' },
    points.map(({ step }) => step),
    { from: AREA.left, to: AREA.right },
  );
  const y = scaleOf(
    { name: search.metric, kind: 'linear' },
    points.map(({ value }) => value),
    { from: AREA.bottom, to: AREA.top },
  );
  const marks = shown.map((curve) => {
    const places = curve.points.map(
      ({ step, value }) => `${pixels(x.place(step))} ${pixels(y.place(value))}`,
    );
    const words = tooltip(`trial ${curve.number}`);
    const color = STATE_COLORS[curve.state];
    // A line of one point has no length; a round cap makes it a dot.
    return element(
      'path',
      { d: `M${places.join('L')}${places.length === 1 ? 'h0' : ''}`, stroke: color },
      words,
    );
  });
  return figure({
    title,
    x: { label: 'Step', scale: x },
    y: { label: search.metric, scale: y },
    marks: [
      element(
        'g',
        {
          ...{ fill: 'none', 'stroke-opacity': 0.75, 'stroke-width': 1.5 },
          ...{ 'stroke-linecap': 'round', 'stroke-linejoin': 'round' },
        },
        marks.join(''),
      ),
    ],
    legend: [
      { label: 'Complete', color: COLORS.blue },
      { label: 'Pruned', color: COLORS.orange },
      { label: 'Running, failed or stopped', color: COLORS.gray },
    ],
    notes:
      curves.length < search.total
        ? [`Shows ${counted(curves.length)} of ${counted(search.total)} trials, evenly chosen.`]
        : [],
  });
};

const thinned = (points: Curve['points']): Curve['points'] => {
  const finite = points.filter(({ value }) => Number.isFinite(value));
  const sample = new EvenSample<(typeof finite)[number]>(MOST_POINTS);
  for (const point of finite) sample.add(point);
  const last = finite.at(-1);
  return last === undefined || sample.items.at(-1) === last
    ? sample.items
    : [...sample.items, last];
};
