import { z } from 'zod';
import { listMap, listOf, metricName, nameAndValue, setOf } from './fields.ts';
import { fragment } from './pod.ts';
import { chosen, notSupported, withRules } from './rules.ts';

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
    algorithmName: chosen(
      z
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
          "How parameters are chosen: random, grid, tpe, gp, cmaes, nsgaii or qmc. Katib's names are accepted: bayesianoptimization means gp, multivariate-tpe means tpe, sobol means qmc, hyperband means random with earlyStopping hyperband. pbt, enas and darts are not supported.",
        ),
      'must be random, grid, tpe, gp, cmaes, nsgaii, qmc, or a name of Katib for one of them: bayesianoptimization, multivariate-tpe, sobol, hyperband; instead of pbt take tpe with earlyStopping asha; enas and darts (architectures of networks) have no counterpart: write the choices as categorical parameters',
    ),
    algorithmSettings: settings,
  })
  .describe('How parameters are chosen.');

export const earlyStopping = z
  .strictObject({
    algorithmName: z
      .enum(['median', 'percentile', 'asha', 'hyperband', 'patient', 'wilcoxon', 'medianstop'])
      .describe(
        "How hopeless trials are told; Katib's medianstop means median, with Katib's defaults.",
      ),
    algorithmSettings: settings,
  })
  .describe('When trials are stopped before their end.');

const PRINT = 'print the values as name=value, or log them with mlflow';

/**
 * What Katib reads logs with where no format is given, as it was up to v0.15 and is since: the
 * lines that are read here, too. Other expressions would run in the operator.
 */
const NAME_VALUE = [
  String.raw`([\w|-]+)\s*=\s*((-?\d+)(\.\d+)?)`,
  String.raw`([\w|-]+)\s*=\s*([+-]?\d*(\.\d+)?([Ee][+-]?\d+)?)`,
] as const;

const source = withRules(
  z
    .strictObject({
      filter: z
        .strictObject({
          metricsFormat: listOf(
            chosen(
              z
                .enum(NAME_VALUE)
                .describe("Katib's expression for name=value lines; no other is supported."),
              `must be left out, or be Katib's own expression for name=value: other expressions are not supported; ${PRINT}`,
            ),
            'How metrics stand in the log: as name=value.',
            { min: 1, max: 2 },
          ),
        })
        .describe('How metrics are told from the rest of the log.')
        .optional(),
      fileSystemPath: fragment("Katib's field; not supported.").optional(),
      httpGet: fragment("Katib's field; not supported.").optional(),
    })
    .describe('What is read; only the log of the primary container can be.'),
  notSupported('fileSystemPath', `no sidecar reads files of a trial; ${PRINT}, and leave it out`),
  notSupported('httpGet', `no sidecar asks the trial; ${PRINT}, and leave it out`),
);

export const metricsCollectorSpec = withRules(
  z
    .strictObject({
      collector: withRules(
        z
          .strictObject({
            kind: chosen(
              z
                .enum(['StdOut', 'None'])
                .describe(
                  'StdOut: lines with name=value in the log of the primary container are metrics, too; None: only what is logged to the tracking API. File, TensorFlowEvent, Push, PrometheusMetric and Custom are not supported: print the values or log them with mlflow.',
                ),
              `must be StdOut or None: File, TensorFlowEvent, PrometheusMetric, Push and Custom are not supported, because no sidecar runs beside a trial; ${PRINT}`,
            ),
            customCollector: fragment("Katib's field; not supported.").optional(),
          })
          .describe('How metrics are collected.'),
        notSupported('customCollector', `no sidecar runs beside a trial; ${PRINT}`),
      ),
      source: source.optional(),
    })
    .describe(
      'Where metrics of trials come from. Left out: from the tracking API and, while the objective is not logged there, from name=value lines in the log. Read are the objective and the additional metrics.',
    ),
  {
    rule: `!has(self.source) || !has(self.source.filter) || self.collector.kind == 'StdOut'`,
    message: 'source.filter is about the log: set collector.kind to StdOut, or leave source out',
  },
);
