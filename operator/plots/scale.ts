import { linearTicks, logTicks, tickLabel } from './ticks.ts';

/** What an axis shows: numbers, numbers by their logarithm, or choices by their place in the list. */
export type Dimension =
  | { readonly name: string; readonly kind: 'linear' | 'log' }
  | { readonly name: string; readonly kind: 'choice'; readonly choices: readonly string[] };

/** From one pixel to another; `from` is where small values stand. */
export type Span = { readonly from: number; readonly to: number };

export type Mark = { readonly at: number; readonly label: string };

export type Scale = {
  /** Pixels of a value; values beyond the ends stand at the ends. */
  readonly place: (value: number) => number;
  readonly marks: readonly Mark[];
};

/** More labels than this would overlap. */
const MOST_CHOICE_MARKS = 16;

/** The number that stands for what a trial was given; undefined where it was given nothing usable. */
export const numberFor = (dimension: Dimension, text: string | undefined): number | undefined => {
  if (text === undefined) return undefined;
  if (dimension.kind === 'choice') {
    const index = dimension.choices.indexOf(text);
    return index === -1 ? undefined : index;
  }
  const value = text.trim() === '' ? Number.NaN : Number(text);
  return Number.isFinite(value) && (dimension.kind === 'linear' || value > 0) ? value : undefined;
};

/** An axis over `values`, which must be finite, and greater than 0 for a logarithm; none gives 0 to 1. */
export const scaleOf = (dimension: Dimension, values: readonly number[], span: Span): Scale => {
  if (dimension.kind === 'choice') return choiceScale(dimension.choices, span);
  const [min, max] = boundsOf(values);
  return dimension.kind === 'log' && min > 0
    ? numberScale(logTicks(min, max), Math.log10, span)
    : numberScale(linearTicks(min, max), (value) => value, span);
};

/** Lowest and highest, without spreading a long list over the stack. */
export const boundsOf = (values: readonly number[]): readonly [number, number] => {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    min = Math.min(min, value);
    max = Math.max(max, value);
  }
  return min > max ? [0, 1] : [min, max];
};

const numberScale = (
  ticks: readonly number[],
  measure: (value: number) => number,
  { from, to }: Span,
): Scale => {
  const low = ticks[0] ?? 0;
  const high = ticks.at(-1) ?? 1;
  const place = (value: number): number => {
    const inside = Math.max(low, Math.min(high, value));
    const part = (measure(inside) - measure(low)) / (measure(high) - measure(low));
    return from + part * (to - from);
  };
  return { place, marks: ticks.map((tick) => ({ at: place(tick), label: tickLabel(tick) })) };
};

const choiceScale = (choices: readonly string[], { from, to }: Span): Scale => {
  const place = (index: number): number =>
    from + ((index + 0.5) / Math.max(choices.length, 1)) * (to - from);
  const stride = Math.ceil(choices.length / MOST_CHOICE_MARKS);
  const marks = choices
    .map((label, index) => ({ at: place(index), label }))
    .filter((_, index) => index % stride === 0);
  return { place, marks };
};
