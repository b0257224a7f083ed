import { COLORS } from './colors.ts';
import { AREA, emptyFigure, figure } from './figure.ts';
import { scaleOf } from './scale.ts';
import { element, tooltip, words } from './svg.ts';

export type Importance = { readonly parameter: string; readonly importance: number };

const MOST_BARS = 16;

/** How much each parameter matters, the most important on top: Optuna's plot_param_importances. */
export const importancePlot = (
  search: { readonly name: string; readonly objective: string; readonly evaluator: string },
  importances: readonly Importance[],
): string => {
  const title = `Parameter importance in ${search.name}`;
  const sorted = importances.toSorted((a, b) => b.importance - a.importance);
  const shown = sorted.slice(0, MOST_BARS);
  if (shown.length === 0) {
    return emptyFigure(title, 'Not enough complete trials to say which parameters matter.');
  }
  const x = scaleOf({ name: '', kind: 'linear' }, [0, ...shown.map((each) => each.importance)], {
    from: AREA.left + 90,
    to: AREA.right,
  });
  const height = (AREA.bottom - AREA.top) / shown.length;
  const bars = shown.map(({ parameter, importance }, index) => {
    const top = AREA.top + index * height;
    const bar = {
      ...{ x: x.place(0), y: top + height * 0.15, height: height * 0.7 },
      ...{ width: Math.max(0, x.place(importance) - x.place(0)), fill: COLORS.blue },
    };
    const label = { x: x.place(0) - 8, y: top + height / 2 + 4, 'text-anchor': 'end' };
    return (
      element('rect', bar, tooltip(`${parameter}: ${importance}`)) + words(parameter, label, 22)
    );
  });
  return figure({
    title,
    x: { label: `Importance for ${search.objective}`, scale: x },
    marks: bars,
    notes: [
      `By Optuna's ${search.evaluator}.`,
      ...(sorted.length > shown.length
        ? [`Shows the first ${shown.length} of ${sorted.length} parameters.`]
        : []),
    ],
  });
};
