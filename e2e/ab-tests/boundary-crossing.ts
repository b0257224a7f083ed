import {
  normalCdf,
  normalDensity,
  normalTail,
} from '../../operator/statistics/special-functions.ts';

/** A look at which the test may end: the estimate's 1/variance, and its limit in standard errors. */
export type TheoryLook = { readonly information: number; readonly boundary: number };

/** Steps of the grid in a standard deviation of what comes between two looks. */
const STEPS = 4;
/** Standard deviations beyond which there is no mass worth counting (1e-7). */
const REACH = 5;

/**
 * Chance that an estimate, normal around `difference`, is above the boundary at one look at least. By
 * recursive integration over the score (estimate times information, a Brownian motion with drift):
 * Armitage, McPherson & Rowe, J. R. Stat. Soc. A 1969; Jennison & Turnbull 1999, chapter 19.
 */
export const crossingProbability = (looks: readonly TheoryLook[], difference: number): number => {
  const first = looks[0];
  const last = looks.at(-1);
  if (first === undefined || last === undefined) return 0;
  const low =
    Math.min(0, difference * last.information) - (REACH + 1) * Math.sqrt(last.information);
  const height = first.boundary * Math.sqrt(first.information);
  const [centre, deviation] = [difference * first.information, Math.sqrt(first.information)];
  let crossed = normalTail((height - centre) / deviation);
  let density = grid(
    low,
    height,
    stepOf(looks, 0),
    (score) => normalDensity((score - centre) / deviation) / deviation,
  );
  looks.slice(1).forEach((look, index) => {
    const more = look.information - (looks[index]?.information ?? 0);
    const move: Move = { drift: difference * more, deviation: Math.sqrt(more) };
    const limit = look.boundary * Math.sqrt(look.information);
    crossed += integral(density, (score) =>
      normalCdf((score + move.drift - limit) / move.deviation),
    );
    density = grid(low, limit, stepOf(looks, index + 1), (score) => spread(density, score, move));
  });
  return crossed;
};

type Move = { readonly drift: number; readonly deviation: number };
/** Values at `top`, `top - step`, `top - 2 step` … */
type Grid = { readonly top: number; readonly step: number; readonly values: readonly number[] };

/** As fine as what comes before and after the look needs. */
const stepOf = (looks: readonly TheoryLook[], index: number): number => {
  const at = (of: number): number => looks[of]?.information ?? 0;
  const before = at(index) - at(index - 1);
  const after = index + 1 < looks.length ? at(index + 1) - at(index) : before;
  return Math.sqrt(Math.min(before, after)) / STEPS;
};

const grid = (low: number, top: number, step: number, of: (score: number) => number): Grid => ({
  ...{ top, step },
  values: Array.from({ length: Math.max(1, Math.ceil((top - low) / step)) }, (_value, index) =>
    of(top - index * step),
  ),
});

/** At the boundary, where the density ends, Gregory's rule: trapezoids would be 0.3 points off in the end. */
const END_WEIGHTS = [3 / 8, 7 / 6, 23 / 24];

const integral = ({ top, step, values }: Grid, of: (score: number) => number): number =>
  values.reduce(
    (sum, value, index) => sum + (END_WEIGHTS[index] ?? 1) * value * of(top - index * step),
    0,
  ) * step;

const spread = ({ top, step, values }: Grid, score: number, { drift, deviation }: Move): number => {
  const from = Math.max(0, Math.floor((top - score + drift - REACH * deviation) / step));
  const to = Math.min(
    values.length - 1,
    Math.ceil((top - score + drift + REACH * deviation) / step),
  );
  let sum = 0;
  for (let index = from; index <= to; index += 1) {
    const weight = END_WEIGHTS[index] ?? 1;
    const distance = (score - drift - (top - index * step)) / deviation;
    sum += weight * (values[index] ?? 0) * Math.exp((-distance * distance) / 2);
  }
  return (sum * step) / (deviation * Math.sqrt(2 * Math.PI));
};
