import { z } from 'zod';
import { dnsLabel, flag, integer, listMap, setOf, text } from './fields.ts';
import { fragment } from './pod.ts';

/** A Job as users write it. */
export const trialSpec = (spec: string, description: string) =>
  z
    .strictObject({
      apiVersion: z.enum(['batch/v1']).describe('batch/v1.'),
      kind: z.enum(['Job']).describe('Job.'),
      metadata: z
        .strictObject({
          labels: z
            .record(z.string(), z.string().max(63))
            .describe('Labels of the Job.')
            .meta({ maxProperties: 64 })
            .optional(),
          annotations: z
            .record(z.string(), z.string().max(16384))
            .describe('Annotations of the Job.')
            .meta({ maxProperties: 64 })
            .optional(),
        })
        .describe('Labels and annotations of the Job; its name is made by the operator.')
        .optional(),
      spec: fragment(spec),
    })
    .describe(description);

/** The Job of a trial, and what is done when it breaks. */
export const trialTemplate = z
  .strictObject({
    primaryContainerName: dnsLabel(
      'The container whose end is the end of the trial; left out, the first one.',
    ).optional(),
    trialParameters: listMap(
      z.strictObject({
        name: z
          .string()
          .max(63)
          .regex(/^[A-Za-z0-9_-]+$/)
          .describe('The name in the placeholder ${trialParameters.<name>}.'),
        description: text('What the parameter is.', 1024).optional(),
        reference: text(
          'The name of one of spec.parameters, or ${trialSpec.Name} or ${trialSpec.Namespace} for those of the Job.',
          250,
        ),
      }),
      'The placeholders of trialSpec and what stands for them.',
      { max: 100 },
    ).optional(),
    trialSpec: trialSpec(
      'spec of the Job, as in batch/v1. ${trialParameters.<name>} is filled in in every text. Checked with a dry run.',
      'The Job that every trial runs.',
    ),
    retryPolicy: z
      .strictObject({
        limit: integer('How often one trial is started again.', 0, 9).optional(),
        on: setOf(
          z.enum(['Evicted', 'NodeLost', 'PodLost', 'Killed', 'ImagePull', 'OutOfMemory', 'Error']),
          'What a trial is started again after; all else makes it a failed trial.',
          7,
        ).optional(),
      })
      .describe(
        'A trial whose pod was broken by the cluster is started again with the same number and parameters and does not count as failed. Left out: 3 times, on Evicted, NodeLost, PodLost, Killed and ImagePull.',
      )
      .optional(),
    retain: flag(
      'True: the Jobs of finished trials stay until the Experiment goes. False: in a search they go once their result is recorded, or ttlSecondsAfterFinished later.',
    ).default(false),
  })
  .describe('What a trial runs.');
