import { z } from 'zod';
import { alias, duration, integer, listOf, modelRef, semVer } from './fields.ts';
import { fragment, resourceRequirements } from './pod.ts';
import { exactlyOneOf, withRules } from './rules.ts';

const servedModel = withRules(
  z
    .strictObject({
      modelRef: modelRef('The Model that is served.'),
      alias: alias(
        'Follow this alias, such as champion: when it moves, the version it names takes over.',
      ).optional(),
      version: semVer(
        'Serve exactly this version; promotions are refused with reason VersionPinned.',
      ).optional(),
    })
    .describe('Which model is served.'),
  exactlyOneOf(
    ['alias', 'version'],
    'set exactly one of alias (follow it) and version (stay with it)',
  ),
);

const metric = z.looseObject({
  type: z
    .enum(['Resource', 'ContainerResource', 'Pods', 'Object', 'External'])
    .describe(
      'Which kind of metric; the field of that name holds the rest, as in a HorizontalPodAutoscaler.',
    ),
});

const autoScaling = z
  .strictObject({
    metrics: listOf(
      metric,
      'What replicas follow, as metrics of a HorizontalPodAutoscaler (autoscaling/v2). Left out, 80 % of the requested CPU.',
      { max: 32 },
    ).optional(),
    behavior: fragment(
      'How fast replicas follow, as behavior of a HorizontalPodAutoscaler (autoscaling/v2).',
    ).optional(),
  })
  .describe('How the number of replicas follows the load.');

const batcher = z
  .strictObject({
    maxBatchSize: integer('Most rows computed at once.', 1, 65536).default(32),
    maxLatency: duration(
      'Longest time a request waits for others that are being received. It never waits while it is the only one.',
    ).default('2ms'),
  })
  .describe(
    'Compute requests that come at the same time together. Models whose rows depend on each other are found out when they are loaded, and computed one by one. Left out, each request is computed alone.',
  );

const circuitBreaker = z
  .strictObject({
    failurePercent: integer(
      'Share of requests on which the model fails from which on it rests; wrong requests do not count.',
      1,
      100,
    ).default(50),
    minRequests: integer(
      'Requests within the window below which it never rests.',
      1,
      1000000,
    ).default(20),
    window: duration('Time over which failures are counted.').default('10s'),
    openFor: duration('How long it rests before a single request may try it again.').default('5s'),
  })
  .describe(
    'Refuse requests at once, with 503 and Retry-After, while the model itself keeps failing. Left out, every request is tried.',
  );

const logger = z
  .strictObject({
    mode: z
      .enum(['all', 'request', 'response'])
      .describe('What is kept: all, request or response.')
      .default('all'),
    sampleRate: z
      .number()
      .min(0)
      .max(1)
      .describe('Share of the requests that is kept, from 0 to 1.')
      .default(1),
  })
  .describe('Keep requests and responses for monitoring; left out, nothing is kept.');

export const predictor = withRules(
  z
    .strictObject({
      model: servedModel,
      replicas: integer(
        'How many pods serve; with it there is no autoscaler. Left out with minReplicas and maxReplicas, one pod serves.',
        0,
        10000,
      ).optional(),
      minReplicas: integer(
        'Fewest pods the autoscaler goes down to; 1 when left out.',
        1,
        10000,
      ).optional(),
      maxReplicas: integer('Most pods the autoscaler goes up to.', 1, 10000).optional(),
      autoScaling: autoScaling.optional(),
      resources: resourceRequirements(
        "What the model server's container needs; left out, the default of this installation.",
      ).optional(),
      containerConcurrency: integer(
        'Most requests a pod has at work at once. Four times as many wait for their turn, and further ones are refused with 429.',
        1,
        100000,
      ).default(64),
      timeout: duration('Longest time a request may take.').default('30s'),
      batcher: batcher.optional(),
      circuitBreaker: circuitBreaker.optional(),
      logger: logger.optional(),
    })
    .describe('The model server.'),
  {
    rule: '!has(self.replicas) || (!has(self.minReplicas) && !has(self.maxReplicas))',
    message:
      'set either replicas (a fixed number) or minReplicas and maxReplicas (an autoscaler), not both',
  },
  {
    rule: '!has(self.minReplicas) || has(self.maxReplicas)',
    message: 'minReplicas needs maxReplicas beside it; use replicas for a fixed number',
  },
  {
    rule: '!has(self.minReplicas) || !has(self.maxReplicas) || self.minReplicas <= self.maxReplicas',
    message: 'minReplicas must not be greater than maxReplicas',
  },
  {
    rule: '!has(self.autoScaling) || has(self.maxReplicas)',
    message: 'autoScaling needs maxReplicas: say how far it may go',
  },
);
