import { z } from 'zod';
import { cron, dnsLabel, duration, integer, listOf, metricName, timeZone } from './fields.ts';
import { withRules } from './rules.ts';
import type { Rule } from './rules.ts';

/** Which fields each type of trigger needs and may have, name aside. */
const FIELDS = {
  performance: { needs: ['metric'], may: ['min', 'max', 'window', 'minimumLabels'] },
  drift: { needs: ['method', 'threshold'], may: ['window', 'share'] },
  schedule: { needs: ['cron'], may: ['timeZone'] },
} as const;

type TriggerType = keyof typeof FIELDS;

const ALL_FIELDS = Object.values(FIELDS).flatMap(({ needs, may }) => [...needs, ...may]);

function rulesOf(type: TriggerType): Rule[] {
  const { needs, may } = FIELDS[type];
  const known: readonly string[] = [...needs, ...may];
  const foreign = [...new Set(ALL_FIELDS)].filter((field) => !known.includes(field));
  return [
    {
      rule: `self.type != '${type}' || (${needs.map((field) => `has(self.${field})`).join(' && ')})`,
      message: `a trigger of type ${type} needs ${needs.join(' and ')}`,
    },
    {
      rule: `self.type != '${type}' || !(${foreign.map((field) => `has(self.${field})`).join(' || ')})`,
      message: `a trigger of type ${type} has only ${known.join(', ')}`,
    },
  ];
}

const trigger = withRules(
  z.strictObject({
    name: dnsLabel(
      'Name of the trigger, shown in status; left out, its type and place.',
    ).optional(),
    type: z
      .enum(['performance', 'drift', 'schedule'])
      .describe(
        'What is watched: performance (a metric), drift (of the inputs) or schedule (time).',
      ),
    metric: metricName('The metric that must stay within min and max; for performance.').optional(),
    min: z.number().describe('Fires below this; for performance.').optional(),
    max: z.number().describe('Fires above this; for performance.').optional(),
    minimumLabels: integer(
      'With fewer labels in the window nothing is concluded; for performance.',
      1,
    ).optional(),
    method: z
      .enum(['psi', 'ks', 'chi2', 'jensenshannon', 'wasserstein', 'mmd'])
      .describe('How drift of a feature is measured; for drift.')
      .optional(),
    threshold: z
      .number()
      .gt(0)
      .describe('A feature drifts above this value of method; for drift.')
      .optional(),
    share: z
      .number()
      .gt(0)
      .max(1)
      .describe('Fires when this share of the features drifts; left out, 0.5; for drift.')
      .optional(),
    window: duration('How far back is looked; left out, 1h; for performance and drift.').optional(),
    cron: cron('When it fires, as cron; for schedule.').optional(),
    timeZone: timeZone('IANA time zone of cron; left out, UTC; for schedule.').optional(),
  }),
  ...rulesOf('performance'),
  ...rulesOf('drift'),
  ...rulesOf('schedule'),
  {
    rule: `self.type != 'performance' || has(self.min) || has(self.max)`,
    message: 'a trigger of type performance needs min, max or both',
  },
);

export const triggers = withRules(
  listOf(trigger, 'What makes it train; any one is enough.', { min: 1, max: 16 }),
  {
    rule: 'self.all(t, !has(t.name) || self.exists_one(u, has(u.name) && u.name == t.name))',
    message: 'names of triggers must be unique',
  },
);
