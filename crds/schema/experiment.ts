import { z } from 'zod';
import { AGE_COLUMN, READY_COLUMN, REASON_COLUMN } from './columns.ts';
import type { PrinterColumn } from './columns.ts';
import { count, flag, integer, listMap, listOf, nameAndValue, text, time } from './fields.ts';
import { parameters } from './experiment-parameters.ts';
import { register } from './experiment-register.ts';
import { algorithm, earlyStopping, metricsCollectorSpec, objective } from './experiment-search.ts';
import { multiNodeNameFits, trainer } from './experiment-trainer.ts';
import { trialTemplate } from './experiment-trial.ts';
import { fragment } from './pod.ts';
import { defineKind } from './resource.ts';
import type { Resource, Served } from './resource.ts';
import { chosen, immutable, nameIsDnsLabel, notSupported, withRules } from './rules.ts';
import { statusOf } from './status.ts';

/** 63 characters of a Job's name, less "-" and ten for the trial. */
export const EXPERIMENT_NAME_MAX = 52;

const spec = withRules(
  z
    .strictObject({
      objective: objective.optional(),
      algorithm: algorithm.optional(),
      earlyStopping: earlyStopping.optional(),
      parameters: parameters.optional(),
      metricsCollectorSpec: metricsCollectorSpec.optional(),
      parallelTrialCount: integer('How many trials run at once.', 1, 1000).default(3),
      maxTrialCount: integer(
        'How many trials run in all; left out, until the goal.',
        1,
        100000,
      ).optional(),
      maxFailedTrialCount: integer(
        'More failed trials than this end the Experiment as failed.',
        0,
        100000,
      ).default(3),
      suspend: flag(
        'True: nothing starts. A suspended Experiment serves RetrainPolicy and Pipeline as a template, of which they run copies.',
      ).default(false),
      resumePolicy: chosen(
        z
          .enum(['Never'])
          .describe(
            "Katib's field; only Never is supported: a finished Experiment stays finished.",
          ),
        'must be Never, or left out: a finished Experiment stays finished (LongRunning and FromVolume are not supported); raise maxTrialCount while it runs, or create another Experiment',
      ).optional(),
      nasConfig: fragment("Katib's field; not supported.").optional(),
      ttlSecondsAfterFinished: integer(
        'Seconds after its end when the Job of a trial is deleted. Left out, the Job of a single training stays, and those of a search go once their result is recorded. The Experiment, its result and what it registered stay in any case.',
      ).optional(),
      trainer: trainer.optional(),
      trialTemplate,
      register: register.optional(),
    })
    .describe(
      'What is run; it runs once. Only parallelTrialCount, maxTrialCount, maxFailedTrialCount and suspend may change.',
    ),
  {
    rule: '!has(self.parameters) || size(self.parameters) == 0 || (has(self.objective) && has(self.algorithm))',
    message:
      'a search over parameters needs objective (what to reach) and algorithm (how to choose, for example algorithmName: tpe)',
  },
  {
    rule: `!has(self.parameters) || size(self.parameters) == 0 || has(self.maxTrialCount) || (has(self.objective) && has(self.objective.goal)) || (has(self.algorithm) && self.algorithm.algorithmName == 'grid')`,
    message: 'a search needs an end: set maxTrialCount or objective.goal',
  },
  {
    rule: `!has(self.earlyStopping) || !has(self.objective) || !has(self.objective.additionalObjectives) || size(self.objective.additionalObjectives) == 0`,
    message:
      'earlyStopping compares trials by one objective: leave out objective.additionalObjectives',
  },
  {
    rule: '!has(self.earlyStopping) || has(self.objective)',
    message: 'earlyStopping compares trials by the objective: set objective',
  },
  {
    rule: `!has(self.trialTemplate.trialParameters) || self.trialTemplate.trialParameters.all(p, p.reference.startsWith('\${trialSpec.') || (has(self.parameters) && self.parameters.exists(q, q.name == p.reference)))`,
    message:
      'each trialTemplate.trialParameters[].reference must be the name of one of spec.parameters, or ${trialSpec.…}',
  },
  notSupported(
    'nasConfig',
    'architectures of networks are not searched; write the choices (layers, filters, kinds of operation) as spec.parameters and leave it out',
  ),
  {
    rule: `!has(self.trainer) || self.trainer.numNodes <= 1 || self.trialTemplate.trialSpec.kind == 'Job'`,
    message:
      'trainer.numNodes is for a trialSpec that is a Job; a JobSet or TrainJob says itself how many nodes it has',
  },
  {
    rule: `!has(self.register) || !has(self.register.retrain) || (has(self.parameters) && size(self.parameters) > 0)`,
    message:
      'register.retrain trains once more on the best parameters of a search: set parameters, or leave it out',
  },
  {
    rule: `!has(self.register) || !has(self.register.retrain) || !has(self.register.retrain.trialSpec) || (self.register.retrain.trialSpec.kind == 'Job' && self.trialTemplate.trialSpec.kind == 'Job')`,
    message:
      'register.retrain.trialSpec must be a Job, and is for trials that are Jobs; leave it out to run trialTemplate again',
  },
  ...immutable(
    [
      'objective',
      'algorithm',
      'earlyStopping',
      'parameters',
      'metricsCollectorSpec',
      'resumePolicy',
      'ttlSecondsAfterFinished',
      'trainer',
      'trialTemplate',
      'register',
    ],
    'an Experiment runs once; create another one (only parallelTrialCount, maxTrialCount, maxFailedTrialCount and suspend may change)',
  ),
);

