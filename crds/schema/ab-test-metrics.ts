import { z } from 'zod';
import { listMap, metricName } from './fields.ts';
import { exactlyOneOf, withRules } from './rules.ts';
import type { Rule } from './rules.ts';

const margin = withRules(
  z
    .strictObject({
      absolute: z.number().min(0).describe("In the metric's own unit.").optional(),
      relative: z
        .number()
        .min(0)
        .describe("As a share of control's value: 0.1 is 10 %.")
        .optional(),
    })
    .describe('How large a difference is still none.'),
  exactlyOneOf(['absolute', 'relative'], 'set exactly one of absolute and relative'),
);

const metric = {
  name: metricName(
    'Name of the metric: request-success-rate, request-error-rate, request-duration, or one that is sent as feedback.',
  ),
  type: z
    .enum(['proportion', 'mean', 'ratio', 'quantile'])
    .describe(
      'How a value comes out of the samples: proportion (share of units), mean, ratio (of two sums) or quantile.',
    ),
  direction: z.enum(['increase', 'decrease']).describe('Which way is better.'),
  quantile: z
    .number()
    .gt(0)
    .lt(1)
    .describe('Which quantile, such as 0.95; for type quantile.')
    .optional(),
  numerator: metricName('Metric above the line; for type ratio.').optional(),
  denominator: metricName('Metric below the line; for type ratio.').optional(),
};

const typeRules: readonly Rule[] = [
  {
    rule: `has(self.quantile) == (self.type == 'quantile')`,
    message: 'type quantile needs quantile (such as 0.95), and no other type has it',
  },
  {
    rule: `has(self.numerator) == (self.type == 'ratio') && has(self.denominator) == (self.type == 'ratio')`,
    message: 'type ratio needs numerator and denominator, and no other type has them',
  },
];

export const metrics = withRules(
  z
    .strictObject({
      goal: listMap(
        withRules(z.strictObject({ ...metric, margin: margin.optional() }), ...typeRules),
        'What a candidate must be better in.',
        { min: 1, max: 20 },
      ),
      guardrails: listMap(
        withRules(z.strictObject({ ...metric, margin }), ...typeRules),
        'What a candidate must not be worse in, by more than margin.',
        { max: 20 },
      ).optional(),
      secondary: listMap(
        withRules(z.strictObject(metric), ...typeRules),
        'What is reported beside, and decides nothing: p-values and intervals are adjusted for how many there are (Benjamini and Hochberg).',
        { max: 20 },
      ).optional(),
    })
    .describe('What decides.'),
  {
    rule: '!has(self.guardrails) || self.guardrails.all(g, !self.goal.exists(m, m.name == g.name))',
    message: 'a metric is either a goal or a guardrail, not both',
  },
  {
    rule: '!has(self.secondary) || self.secondary.all(s, !self.goal.exists(m, m.name == s.name) && (!has(self.guardrails) || !self.guardrails.exists(g, g.name == s.name)))',
    message:
      'a metric that is a goal or a guardrail is reported already: leave it out of secondary',
  },
);
