import { z } from 'zod';
import { AGE_COLUMN, READY_COLUMN, REASON_COLUMN } from './columns.ts';
import { count, cron, flag, integer, text, time, timeZone } from './fields.ts';
import { parallelism, runParameters, tasks } from './pipeline-task.ts';
import { defineKind } from './resource.ts';
import type { Resource, Served } from './resource.ts';
import { nameIsDnsLabel } from './rules.ts';
import { statusOf } from './status.ts';

const spec = z
  .strictObject({
    schedule: cron(
      'When runs start, as cron: minute hour day-of-month month day-of-week. Left out, only by hand.',
    ).optional(),
    timeZone: timeZone(
      'IANA time zone of schedule; daylight saving time is handled as CronJob does.',
    ).default('UTC'),
    concurrencyPolicy: z
      .enum(['Allow', 'Forbid', 'Replace'])
      .describe(
        'What happens when a start is due and a run is under way: Allow both, Forbid the new one, or Replace the old one.',
      )
      .default('Allow'),
    startingDeadlineSeconds: integer(
      'Seconds after which a start that was missed is given up; left out, it is made up for whenever that is.',
    ).optional(),
    successfulRunsHistoryLimit: integer(
      'How many runs that finished well are kept.',
      0,
      1000,
    ).default(3),
    failedRunsHistoryLimit: integer('How many runs that failed are kept.', 0, 1000).default(3),
    suspend: flag('True: no run starts by the schedule.').default(false),
    parallelism: parallelism.optional(),
    parameters: runParameters.optional(),
    tasks,
  })
  .describe('What is run, and when.');

const status = statusOf({
  lastRun: text('Name of the last PipelineRun.').optional(),
  lastRunTime: time('When the last run started.').optional(),
  lastScheduleTime: time('When a run was last started by the schedule.').optional(),
  lastSuccessfulTime: time('When a run last finished well.').optional(),
  nextRunTime: time('When the next run starts.').optional(),
  active: count('Runs under way.').optional(),
});

export const pipeline = defineKind({
  kind: 'Pipeline',
  plural: 'pipelines',
  singular: 'pipeline',
  shortNames: ['mlpipe'],
  description:
    'Tasks that depend on each other, run by hand or on a schedule; each start creates a PipelineRun.',
  spec,
  status,
  printerColumns: [
    READY_COLUMN,
    REASON_COLUMN,
    {
      name: 'Last-Run',
      type: 'date',
      jsonPath: '.status.lastRunTime',
      description: 'Time since the last run started.',
    },
    // A date column prints a time ahead as <invalid>.
    {
      name: 'Next-Run',
      type: 'string',
      jsonPath: '.status.nextRunTime',
      description: 'When the next run starts.',
    },
    AGE_COLUMN,
  ],
  rules: nameIsDnsLabel(52),
  implemented: false,
});

export type PipelineSpec = Served<typeof pipeline.spec>;
export type PipelineStatus = Served<typeof pipeline.status>;
export type Pipeline = Resource<PipelineSpec, PipelineStatus>;
