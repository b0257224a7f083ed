import type { ABTestSpec } from '../../crds/schema/ab-test.ts';
import { exactInterval } from '../../operator/statistics/binomial-bounds.ts';
import type { MetricModel } from './metric-model.ts';
import { CONFIDENCE, type Tally } from './tally.ts';

export type Verdict = { readonly holds: boolean; readonly words: string };

/** Points by which the power may differ from the theory. */
const POWER_TOLERANCE = 0.05;

/** Broken only where chance would hardly do it: the lower end of the 99 % interval is above alpha. */
export const falsePromotions = ({ promoted, interval, tests }: Tally, alpha: number): Verdict => ({
  holds: interval.lower <= alpha,
  words: `false promotions: ${percent(promoted)} of ${tests} A/A tests (99 % interval ${range(interval)}), alpha ${percent(alpha)}`,
});

/** Of equal versions: that the candidate was taken for harmful, so that control was kept. */
export const falseHarm = ({ controlKept, tests }: Tally, alpha: number): Verdict => {
  const interval = exactInterval(
    { successes: Math.round(controlKept * tests), units: tests },
    1 - CONFIDENCE,
  );
  return {
    holds: interval.lower <= alpha,
    words: `false harm: control kept in ${percent(controlKept)} of ${tests} A/A tests (99 % interval ${range(interval)}), alpha ${percent(alpha)}`,
  };
};

/** A candidate as much worse in a guardrail as its margin allows is not shown to be safe. */
export const promotionsAtTheMargin = (tally: Tally, alpha: number): Verdict => ({
  holds: tally.interval.lower <= alpha,
  words: `promoted at the margin of a guardrail: ${percent(tally.promoted)} of ${tally.tests} tests (99 % interval ${range(tally.interval)}), alpha ${percent(alpha)}`,
});

/** Only where the theory is about all that decides: one goal, one candidate, no guardrail. */
export const isWholeTheory = ({ candidates, metrics }: ABTestSpec): boolean =>
  candidates.length === 1 && metrics.goal.length === 1 && (metrics.guardrails ?? []).length === 0;

/** A guardrail in which the first candidate is worse by its margin, or more. */
export const isBeyondAMargin = ({ metrics }: ABTestSpec, models: readonly MetricModel[]): boolean =>
  (metrics.guardrails ?? []).some(({ name, direction, margin }) => {
    const { control = 0, effects = [] } = models.find((model) => model.name === name) ?? {};
    const worse = direction === 'increase' ? -(effects[0] ?? 0) : (effects[0] ?? 0);
    return worse > 0 && worse >= (margin.absolute ?? (margin.relative ?? 0) * control);
  });

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
