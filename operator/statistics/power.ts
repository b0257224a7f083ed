import { boundaryAt } from './confidence-sequence.ts';
import { normalCdf, normalTailQuantile } from './special-functions.ts';

/**
 * How many units a test needs (Fleiss, Levin & Paik 2003, chapter 4, without continuity correction),
 * two-sided, each variant as many. Normal approximations: good from some ten successes on.
 */
export type PowerOptions = { readonly alpha: number; readonly power: number };

/** Units of each variant to find `treatment` instead of `control`, two shares, in one look. */
export const unitsForProportions = (
  control: number,
  treatment: number,
  { alpha, power }: PowerOptions,
): number => {
  const mean = (control + treatment) / 2;
  const pooled = Math.sqrt(2 * mean * (1 - mean));
  const apart = Math.sqrt(control * (1 - control) + treatment * (1 - treatment));
  const reach = normalTailQuantile(alpha / 2) * pooled + normalTailQuantile(1 - power) * apart;
  return Math.ceil((reach / (treatment - control)) ** 2);
};

/** Units of each variant to find a difference of means, with `variance` of a unit, in one look. */
export const unitsForMeans = (
  difference: number,
  variance: number,
  { alpha, power }: PowerOptions,
): number => {
  const reach = normalTailQuantile(alpha / 2) + normalTailQuantile(1 - power);
  return Math.ceil(2 * variance * (reach / difference) ** 2);
};

/** Chance that one look finds a difference whose estimate has the standard error `error`. */
export const fixedPower = (difference: number, error: number, alpha: number): number =>
  powerBeyond(normalTailQuantile(alpha / 2), difference, error);

/**
 * Chance that the confidence sequence excludes 0 at its last look, with as many units as planned. That
 * it did at any look before only adds to it: a lower bound.
 */
export const sequentialPower = (difference: number, error: number, alpha: number): number =>
  powerBeyond(plannedBoundary(alpha), difference, error);

/**
 * How many times the units of the fixed test the sequential one must plan for the same power at its last
 * look: 1.92 for alpha 5 % and power 80 %. It ends earlier where the effect is as large as hoped.
 */
export const sequentialFactor = ({ alpha, power }: PowerOptions): number => {
  const reach = normalTailQuantile(1 - power);
  return ((plannedBoundary(alpha) + reach) / (normalTailQuantile(alpha / 2) + reach)) ** 2;
};

/** It depends on the share of the planned units that is there, not on their number. */
const plannedBoundary = (alpha: number): number => boundaryAt(1, { alpha, plannedUnits: 1 });

const powerBeyond = (boundary: number, difference: number, error: number): number => {
  const shift = Math.abs(difference) / error;
  return normalCdf(shift - boundary) + normalCdf(-shift - boundary);
};
