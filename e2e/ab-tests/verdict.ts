import type { ABTestSpec } from '../../crds/schema/ab-test.ts';
import type { Tally } from './tally.ts';

export type Verdict = { readonly holds: boolean; readonly words: string };

/** Points by which the power may differ from the theory. */
const POWER_TOLERANCE = 0.05;

/** Broken only where chance would hardly do it: the lower end of the 99 % interval is above alpha. */
export const falsePromotions = ({ promoted, interval, tests }: Tally, alpha: number): Verdict => ({
  holds: interval.lower <= alpha,
  words: `false promotions: ${percent(promoted)} of ${tests} A/A tests (99 % interval ${range(interval)}), alpha ${percent(alpha)}`,
});

/** Only where the theory is about all that decides: one goal, one candidate, no guardrail. */
export const isWholeTheory = ({ candidates, metrics }: ABTestSpec): boolean =>
  candidates.length === 1 && metrics.goal.length === 1 && (metrics.guardrails ?? []).length === 0;

export const powerAgrees = ({ promoted, tests }: Tally, theory: number): Verdict => ({
  holds: Math.abs(promoted - theory) <= POWER_TOLERANCE,
  words: `power: ${percent(promoted)} of ${tests} tests, ${percent(theory)} in theory (5 points are allowed)`,
});

export const verdictLine = ({ holds, words }: Verdict): string =>
  `${holds ? 'holds ' : 'BROKEN'}  ${words}`;

export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

export const range = ({
  lower,
  upper,
}: {
  readonly lower: number;
  readonly upper: number;
}): string => `${(100 * lower).toFixed(1)} – ${percent(upper)}`;
