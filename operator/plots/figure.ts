import type { Scale } from './scale.ts';
import { element, pixels, words } from './svg.ts';

/** Pixels; where the marks of a plot may stand. */
export const AREA = { left: 96, right: 690, top: 68, bottom: 366 } as const;
const SIZE = { width: 720, height: 456 } as const;

/** Colours of paper and ink; a page in the dark gets its own, also where the plot is an <img>. */
const STYLE = `text{font:12px system-ui,sans-serif;fill:#24292f}.title{font-size:16px;font-weight:600}.note{font-size:11px;fill:#57606a}.halo{paint-order:stroke;stroke:#fff;stroke-width:3px;stroke-linejoin:round}.paper{fill:#fff}.grid{stroke:#d8dee4}.axis{stroke:#6e7781}@media(prefers-color-scheme:dark){text{fill:#e6edf3}.halo{stroke:#0d1117}.note{fill:#9da7b3}.paper{fill:#0d1117}.grid{stroke:#30363d}.axis{stroke:#8b949e}}`;

export type Axis = { readonly label: string; readonly scale: Scale };

export type Legend = readonly { readonly label: string; readonly color: string }[];

export type Figure = {
  readonly title: string;
  readonly x?: Axis;
  readonly y?: Axis;
  /** Markup of what is shown. */
  readonly marks: readonly string[];
  readonly legend?: Legend;
  /** What the reader must know, such as that not all is shown; three lines have room. */
  readonly notes?: readonly string[];
};

/** A whole SVG document of 720 by 456 pixels. */
export const figure = ({ title, x, y, marks, legend = [], notes = [] }: Figure): string =>
  element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      viewBox: `0 0 ${SIZE.width} ${SIZE.height}`,
      width: SIZE.width,
      height: SIZE.height,
      role: 'img',
      'aria-label': title.toWellFormed(),
    },
    [
      element('style', {}, STYLE),
      element('rect', { class: 'paper', width: SIZE.width, height: SIZE.height }),
      words(title, { class: 'title', x: 16, y: 26 }),
      legendOf(legend),
      x === undefined ? '' : bottomAxis(x),
      y === undefined ? '' : leftAxis(y),
      ...marks,
      ...notes.map((note, index) =>
        words(
          note,
          { class: 'note', x: 16, y: SIZE.height - 8 - 14 * (notes.length - 1 - index) },
          120,
        ),
      ),
    ].join('\n'),
  );

/** A plot of nothing that says why. */
export const emptyFigure = (title: string, why: string): string =>
  figure({
    title,
    marks: [words(why, { x: SIZE.width / 2, y: SIZE.height / 2, 'text-anchor': 'middle' }, 100)],
  });

const legendOf = (legend: Legend): string => {
  let at = 16;
  return legend
    .map(({ label, color }) => {
      const entry =
        element('rect', { x: at, y: 40, width: 12, height: 12, rx: 2, fill: color }) +
        words(label, { x: at + 17, y: 50 }, 32);
      at += 40 + 7 * Math.min(label.length, 32);
      return entry;
    })
    .join('');
};

const bottomAxis = ({ label, scale }: Axis): string => {
  const { left, right, top, bottom } = AREA;
  const room = Math.floor((right - left) / Math.max(scale.marks.length, 1) / 7);
  return [
    path(
      scale.marks.map(({ at }) => line(at, top, at, bottom)),
      'grid',
    ),
    path([line(left, bottom, right, bottom)], 'axis'),
    ...scale.marks.map((mark) =>
      words(mark.label, { x: mark.at, y: bottom + 17, 'text-anchor': 'middle' }, Math.max(room, 3)),
    ),
    words(label, { x: (left + right) / 2, y: bottom + 37, 'text-anchor': 'middle' }),
  ].join('\n');
};

const leftAxis = ({ label, scale }: Axis): string => {
  const { left, right, top, bottom } = AREA;
  const middle = (top + bottom) / 2;
  return [
    path(
      scale.marks.map(({ at }) => line(left, at, right, at)),
      'grid',
    ),
    path([line(left, top, left, bottom)], 'axis'),
    ...scale.marks.map((mark) =>
      words(mark.label, { x: left - 8, y: mark.at + 4, 'text-anchor': 'end' }, 8),
    ),
    words(
      label,
      { x: 16, y: middle, 'text-anchor': 'middle', transform: `rotate(-90 16 ${middle})` },
      40,
    ),
  ].join('\n');
};

export const line = (x1: number, y1: number, x2: number, y2: number): string =>
  `M${pixels(x1)} ${pixels(y1)}L${pixels(x2)} ${pixels(y2)}`;

export const path = (lines: readonly string[], className: string): string =>
  lines.length === 0 ? '' : element('path', { class: className, d: lines.join(''), fill: 'none' });
