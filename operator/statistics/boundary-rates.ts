import type { Ratio } from './aggregates.ts';
import { jointMomentsOf, mergeJointMoments } from './moments.ts';

/** One unit whose only event counts, and one whose only event does not. */
const ONE_OF_EACH = jointMomentsOf([
  [1, 1],
  [0, 1],
]);

/**
 * Rates (shares of events, such as failed ones of all requests) of which one or both are exactly 0 or 1
 * so far. Their variance looks like 0, which says nothing of the next event; so each gets one event of
 * either kind, as Agresti & Caffo, "Simple and effective confidence intervals for proportions and
 * differences of proportions" (The American Statistician 54, 2000). Others come back as they are.
 */
export const awayFromBoundary = (
  control: Ratio,
  treatment: Ratio,
): readonly [control: Ratio, treatment: Ratio] =>
  [control, treatment].some(isAtBoundary)
    ? [softened(control), softened(treatment)]
    : [control, treatment];

export const isAtBoundary = ({ pairs: { first, second } }: Ratio): boolean =>
  first.mean === 0 || first.mean === second.mean;

/** With one event of either kind. */
export const softened = (rate: Ratio): Ratio => ({
  ...rate,
  pairs: mergeJointMoments(rate.pairs, ONE_OF_EACH),
});
