/** Metrics of a canary that come from the requests we log ourselves: prediction-error and drift. */
import { z } from 'zod';
import { text } from './fields.ts';
import type { Rule } from './rules.ts';

export const OWN_METRICS = ['prediction-error', 'drift'] as const;

export const ownMetricFields = {
  error: z
    .enum(['wrong-answers', 'absolute-error'])
    .describe(
      'What prediction-error is: wrong-answers, the share of answers that are not the truth, or absolute-error, the mean distance from it; left out, wrong-answers.',
    )
    .optional(),
  output: text(
    'The output tensor prediction-error is about; left out, all that have labels.',
  ).optional(),
  maxIncrease: z
    .number()
    .min(0)
    .describe(
      'How much greater prediction-error may be than that of the version that serves; left out, thresholdRange alone counts.',
    )
    .optional(),
  side: z
    .enum(['outputs', 'inputs'])
    .describe('Whose distribution drift compares: outputs or inputs; left out, outputs.')
    .optional(),
  feature: text(
    'The one feature drift is about, such as probabilities[3]; left out, the one that differs most.',
    512,
  ).optional(),
};

const belongsTo = (field: string, metric: (typeof OWN_METRICS)[number]): Rule => ({
  rule: `!has(self.${field}) || self.name == '${metric}'`,
  message: `${field} belongs to ${metric} only`,
});

export const ownMetricRules: readonly Rule[] = [
  {
    rule: `!(self.name in ['prediction-error', 'drift']) || (has(self.thresholdRange) && has(self.thresholdRange.max) && self.thresholdRange.max >= 0.0 && !has(self.thresholdRange.min))`,
    message:
      'prediction-error and drift are never too small: set thresholdRange.max (0 or more), and no min',
  },
  {
    rule: `self.name != 'prediction-error' || (has(self.error) && self.error == 'absolute-error') || !has(self.thresholdRange) || !has(self.thresholdRange.max) || self.thresholdRange.max <= 1.0`,
    message: 'prediction-error is a share from 0 to 1: write 0.05 for 5 %',
  },
  belongsTo('error', 'prediction-error'),
  belongsTo('output', 'prediction-error'),
  belongsTo('maxIncrease', 'prediction-error'),
  belongsTo('side', 'drift'),
  belongsTo('feature', 'drift'),
];

/** On the spec of a Deployment: answers that are not logged cannot be compared with anything. */
export const answersAreLogged: Rule = {
  rule: `!has(self.strategy) || !has(self.strategy.canary) || !has(self.strategy.canary.analysis) || !self.strategy.canary.analysis.metrics.exists(m, m.name == 'prediction-error') || (has(self.predictor.logger) && self.predictor.logger.mode != 'request' && self.predictor.logger.sampleRate > 0.0)`,
  message:
    'prediction-error compares logged answers with the truth: set predictor.logger with mode all or response and a sampleRate above 0',
};
