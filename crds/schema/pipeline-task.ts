import { z } from 'zod';
import {
  dnsLabel,
  duration,
  integer,
  listMap,
  listOf,
  localRef,
  nameAndValue,
  text,
} from './fields.ts';
import { EXPERIMENT_NAME_MAX } from './experiment.ts';
import { container, podFragment } from './pod.ts';
import { exactlyOneOf, shaped, withRules } from './rules.ts';

const retryStrategy = z
  .strictObject({
    limit: integer('How often a failed task is tried again.', 0, 100).optional(),
    backoff: z
      .strictObject({
        duration: duration('Wait before the first retry.'),
        factor: integer(
          'Each further wait is this many times longer; left out, 2.',
          1,
          10,
        ).optional(),
        maxDuration: duration('No wait is longer.').optional(),
      })
      .describe('How long to wait between tries.')
      .optional(),
  })
  .describe('What happens when the task fails; left out, the run fails.');

const task = withRules(
  z.strictObject({
    name: dnsLabel('Name of the task.'),
    depends: shaped(
      text(
        'Which tasks come before: names joined by &&, || and !, each with .Succeeded, .Failed, .Skipped, .Errored, .Omitted or .Daemoned where it matters. Left out, the task starts at once.',
        1024,
      ),
      /^[A-Za-z0-9 .&|!()-]+$/,
      'must be names of tasks joined by &&, || and !, such as "extract && (clean.Succeeded || clean.Skipped)"',
    ).optional(),
    when: text(
      'Expression that must be true for the task to run; otherwise it is skipped.',
      1024,
    ).optional(),
    template: z
      .strictObject({ container, pod: podFragment.optional() })
      .describe('A container that the task runs.')
      .optional(),
    experiment: z
      .strictObject({
        templateRef: localRef(
          'A suspended Experiment of which the task runs a copy.',
          'the Experiment',
          EXPERIMENT_NAME_MAX,
        ),
      })
      .describe('An Experiment that the task runs.')
      .optional(),
    retryStrategy: retryStrategy.optional(),
    withItems: listOf(
      z.unknown().describe('A text, number or object; ${item} and ${item.<key>} stand for it.'),
      'The task runs once for each of these.',
      { min: 1, max: 1000 },
    ).optional(),
  }),
  exactlyOneOf(
    ['template', 'experiment'],
    'a task runs exactly one thing: set template (a container) or experiment',
  ),
);

export const tasks = withRules(listMap(task, 'What is run.', { min: 1, max: 100 }), {
  rule: String.raw`self.all(t, !has(t.depends) || !t.depends.matches('(^|[^-a-z0-9])' + t.name + '($|[^-a-z0-9])'))`,
  message: 'a task cannot depend on itself',
});

export const runParameters = listMap(
  nameAndValue('parameter'),
  'Values for ${parameters.<name>} in the tasks.',
  { max: 100 },
);

export const parallelism = integer(
  'How many tasks of a run are under way at once; left out, no limit.',
  1,
  1000,
);
