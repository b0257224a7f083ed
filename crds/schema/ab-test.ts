import { z } from 'zod';
import { allocation, allocationRules } from './ab-test-allocation.ts';
import { metrics } from './ab-test-metrics.ts';
import { AGE_COLUMN, READY_COLUMN, REASON_COLUMN } from './columns.ts';
import {
  count,
  dnsLabel,
  duration,
  flag,
  integer,
  listMap,
  localRef,
  metricName,
  semVer,
  text,
  time,
} from './fields.ts';
import { defineKind } from './resource.ts';
import type { Resource, Served } from './resource.ts';
import { exactlyOneOf, nameIsDnsLabel, shaped, unchanged, withRules } from './rules.ts';
import type { Rule } from './rules.ts';
import { statusOf } from './status.ts';

/** A Deployment's name (45), "-" and this make the name of a variant's pods. */
const CANDIDATE_NAME_MAX = 16;

const candidate = z.strictObject({
  name: dnsLabel('Name of the variant.', CANDIDATE_NAME_MAX),
  version: semVer('The version it serves.'),
  weight: integer('Percent of the units it gets.', 1, 100),
});

const candidates = withRules(
  listMap(
    candidate,
    'The versions that are compared with control; control gets the rest of the units.',
    {
      min: 1,
      max: 8,
    },
  ),
  {
    rule: 'self.map(c, c.weight).sum() <= 100',
    message: 'the weights must sum to at most 100: control gets the rest',
  },
  {
    rule: `!self.exists(c, c.name == 'control')`,
    message: '"control" is the name of what the Deployment serves now: choose another one',
  },
);

