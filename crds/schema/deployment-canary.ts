import { z } from 'zod';
import { OWN_METRICS, ownMetricFields, ownMetricRules } from './deployment-own-metrics.ts';
import { sourceFields, sourceRules } from './deployment-metric-sources.ts';
import { steps } from './deployment-steps.ts';
import { dnsLabel, duration, integer, listMap, setOf } from './fields.ts';
import { atLeastOneOf, shaped, withRules } from './rules.ts';

/** Metrics that need no source: from the pods' counters, and from what we log. */
const BUILT_IN = ['request-success-rate', 'request-duration', ...OWN_METRICS];

const metric = withRules(
  z.strictObject({
    name: dnsLabel(
      'request-success-rate (a share from 0 to 1) or request-duration (seconds), which the pods tell; prediction-error (by labels, which come later) or drift (population stability index of the version that serves and the new one); any other name for a metric from prometheus, web or a job.',
    ),
    quantile: z
      .number()
      .gt(0)
      .lt(1)
      .describe('Which quantile of request-duration, such as 0.99; left out, 0.99.')
      .optional(),
    ...ownMetricFields,
    ...sourceFields,
    thresholdRange: withRules(
      z
        .strictObject({
          min: z.number().describe('Least value that is good.').optional(),
          max: z.number().describe('Greatest value that is good.').optional(),
        })
        .describe('Values that are good.'),
      atLeastOneOf(['min', 'max'], 'set min, max or both'),
      {
        rule: '!has(self.min) || !has(self.max) || self.min <= self.max',
        message: 'min must not be greater than max',
      },
    ).optional(),
  }),
  ...sourceRules(BUILT_IN),
  {
    rule: `self.name != 'request-success-rate' || !has(self.thresholdRange) || ((!has(self.thresholdRange.min) || (self.thresholdRange.min >= 0.0 && self.thresholdRange.min <= 1.0)) && (!has(self.thresholdRange.max) || (self.thresholdRange.max >= 0.0 && self.thresholdRange.max <= 1.0)))`,
    message: 'request-success-rate is a share from 0 to 1: write 0.99 for 99 %',
  },
  {
    rule: `!has(self.quantile) || self.name == 'request-duration'`,
    message: 'quantile belongs to request-duration only',
  },
  ...ownMetricRules,
);

const analysis = z
  .strictObject({
    interval: duration('How often the metrics are judged.').default('30s'),
    minimumRequests: integer(
      'Requests the new version must have answered, and labels it must have for prediction-error, before it is judged good; with fewer the rollout waits. Where all metrics are jobs, none is needed.',
      0,
    ).default(100),
    metrics: listMap(
      metric,
      'What is judged; a metric out of its range brings the old version back.',
      { min: 1, max: 16 },
    ),
  })
  .describe('What must hold for the rollout to go on; left out, only readiness counts.');

const istio = z
  .strictObject({
    gateways: setOf(
      shaped(
        z.string().min(1).max(317).describe('A Gateway as namespace/name or name, or mesh.'),
        /^([a-z0-9]([-a-z0-9]*[a-z0-9])?\/)?[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/,
        'must be namespace/name or name of an Istio Gateway, or mesh',
      ),
      'Gateways the route is bound to; left out, the mesh alone.',
      16,
    ).optional(),
    hosts: setOf(
      shaped(
        z.string().min(1).max(253).describe('A host name.'),
        /^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
        'must be a host name such as digits.example.com',
      ),
      'Host names the model answers to at the gateways.',
      16,
    ).optional(),
  })
  .describe('Split by an Istio VirtualService that the operator owns.');

const NEEDS_ISTIO =
  'setMirrorRoute and setHeaderRoute need trafficRouting.istio: only a route can copy requests or tell them by a header';

export const canary = withRules(
  z
    .strictObject({
      steps,
      analysis: analysis.optional(),
      scaleDownDelaySeconds: integer(
        'How long pods that get no requests any more stay, so that none is on its way to them.',
        0,
        3600,
      ).default(30),
      rollbackWindow: z
        .strictObject({
          revisions: integer('So many versions before the one that serves.', 1, 100),
        })
        .describe('Versions that served that recently take over again without steps.')
        .optional(),
      trafficRouting: z
        .strictObject({ istio })
        .describe('Who splits the traffic; left out, it is split by the number of pods.')
        .optional(),
    })
    .describe('The new version gets traffic step by step.'),
  {
    rule: 'has(self.trafficRouting) || !self.steps.exists(s, has(s.setMirrorRoute) || has(s.setHeaderRoute))',
    message: NEEDS_ISTIO,
  },
  {
    rule: 'has(self.analysis) || !self.steps.exists(s, has(s.analysis))',
    message: 'an analysis step waits for the metrics of canary.analysis: state them',
  },
);
