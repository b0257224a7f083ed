import { z } from 'zod';
import { listMap, metricName, nameAndValue, setOf } from './fields.ts';

const settings = listMap(nameAndValue('setting'), 'Settings of the algorithm, as text.', {
  max: 64,
}).optional();

export const objective = z
  .strictObject({
    type: z.enum(['minimize', 'maximize']).describe('Whether less or more is better.'),
    objectiveMetricName: metricName('The metric that trials are compared by.'),
    goal: z
      .number()
      .describe('Once a trial reaches this value, no further trial starts.')
      .optional(),
    additionalMetricNames: setOf(
      metricName('Name of a metric.'),
      'Metrics that are kept beside the objective.',
      32,
    ).optional(),
    additionalObjectives: listMap(
      z.strictObject({
        name: metricName('The metric.'),
        type: z.enum(['minimize', 'maximize']).describe('Whether less or more is better.'),
      }),
      'Metrics that are optimised together with the objective; the best trials are status.paretoFront. For nsgaii, tpe and random.',
      { max: 4 },
    ).optional(),
    metricStrategies: listMap(
      z.strictObject({
        name: metricName('Name of the metric.'),
        value: z
          .enum(['min', 'max', 'latest'])
          .describe('Which of its values counts: min, max or latest.'),
      }),
      'Which of the values a trial reports counts; left out, the best one for the objective and the latest for the others.',
      { max: 33 },
    ).optional(),
  })
  .describe('What the trials are to reach.');

export const algorithm = z
  .strictObject({
    algorithmName: z
      .enum([
        'random',
        'grid',
        'tpe',
        'gp',
        'cmaes',
        'nsgaii',
        'qmc',
        'bayesianoptimization',
        'multivariate-tpe',
        'sobol',
        'hyperband',
      ])
      .describe(
        "How parameters are chosen. Katib's names are accepted: bayesianoptimization means gp, multivariate-tpe means tpe, sobol means qmc, hyperband means random with earlyStopping hyperband. pbt, enas and darts are not supported.",
      ),
    algorithmSettings: settings,
  })
  .describe('How parameters are chosen.');

export const earlyStopping = z
  .strictObject({
    algorithmName: z
      .enum(['median', 'percentile', 'asha', 'hyperband', 'patient', 'wilcoxon', 'medianstop'])
      .describe("How hopeless trials are told; Katib's medianstop means median."),
    algorithmSettings: settings,
  })
  .describe('When trials are stopped before their end.');

export const metricsCollectorSpec = z
  .strictObject({
    collector: z
      .strictObject({
        kind: z
          .enum(['StdOut', 'None'])
          .describe(
            'StdOut: lines with name=value in the log of the primary container are metrics, too; None: only what is logged to the tracking API. File, TensorFlowEvent, Push, PrometheusMetric and Custom are not supported: print the values or log them with mlflow.',
          ),
      })
      .describe('How metrics are collected.'),
  })
  .describe(
    'Where metrics of trials come from. Left out: from the tracking API and, while the objective is not logged there, from name=value lines in the log. Read are the objective and the additional metrics.',
  );
