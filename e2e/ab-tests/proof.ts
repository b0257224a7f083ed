import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Arguments } from './arguments.ts';
import { readTest } from './manifest.ts';
import type { Assumed } from './metric-model.ts';
import { simulate } from './simulate.ts';
import { planOf } from './simulation-plan.ts';
import { verdictLine, type Verdict } from './verdict.ts';

type Proof = {
  readonly name: string;
  readonly control: number;
  readonly effect: number;
  readonly spread: number;
  readonly others?: ReadonlyMap<string, Assumed>;
  /** At most so many: bins are costly to compare. */
  readonly looks?: number;
};

/**
 * One test for each kind of estimate, with traffic at which theory finds the effect some three times of
 * four: there it would show most if a boundary were wrong. Quantiles have no theory, so none with an
 * effect. The guarded one is much better in its goal and worse by just the margin of its guardrail, where
 * each promotion is a false one.
 */
const PLANS: readonly Proof[] = [
  { name: 'conversion', control: 0.1, effect: 0.02, spread: 1 },
  { name: 'revenue', control: 1, effect: 0.06, spread: 1 },
  { name: 'revenue-per-session', control: 1, effect: 0.04, spread: 0.5 },
  { name: 'latency', control: 1, effect: 0, spread: 1, looks: 50 },
  {
    ...{ name: 'guarded', control: 0.1, effect: 0.05, spread: 1 },
    others: new Map([['refunds', { control: 0.03, effects: [0.01] }]]),
  },
];
const UNITS_PER_DAY = 1000;

/** @returns the exit code: 1 where a promise of the statistics is broken */
export const prove = async (many: Arguments): Promise<number> => {
  const verdicts: Verdict[] = [];
  for (const { name, control, effect, spread, others = new Map(), looks = Infinity } of PLANS) {
    const file = join(import.meta.dirname, 'plans', `${name}.yaml`);
    const plan = planOf(readTest(readFileSync(file, 'utf8'), file), {
      ...{ first: { control, effects: [effect] }, values: others, spread, normal: false },
      ...{ unitsPerDay: UNITS_PER_DAY, days: undefined, looks: Math.min(looks, many.looks) },
    });
    verdicts.push(...(await simulate(name, plan, many)));
  }
  const broken = verdicts.filter(({ holds }) => !holds);
  console.log(`\n${verdicts.length - broken.length} of ${verdicts.length} promises hold`);
  for (const verdict of broken) console.log(verdictLine(verdict));
  return broken.length === 0 ? 0 : 1;
};