const observedMetric = z.strictObject({
  name: text('Name of the metric.', 250),
  latest: text('Latest value.', 64).optional(),
  min: text('Lowest value.', 64).optional(),
  max: text('Highest value.', 64).optional(),
});

const status = statusOf({
  startTime: time('When the first trial was started.').optional(),
  completionTime: time('When the Experiment finished.').optional(),
  trials: count('Trials created so far.').optional(),
  trialsRunning: count('Trials that run.').optional(),
  trialsSucceeded: count('Trials that finished well.').optional(),
  trialsFailed: count('Trials that failed.').optional(),
  trialsEarlyStopped: count('Trials that were stopped before their end.').optional(),
  currentOptimalTrial: z
    .strictObject({
      bestTrialName: text('Name of its Job.').optional(),
      runId: text('Its tracked run.', 64).optional(),
      parameterAssignments: listMap(nameAndValue('parameter'), 'The parameters it ran with.', {
        max: 100,
      }).optional(),
      observation: z
        .strictObject({
          metrics: listMap(observedMetric, 'What it reported, the objective first.', {
            max: 64,
          }).optional(),
        })
        .describe('What the trial reported.')
        .optional(),
    })
    .describe('The best trial so far.')
    .optional(),
  paretoFront: listOf(
    z.strictObject({
      trialName: text('Name of its Job.'),
      runId: text('Its tracked run.', 64),
      metrics: listMap(observedMetric, 'What it reached, in the order of the objectives.', {
        max: 8,
      }).optional(),
    }),
    'With several objectives: the best trials, by the first objective; at most 20, the API lists all.',
    { max: 20 },
  ).optional(),
  paretoFrontSize: count('How many trials the whole front has.').optional(),
  finalTraining: z
    .strictObject({
      trialName: text('Name of its Job.'),
      runId: text('Its tracked run.', 64),
      state: z.enum(['Running', 'Succeeded', 'Failed']).describe('How it stands.'),
      attempts: count('How many Jobs it was given.'),
    })
    .describe('The training on the best parameters that register.retrain asks for.')
    .optional(),
  registeredVersion: text('The version that register made.', 63).optional(),
});

const counter = (name: string, field: string, description: string): PrinterColumn => ({
  name,
  type: 'integer',
  jsonPath: `.status.${field}`,
  description,
});

export const experiment = defineKind({
  kind: 'Experiment',
  plural: 'experiments',
  singular: 'experiment',
  shortNames: ['mlexp'],
  description:
    'Training that runs once: a search over parameters, or one tracked training Job. The best run can become a ModelVersion.',
  spec,
  status,
  printerColumns: [
    READY_COLUMN,
    REASON_COLUMN,
    counter('Succeeded', 'trialsSucceeded', 'Trials that finished well.'),
    counter('Running', 'trialsRunning', 'Trials that run.'),
    counter('Failed', 'trialsFailed', 'Trials that failed.'),
    {
      name: 'Best',
      type: 'string',
      jsonPath: '.status.currentOptimalTrial.observation.metrics[0].latest',
      description: 'The best value of the objective so far.',
    },
    AGE_COLUMN,
  ],
  rules: [...nameIsDnsLabel(EXPERIMENT_NAME_MAX), multiNodeNameFits],
  implemented: true,
});

export type ExperimentSpec = Served<typeof experiment.spec>;
export type ExperimentStatus = Served<typeof experiment.status>;
export type Experiment = Resource<ExperimentSpec, ExperimentStatus>;
