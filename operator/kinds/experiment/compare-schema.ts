/** What comparing runs answers, for OpenAPI. */

const NUMBER = { type: 'number' } as const;
const TEXTS = { type: 'array', items: { type: 'string' } } as const;

const INTERVAL = {
  type: 'object',
  description: 'Of the level asked for, by itself: not widened for how many there are.',
  required: ['lower', 'upper'],
  properties: { lower: NUMBER, upper: NUMBER },
} as const;

const UNKNOWN = {
  reason: {
    enum: ['NotEnoughRuns', 'NoVariation'],
    description: 'Why there is no interval, or no p-value.',
  },
  needed: { type: 'integer', description: 'How many runs in each group, or pairs, it takes.' },
  message: { type: 'string' },
} as const;

const SUMMARY = {
  type: 'object',
  description: "The latest values in one group; the interval is Student's, over its runs.",
  required: ['group', 'count', 'missing', 'notFinite'],
  properties: {
    group: { type: 'string' },
    count: { type: 'integer', description: 'Runs with a finite value: the numbers are of these.' },
    missing: { ...TEXTS, description: 'Ids of runs that did not log it.' },
    notFinite: { ...TEXTS, description: 'Ids of runs where it is NaN, infinite or beyond 1e300.' },
    mean: NUMBER,
    standardDeviation: NUMBER,
    interval: INTERVAL,
    ...UNKNOWN,
  },
} as const;

const TEST = {
  type: 'object',
  required: ['test'],
  properties: {
    test: { enum: ['paired-t', 'welch-t', 'wilcoxon-signed-rank'] },
    statistic: NUMBER,
    df: NUMBER,
    exact: { type: 'boolean', description: 'False: normal, for more than 50 pairs.' },
    pValue: { ...NUMBER, description: 'Two-sided.' },
    adjustedPValue: {
      ...NUMBER,
      description: 'By Holm, over the pairs of groups this test answered for this metric.',
    },
    interval: INTERVAL,
    ...UNKNOWN,
  },
} as const;

const COMPARISON = {
  type: 'object',
  description:
    'Paired where both groups have the same repetitions, each once; else by Welch. Folds of one ' +
    'cross-validation share training data: their p-values are too small and intervals too narrow ' +
    '(Nadeau & Bengio 2003).',
  required: ['a', 'b', 't'],
  properties: {
    a: { type: 'string' },
    b: { type: 'string' },
    difference: { ...NUMBER, description: 'Mean of b minus mean of a; over the pairs, if paired.' },
    pairs: { type: 'integer', description: 'Repetitions with finite values in both, if paired.' },
    t: TEST,
    wilcoxon: { ...TEST, description: 'If paired.' },
  },
} as const;

const PARAM = {
  type: 'object',
  required: ['name', 'values'],
  properties: {
    name: { type: 'string' },
    values: {
      type: 'array',
      items: {
        type: 'object',
        required: ['group', 'values', 'missing'],
        properties: {
          group: { type: 'string' },
          values: { ...TEXTS, description: 'Each once; cut after 250 characters.' },
          missing: { type: 'integer', description: 'Runs without it.' },
        },
      },
    },
  },
} as const;

export const RUN_COMPARISON = {
  type: 'object',
  description: 'In what groups of runs differ.',
  required: ['confidence', 'groups', 'ungrouped', 'params', 'differingParams', 'metrics'],
  properties: {
    confidence: NUMBER,
    groups: {
      type: 'array',
      items: {
        type: 'object',
        required: ['name', 'runs'],
        properties: {
          name: { type: 'string', description: "groupBy's value, the parent's id, or the run's." },
          runs: {
            type: 'array',
            items: {
              type: 'object',
              required: ['runId', 'name', 'status'],
              properties: {
                runId: { type: 'string' },
                name: { type: 'string' },
                status: { type: 'string', description: 'Of one that still runs, all is so far.' },
              },
            },
          },
        },
      },
    },
    ungrouped: {
      ...TEXTS,
      description:
        'Ids of chosen runs without the param or tag groupBy, or that are parents of others.',
    },
    params: {
      type: 'array',
      items: PARAM,
      description: 'Those that differ, by name; 200 at most.',
    },
    differingParams: { type: 'integer', description: 'How many differ.' },
    metrics: {
      type: 'array',
      items: {
        type: 'object',
        required: ['name', 'groups', 'comparisons'],
        properties: {
          name: { type: 'string' },
          groups: { type: 'array', items: SUMMARY },
          comparisons: { type: 'array', items: COMPARISON },
        },
      },
    },
    ...UNKNOWN,
    reason: { enum: ['NotEnoughRuns'], description: 'There are no two groups to compare.' },
  },
} as const;
