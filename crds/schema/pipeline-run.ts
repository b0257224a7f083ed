import { z } from 'zod';
import { AGE_COLUMN, READY_COLUMN, REASON_COLUMN } from './columns.ts';
import { count, flag, listMap, localRef, text, time } from './fields.ts';
import { parallelism, runParameters, tasks } from './pipeline-task.ts';
import { defineKind } from './resource.ts';
import type { Resource, Served } from './resource.ts';
import { atLeastOneOf, immutable, nameIsDnsLabel, withRules } from './rules.ts';
import { statusOf } from './status.ts';

const spec = withRules(
  z
    .strictObject({
      pipelineRef: localRef('The Pipeline this is a run of.', 'the Pipeline', 52).optional(),
      pipelineSpec: z
        .strictObject({ tasks, parallelism: parallelism.optional() })
        .describe(
          'What is run; a Pipeline writes here what it was at the start, so that later changes do not reach into the run. Left out, it is taken from pipelineRef.',
        )
        .optional(),
      parameters: runParameters.optional(),
      scheduledTime: time('The time of the schedule this run was started for.').optional(),
      suspend: flag('True: no further task starts.').default(false),
    })
    .describe('What is run; it runs once. Only suspend may change.'),
  atLeastOneOf(
    ['pipelineRef', 'pipelineSpec'],
    'set pipelineRef (a run of that Pipeline) or pipelineSpec (tasks of its own)',
  ),
  ...immutable(
    ['pipelineRef', 'pipelineSpec', 'parameters', 'scheduledTime'],
    'a PipelineRun runs once; create another one (only suspend may change)',
  ),
);

const taskStatus = z.strictObject({
  name: text('Name of the task.', 63),
  phase: z
    .enum(['Pending', 'Running', 'Succeeded', 'Skipped', 'Failed', 'Error', 'Omitted'])
    .describe('Where the task stands.'),
  message: z.string().max(4096).describe('What is to be said about it.').optional(),
  retries: count('How often it was tried again.').optional(),
  items: count('How many of withItems there are.').optional(),
  itemsDone: count('How many of withItems have finished.').optional(),
  startTime: time('When it started.').optional(),
  completionTime: time('When it finished.').optional(),
});

const status = statusOf({
  startTime: time('When the first task started.').optional(),
  completionTime: time('When the run finished.').optional(),
  done: text('Finished tasks of all, such as 2/3.', 32).optional(),
  tasks: listMap(taskStatus, 'Where each task stands.', { max: 100 }).optional(),
});

export const pipelineRun = defineKind({
  kind: 'PipelineRun',
  plural: 'pipelineruns',
  singular: 'pipelinerun',
  shortNames: ['mlrun'],
  description: 'One run of a Pipeline.',
  spec,
  status,
  printerColumns: [
    READY_COLUMN,
    REASON_COLUMN,
    {
      name: 'Done',
      type: 'string',
      jsonPath: '.status.done',
      description: 'Finished tasks of all.',
    },
    AGE_COLUMN,
  ],
  rules: nameIsDnsLabel(63),
  implemented: false,
});

export type PipelineRunSpec = Served<typeof pipelineRun.spec>;
export type PipelineRunStatus = Served<typeof pipelineRun.status>;
export type PipelineRun = Resource<PipelineRunSpec, PipelineRunStatus>;
