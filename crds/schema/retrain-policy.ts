import { z } from 'zod';
import { AGE_COLUMN, READY_COLUMN, REASON_COLUMN } from './columns.ts';
import {
  count,
  duration,
  flag,
  integer,
  listMap,
  localRef,
  metricName,
  text,
  time,
} from './fields.ts';
import { defineKind } from './resource.ts';
import type { Resource, Served } from './resource.ts';
import { triggers } from './retrain-policy-triggers.ts';
import { atLeastOneOf, exactlyOneOf, nameIsDnsLabel, withRules } from './rules.ts';
import { statusOf } from './status.ts';

const gate = withRules(
  z.strictObject({
    name: metricName('Name of the metric.'),
    min: z.number().describe('Least value that is good.').optional(),
    max: z.number().describe('Greatest value that is good.').optional(),
  }),
  atLeastOneOf(['min', 'max'], 'set min, max or both'),
  {
    rule: '!has(self.min) || !has(self.max) || self.min <= self.max',
    message: 'min must not be greater than max',
  },
);

const validation = z
  .strictObject({
    champion: flag('True: the new version must not be worse than the one that serves.').default(
      true,
    ),
    metrics: listMap(gate, 'Values the new version must have.', { max: 64 }).optional(),
  })
  .describe('What a new version must show before it is rolled out.');

const spec = withRules(
  z
    .strictObject({
      deploymentRef: localRef('The Deployment that is watched.', 'the Deployment', 45),
      triggers,
      experimentRef: localRef(
        'The suspended Experiment of which a copy is run.',
        'the Experiment',
        52,
      ).optional(),
      pipelineRef: localRef('The Pipeline that is run.', 'the Pipeline', 52).optional(),
      validation: validation.prefault({}),
      rollout: z
        .enum(['none', 'canary', 'abtest'])
        .describe(
          'How a new version reaches users: none only registers it, canary moves the alias the Deployment follows, abtest starts an ABTest.',
        )
        .default('canary'),
      cooldown: duration('After a trigger, further ones are ignored for this long.').default('6h'),
      maxRunsPerWeek: integer('Most runs in seven days.', 1, 1000).default(3),
      approval: flag('True: a person must approve before a new version is rolled out.').default(
        false,
      ),
      suspend: flag('True: no trigger is looked at.').default(false),
    })
    .describe('When to train again, with what, and what happens to the result.'),
  exactlyOneOf(
    ['experimentRef', 'pipelineRef'],
    'set exactly one of experimentRef and pipelineRef: what is run when a trigger fires',
  ),
);

const status = statusOf({
  lastTriggerTime: time('When a trigger last fired.').optional(),
  lastTrigger: text('Which trigger that was.').optional(),
  lastRun: text('Name of the Experiment or PipelineRun that was started.').optional(),
  nextCheckTime: time('When the triggers are looked at next.').optional(),
  runsThisWeek: count('Runs started in the last seven days.').optional(),
});

export const retrainPolicy = defineKind({
  kind: 'RetrainPolicy',
  plural: 'retrainpolicies',
  singular: 'retrainpolicy',
  shortNames: ['mlretrain'],
  description:
    'Trains again when a served model gets worse, its data drifts, or the time has come.',
  spec,
  status,
  printerColumns: [
    READY_COLUMN,
    REASON_COLUMN,
    {
      name: 'Last-Trigger',
      type: 'date',
      jsonPath: '.status.lastTriggerTime',
      description: 'Time since a trigger last fired.',
    },
    // A date column prints a time ahead as <invalid>.
    {
      name: 'Next-Check',
      type: 'string',
      jsonPath: '.status.nextCheckTime',
      description: 'When the triggers are looked at next.',
    },
    AGE_COLUMN,
  ],
  rules: nameIsDnsLabel(52),
  implemented: false,
});

export type RetrainPolicySpec = Served<typeof retrainPolicy.spec>;
export type RetrainPolicyStatus = Served<typeof retrainPolicy.status>;
export type RetrainPolicy = Resource<RetrainPolicySpec, RetrainPolicyStatus>;