const unit = withRules(
  z
    .strictObject({
      header: shaped(
        z
          .string()
          .min(1)
          .max(128)
          .describe('Request header that names the unit, such as x-user-id.'),
        /^[A-Za-z0-9!#$%&*+.^_`|~-]+$/,
        'must be the name of a header, such as x-user-id',
      ).optional(),
      cookie: shaped(
        z.string().min(1).max(128).describe('Cookie that names the unit.'),
        /^[A-Za-z0-9!#$%&*+.^_`|~-]+$/,
        'must be the name of a cookie, such as user',
      ).optional(),
    })
    .describe('What tells one unit (say, a user) from another; one unit keeps its variant.'),
  exactlyOneOf(['header', 'cookie'], 'set exactly one of header and cookie'),
);

const inference = z
  .strictObject({
    mode: z
      .enum(['sequential', 'fixed-horizon', 'bayesian'])
      .describe(
        'sequential: confidence sequences, valid however often they are looked at. fixed-horizon: one look, as soon as minimumRuntime and minimumSamples are reached. bayesian: by probabilityToBeat and expectedLoss, which bound no rate of false discoveries. Guardrails, secondary metrics and the sample ratio are always watched sequentially.',
      )
      .default('sequential'),
    probabilityToBeat: z
      .number()
      .gt(0.5)
      .lt(1)
      .describe('For bayesian: how probable it must be that a candidate is better.')
      .default(0.95),
    expectedLoss: z
      .number()
      .min(0)
      .describe(
        "For bayesian: what choosing the candidate may cost on average, as a share of control's value.",
      )
      .default(0.001),
  })
  .describe('How goals are judged; left out, sequential.');

const spec = withRules(
  z
    .strictObject({
      deploymentRef: localRef(
        'The Deployment whose traffic is split; what it serves now is control.',
        'the Deployment',
        45,
      ),
      candidates,
      unit,
      metrics,
      inference: inference.optional(),
      allocation: allocation.optional(),
      alpha: z
        .number()
        .gt(0)
        .max(0.5)
        .describe('Chance of a false discovery over the whole test, however often it is looked at.')
        .default(0.05),
      minimumRuntime: duration('Nothing is decided before.').default('1h'),
      minimumSamples: integer(
        'Distinct units each variant must have before anything is decided.',
        1,
      ).default(1000),
      maximumRuntime: duration('After it the test ends, decided or not.').default('14d'),
      onDecision: z
        .enum(['promote', 'pause'])
        .describe(
          'What happens when a candidate wins: promote moves the alias the Deployment follows; pause only reports.',
        )
        .default('pause'),
      suspend: flag('True: everything goes to control, and no samples are taken.').default(false),
    })
    .describe(
      'What is compared, on whom, and by what. Once started only suspend and maximumRuntime may change.',
    ),
  {
    rule: `!has(self.inference) || self.inference.mode == 'sequential' || !self.metrics.goal.exists(m, m.type == 'quantile')`,
    message: 'a goal of type quantile is judged sequentially only: leave inference.mode out',
  },
  ...allocationRules,
);

const IMMUTABLE_ONCE_STARTED = [
  'deploymentRef',
  'candidates',
  'unit',
  'metrics',
  'inference',
  'allocation',
  'alpha',
  'minimumRuntime',
  'minimumSamples',
  'onDecision',
];

const immutableOnceStarted: Rule[] = IMMUTABLE_ONCE_STARTED.map((field) => ({
  rule: `!has(oldSelf.status) || !has(oldSelf.status.startTime) || (${unchanged('self.spec', 'oldSelf.spec', field)})`,
  message: `spec.${field} cannot be changed once the test has started, or its numbers would mean nothing: create another ABTest (only suspend and maximumRuntime may change)`,
  reason: 'FieldValueForbidden',
  fieldPath: `.spec.${field}`,
}));

const estimate = z.strictObject({
  name: metricName('Name of the metric.'),
  role: z.enum(['goal', 'guardrail', 'secondary']).describe('What it is for.').optional(),
  verdict: text(
    'Of a goal or secondary metric better, worse or unsure; of a guardrail safe, harmful or undecided.',
    63,
  ).optional(),
  estimate: z.number().describe('Difference from control.').optional(),
  interval: z
    .strictObject({
      lower: z.number().describe('Lower end.').optional(),
      upper: z.number().describe('Upper end.').optional(),
    })
    .describe('Confidence interval that holds at every look; an end left out is infinite.')
    .optional(),
  pValue: z
    .number()
    .describe(
      'Anytime-valid p-value, unless spec.inference says otherwise; of goals adjusted by Holm, of secondary metrics by Benjamini and Hochberg.',
    )
    .optional(),
  probabilityToBeat: z
    .number()
    .describe('How probable it is that the candidate is better; where inference is bayesian.')
    .optional(),
  expectedLoss: z
    .number()
    .describe("What choosing the candidate costs on average, in the metric's unit.")
    .optional(),
});

const status = statusOf({
  startTime: time('When the first unit was counted.').optional(),
  completionTime: time('When the test ended.').optional(),
  decision: text('Name of the variant that won, or inconclusive.', 63).optional(),
  samples: count('Distinct units counted.').optional(),
  variants: listMap(
    z.strictObject({
      name: text('control, or the name of a candidate.', 63),
      version: text('Its version.', 63).optional(),
      weight: integer('Percent of the units it is to get now.', 0, 100).optional(),
      samples: count('Distinct units counted.').optional(),
      probabilityBest: z
        .number()
        .describe('How probable it is that it is the best in the goal; where the test is a bandit.')
        .optional(),
      metrics: listMap(estimate, 'How it compares with control.', { max: 60 }).optional(),
    }),
    'What was found for each variant.',
    { max: 9 },
  ).optional(),
  sampleRatioMismatch: flag(
    'True: units are not split as the weights say, so nothing is decided.',
  ).optional(),
});

export const abTest = defineKind({
  kind: 'ABTest',
  plural: 'abtests',
  singular: 'abtest',
  shortNames: ['mlab'],
  description:
    'A test of versions against each other on live traffic, decided by what the requests lead to.',
  spec,
  status,
  printerColumns: [
    READY_COLUMN,
    REASON_COLUMN,
    { name: 'Decision', type: 'string', jsonPath: '.status.decision', description: 'Who won.' },
    {
      name: 'Samples',
      type: 'integer',
      jsonPath: '.status.samples',
      description: 'Distinct units counted.',
    },
    AGE_COLUMN,
  ],
  rules: [...nameIsDnsLabel(52), ...immutableOnceStarted],
  implemented: true,
});

export type ABTestSpec = Served<typeof abTest.spec>;
export type ABTestStatus = Served<typeof abTest.status>;
export type ABTest = Resource<ABTestSpec, ABTestStatus>;
