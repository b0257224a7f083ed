import type { Arguments } from './arguments.ts';
import { assumptionLines, tableOf } from './report.ts';
import { simulateMany } from './simulate-many.ts';
import type { SimulationPlan } from './simulate-test.ts';
import { hasEffect, withoutEffect } from './simulation-plan.ts';
import { tallyOf } from './tally.ts';
import { theoryOf } from './theory.ts';
import {
  falseHarm,
  falsePromotions,
  isBeyondAMargin,
  isWholeTheory,
  powerAgrees,
  promotionsAtTheMargin,
  verdictLine,
  type Verdict,
} from './verdict.ts';

/** Prints what comes of a plan without and with its effect, and what the two prove. */
export const simulate = async (
  name: string,
  plan: SimulationPlan,
  many: Pick<Arguments, 'tests' | 'seed' | 'workers'>,
): Promise<readonly Verdict[]> => {
  const startedAt = performance.now();
  const same = withoutEffect(plan);
  print([`\n${name}: ${many.tests} tests, seed ${many.seed}`, ...assumptionLines(plan), '']);
  const verdicts: Verdict[] = [];
  const tallies = tallyOf(await simulateMany(same, many));
  print(tableOf('A/A, no effect', shown(plan, tallies), theoryOf(same)));
  verdicts.push(falsePromotions(tallies.decide, plan.spec.alpha));
  if (plan.spec.metrics.guardrails !== undefined) {
    verdicts.push(falseHarm(tallies.decide, plan.spec.alpha));
  }
  if (hasEffect(plan)) {
    const theory = theoryOf(plan);
    const found = tallyOf(await simulateMany(plan, many));
    print(tableOf('with the effect', shown(plan, found), theory));
    if (theory !== undefined && isWholeTheory(plan.spec)) {
      verdicts.push(powerAgrees(found.decide, theory.sequential));
    }
    if (isBeyondAMargin(plan.spec, plan.metrics)) {
      verdicts.push(promotionsAtTheMargin(found.decide, plan.spec.alpha));
    }
  }
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
  print(['', ...verdicts.map(verdictLine), `(${seconds} s)`]);
  return verdicts;
};

/** Of quantiles there is no one-look test here. */
const shown = (
  { spec }: SimulationPlan,
  { decide, threshold, repeated }: ReturnType<typeof tallyOf>,
): Partial<ReturnType<typeof tallyOf>> =>
  spec.metrics.goal[0]?.type === 'quantile'
    ? { decide, threshold }
    : { decide, threshold, repeated };

const print = (lines: readonly string[]): void => {
  for (const line of lines) console.log(line);
};
