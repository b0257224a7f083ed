import { z } from 'zod';
import { DEPLOYMENT_NAME_MAX } from './deployment-name.ts';
import { duration, listOf, localRef, text, time } from './fields.ts';
import { fragment } from './pod.ts';
import { exactlyOneOf, withRules } from './rules.ts';

const job = z
  .strictObject({
    spec: fragment(
      'spec of a Job (batch/v1). Its containers get MLOPS_SOURCE_URL, where the version answers, MLOPS_SOURCE, MLOPS_MODEL and MLOPS_VERSION. Checked when it is created.',
    ),
  })
  .describe(
    'A Job that must end well, once for each version. When it fails, the version is held until the annotation mlops.pynomaly.io/retry names the Job.',
  );

const approval = z
  .strictObject({
    description: text('What is to be looked at before.', 1024).optional(),
  })
  .describe(
    'A person must agree: the annotation mlops.pynomaly.io/approve on this Deployment names the version.',
  );

const KEYS = ['bakeTime', 'job', 'approval'] as const;

const gate = withRules(
  z.strictObject({
    bakeTime: duration(
      'How long the Deployment before must have served the version without a break.',
    ).optional(),
    job: job.optional(),
    approval: approval.optional(),
  }),
  exactlyOneOf(KEYS, `a gate has exactly one key: ${KEYS.join(', ')}`),
);

export const promotion = z
  .strictObject({
    from: localRef(
      'The Deployment before this one, such as that of staging.',
      'a Deployment (modeldeployment) of the same Model',
      DEPLOYMENT_NAME_MAX,
    ),
    gates: listOf(
      gate,
      'What a version must pass, one after the other; left out, it is enough that the Deployment before serves it.',
      { min: 1, max: 16 },
    ).optional(),
  })
  .describe(
    'Where versions come from: what the Deployment before serves healthily takes over here, once it has passed all gates. The operator then moves the ModelAlias that predictor.model.alias names, which belongs to this Deployment alone.',
  );

/** CEL on the spec of a Deployment. */
export const PROMOTION_MOVES_AN_ALIAS = {
  rule: '!has(self.promotion) || has(self.predictor.model.alias)',
  message:
    'promotion moves an alias: set predictor.model.alias to one of this Deployment alone, such as production, instead of a version',
};

/** CEL on a Deployment. */
export const PROMOTION_IS_FROM_ANOTHER = {
  rule: '!has(self.spec.promotion) || self.spec.promotion.from.name != self.metadata.name',
  message: 'promotion.from must name another Deployment than this one',
  fieldPath: '.spec.promotion.from.name',
};

export const promotionStatus = z
  .strictObject({
    from: text('The Deployment before.', DEPLOYMENT_NAME_MAX),
    version: text('The version it serves.', 63).optional(),
    since: time(
      'Since when it has been seen to serve that version without a break; forgotten, it counts anew.',
    ).optional(),
    waitingFor: text(
      'source, bakeTime, job, retry, approval or version; absent when nothing is waited for.',
      63,
    ).optional(),
    job: text('The Job of a gate that is waited for, or that failed.', 63).optional(),
  })
  .describe('How far the version of the Deployment before has come.');
