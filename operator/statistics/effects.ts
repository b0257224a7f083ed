import type { Estimate } from './estimates.ts';

/** How treatment differs from control: the difference, its variance, and the units of both variants. */
export type Effect = { readonly value: number; readonly variance: number; readonly units: number };

/** Treatment minus control, in the metric's own unit. */
export const difference = (control: Estimate, treatment: Estimate): Effect =>
  differenceFromShare(control, treatment, 1);

/**
 * Treatment minus `share` of control. Below zero exactly where the lift is below share - 1 and control
 * is above zero; unlike the lift it needs no division, so that it holds for a control near zero too
 * (Fieller 1954).
 */
export const differenceFromShare = (
  control: Estimate,
  treatment: Estimate,
  share: number,
): Effect => ({
  value: treatment.value - share * control.value,
  variance: treatment.variance + share * share * control.variance,
  units: control.units + treatment.units,
});

/**
 * Relative lift (treatment - control) / control, 0.1 is 10 %; variance by the delta method, as gbstats
 * has it. Good where control is many standard errors from zero; to test, take the difference.
 * @returns undefined where control is 0
 */
export const relativeLift = (control: Estimate, treatment: Estimate): Effect | undefined => {
  if (control.value === 0) return undefined;
  const ratio = treatment.value / control.value;
  return {
    value: ratio - 1,
    variance:
      (treatment.variance + ratio * ratio * control.variance) / (control.value * control.value),
    units: control.units + treatment.units,
  };
};
