import { z } from 'zod';
import { dnsLabel, flag, integer, listMap, setOf, text } from './fields.ts';
import { fragment } from './pod.ts';
import { chosen, notSupported, withRules } from './rules.ts';

const TRIAL_KIND = {
  rule: `(self.kind == 'Job' && self.apiVersion == 'batch/v1') || (self.kind == 'JobSet' && self.apiVersion == 'jobset.x-k8s.io/v1alpha2') || (self.kind == 'TrainJob' && self.apiVersion == 'trainer.kubeflow.org/v1alpha1')`,
  message:
    'trialSpec must be a Job of batch/v1, a JobSet of jobset.x-k8s.io/v1alpha2 or a TrainJob of trainer.kubeflow.org/v1alpha1',
};

const condition = (type: 'Complete' | 'Failed', end: string) =>
  chosen(
    z
      .enum([`status.conditions.#(type=="${type}")#|#(status=="True")#`])
      .describe(
        `Katib's field; the only value is what Katib takes for a Job: its ${type} condition.`,
      ),
    `must be left out: a trial ${end} when its Job does (Katib's own value for a Job is accepted, no other expression)`,
  ).optional();

/** A Job as users write it, or what stands for one. */
export const trialSpec = (spec: string, description: string) =>
  withRules(
    z
      .strictObject({
        apiVersion: chosen(
          z
            .enum(['batch/v1', 'jobset.x-k8s.io/v1alpha2', 'trainer.kubeflow.org/v1alpha1'])
            .describe('batch/v1, or that of JobSet or TrainJob.'),
          'must be batch/v1, jobset.x-k8s.io/v1alpha2 or trainer.kubeflow.org/v1alpha1: a trial is a Job, a JobSet or a TrainJob',
        ),
        kind: chosen(
          z
            .enum(['Job', 'JobSet', 'TrainJob'])
            .describe(
              "Job; or JobSet or Kubeflow's TrainJob, where the cluster has them (else reason KindNotInstalled).",
            ),
          'must be Job, JobSet or TrainJob: other kinds (PyTorchJob, TFJob, MPIJob, Workflow, …) are not supported; write the training as a Job, with spec.trainer.numNodes for several pods',
        ),
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
      .describe(description),
    TRIAL_KIND,
  );

/** The Job of a trial, and what is done when it breaks. */
export const trialTemplate = withRules(
  z
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
            'The name of one of spec.parameters, or something of the Job: ${trialSpec.Name}, ${trialSpec.Namespace}, ${trialSpec.Kind}, ${trialSpec.APIVersion}, ${trialSpec.Labels[<key>]}, ${trialSpec.Annotations[<key>]}.',
            250,
          ),
        }),
        'The placeholders of trialSpec and what stands for them.',
        { max: 100 },
      ).optional(),
      trialSpec: trialSpec(
        'spec of the Job, as in batch/v1, or of the JobSet or TrainJob. ${trialParameters.<name>} is filled in in every text. Checked with a dry run.',
        "The Job that every trial runs. Katib's configMap with templates is not supported: write the Job here.",
      ),
      successCondition: condition('Complete', 'has succeeded'),
      failureCondition: condition('Failed', 'has failed'),
      primaryPodLabels: fragment("Katib's field; not supported.").optional(),
      retryPolicy: z
        .strictObject({
          limit: integer('How often one trial is started again.', 0, 9).optional(),
          on: setOf(
            z.enum([
              'Evicted',
              'NodeLost',
              'PodLost',
              'Killed',
              'ImagePull',
              'OutOfMemory',
              'Error',
            ]),
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
    .describe('What a trial runs.'),
  notSupported(
    'primaryPodLabels',
    'every pod of a trial belongs to its Job; leave it out, primaryContainerName is enough',
  ),
);
