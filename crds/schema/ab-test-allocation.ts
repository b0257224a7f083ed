import { z } from 'zod';
import { duration, integer } from './fields.ts';
import type { Rule } from './rules.ts';

/** How many units each variant gets while the test runs. */
export const allocation = z
  .strictObject({
    mode: z
      .enum(['fixed', 'bandit'])
      .describe(
        'fixed: the weights of the candidates, all along. bandit: Thompson sampling; what is more probably the best in the goal gets more units, from these weights on. Numbers are then weighted by how probable it was to see them, and units move where weights change.',
      )
      .default('fixed'),
    floor: integer(
      'For bandit: percent of the units that each variant keeps at least.',
      1,
      50,
    ).default(5),
    interval: duration(
      'For bandit: the weights change at most so often. Shorter ones move more units between variants.',
    ).default('1h'),
    probabilityToBeBest: z
      .number()
      .gt(0.5)
      .lt(1)
      .describe(
        'For bandit: the test ends when a variant is the best with this probability, which bounds no rate of false discoveries.',
      )
      .default(0.95),
  })
  .describe('Who gets how many units while the test runs; left out, fixed.');

const isFixed = `!has(self.allocation) || self.allocation.mode == 'fixed'`;

/** Rules of the spec. */
export const allocationRules: readonly Rule[] = [
  {
    rule: `${isFixed} || self.metrics.goal.size() == 1`,
    message:
      'a bandit has exactly one goal, by which it shares the units: move others to secondary',
  },
  {
    rule: `${isFixed} || !has(self.inference) || self.inference.mode == 'sequential'`,
    message: 'a bandit ends by allocation.probabilityToBeBest: leave inference out',
  },
  {
    rule: `${isFixed} || (self.candidates.all(c, c.weight >= self.allocation.floor) && self.candidates.map(c, c.weight).sum() <= 100 - self.allocation.floor)`,
    message:
      'each variant of a bandit, control included, starts with allocation.floor percent of the units or more',
  },
  {
    rule: `${isFixed} || !(self.metrics.goal.exists(m, m.type == 'quantile') || (has(self.metrics.guardrails) && self.metrics.guardrails.exists(m, m.type == 'quantile')) || (has(self.metrics.secondary) && self.metrics.secondary.exists(m, m.type == 'quantile')))`,
    message:
      'quantiles cannot be compared where weights change: use type mean or proportion with a bandit',
  },
];
