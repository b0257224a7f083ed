/** Metrics of a canary that come from elsewhere: the one list of sources, and how their answers count. */
import { duration, integer } from './fields.ts';
import { jobMetric } from './metric-job.ts';
import { prometheusMetric } from './metric-prometheus.ts';
import { webMetric } from './metric-web.ts';
import type { Rule } from './rules.ts';

const SOURCES = {
  prometheus: prometheusMetric.optional(),
  web: webMetric.optional(),
  job: jobMetric.optional(),
};

const HOW_THEY_COUNT = {
  initialDelay: duration(
    'How long after a change of its share the new version is not measured yet, so that rates over a window hold its answers alone.',
  ).optional(),
  failureLimit: integer(
    'So many bad measurements are forgiven; left out, none is.',
    0,
    1000,
  ).optional(),
  consecutiveSuccessLimit: integer(
    'So many good measurements in a row make the metric good; left out, one does.',
    1,
    1000,
  ).optional(),
  consecutiveErrorLimit: integer(
    'More measurements in a row without an answer than this bring the old version back; left out, the rollout waits for an answer, however long.',
    0,
    1000,
  ).optional(),
};

export const sourceFields = { ...SOURCES, ...HOW_THEY_COUNT };

const sources = Object.keys(SOURCES);
const countSources = sources.map((source) => `(has(self.${source}) ? 1 : 0)`).join(' + ');

/** @param builtIn names of metrics that need no source */
export const sourceRules = (builtIn: readonly string[]): readonly Rule[] => [
  {
    rule: `${countSources} == (self.name in [${builtIn.map((name) => `'${name}'`).join(', ')}] ? 0 : 1)`,
    message: `the metrics ${builtIn.join(', ')} have no source; any other metric has exactly one of ${sources.join(', ')}`,
  },
  {
    rule: 'has(self.thresholdRange) || has(self.web) || has(self.job)',
    message: 'state thresholdRange: the values that are good',
  },
  {
    rule: '!has(self.job) || !has(self.thresholdRange)',
    message: 'a job is good when it succeeds: leave thresholdRange out',
  },
  ...Object.keys(HOW_THEY_COUNT).map((field) => ({
    rule: `!has(self.${field}) || ${sources.map((source) => `has(self.${source})`).join(' || ')}`,
    message: `${field} belongs to metrics from ${sources.join(', ')} only`,
  })),
];
