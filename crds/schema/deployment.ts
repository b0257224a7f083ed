import { z } from 'zod';
import { AGE_COLUMN, READY_COLUMN, REASON_COLUMN } from './columns.ts';
import { canary } from './deployment-canary.ts';
import { answersAreLogged } from './deployment-own-metrics.ts';
import { count, dnsLabel, integer, listMap, text, time } from './fields.ts';
import { podFragment } from './pod.ts';
import { DEPLOYMENT_NAME_MAX } from './deployment-name.ts';
import { predictor } from './deployment-predictor.ts';
import {
  promotion,
  PROMOTION_IS_FROM_ANOTHER,
  PROMOTION_MOVES_AN_ALIAS,
  promotionStatus,
} from './deployment-promotion.ts';
import { shadowStatus } from './deployment-shadow.ts';
import { defineKind } from './resource.ts';
import type { Resource, Served } from './resource.ts';
import { nameIsDnsLabel, withRules } from './rules.ts';
import { statusOf } from './status.ts';

const spec = withRules(
  z
    .strictObject({
      environment: dnsLabel('Where it stands, such as staging or production; any word.').optional(),
      predictor,
      promotion: promotion.optional(),
      strategy: z
        .strictObject({ canary: canary.optional() })
        .describe('How a new version takes over; left out, by a rolling update.')
        .optional(),
      progressDeadlineSeconds: integer(
        'Seconds a new version has to become ready; after them the last good one is brought back.',
        1,
      ).default(600),
      revisionHistoryLimit: integer(
        'How many old revisions are kept to go back to.',
        1,
        100,
      ).default(10),
      pod: podFragment.optional(),
    })
    .describe('Which model is served, and how.'),
  answersAreLogged,
  PROMOTION_MOVES_AN_ALIAS,
);

const status = statusOf({
  servedVersion: text('The version that serves.', 63).optional(),
  candidateVersion: text('The version that is coming up.', 63).optional(),
  revision: text(
    'What is being rolled out now; the annotations promote, abort and retry must name it.',
    253,
  ).optional(),
  currentStepIndex: count('The canary step that is being done, from 0.').optional(),
  weights: listMap(
    z.strictObject({
      name: text(
        'stable, candidate, the name of a variant of an ABTest, or leaving-… for pods of a version that is neither and ends.',
        63,
      ),
      version: text('Its version.', 63),
      weight: integer('Its share of the requests, in percent.', 0, 100),
    }),
    'Who gets how much traffic, the wanted version first.',
    { max: 16 },
  ).optional(),
  replicas: count('Pods of the model server.').optional(),
  readyReplicas: count('Pods that serve.').optional(),
  selector: text('Label selector of the pods, for the scale subresource.', 1024).optional(),
  url: text('Where the model answers inside the cluster.', 2048).optional(),
  promotion: promotionStatus.optional(),
  shadow: shadowStatus.optional(),
  lastFailureInfo: z
    .strictObject({
      reason: text('One word for programs, such as LoadFailed.', 1024),
      message: z.string().max(32768).describe('What went wrong.'),
      version: text('The version that failed.', 63).optional(),
      location: text('The pod that failed.').optional(),
      exitCode: z.int().describe('What its container exited with.').optional(),
      time: time('When it failed.'),
    })
    .describe('The last failure of a version; kept after a rollback.')
    .optional(),
});

export const deployment = defineKind({
  kind: 'Deployment',
  plural: 'modeldeployments',
  singular: 'modeldeployment',
  shortNames: ['mldep'],
  description:
    'A model that is served: which version or alias, on how many pods, and how a new version takes over.',
  spec,
  status,
  printerColumns: [
    READY_COLUMN,
    REASON_COLUMN,
    {
      name: 'Version',
      type: 'string',
      jsonPath: '.status.servedVersion',
      description: 'The version that serves.',
    },
    {
      name: 'Weight',
      type: 'integer',
      jsonPath: '.status.weights[0].weight',
      description: 'Percent of the requests that the wanted version gets.',
    },
    {
      name: 'Replicas',
      type: 'integer',
      jsonPath: '.status.replicas',
      description: 'Pods of the model server.',
    },
    {
      name: 'URL',
      type: 'string',
      jsonPath: '.status.url',
      description: 'Where the model answers.',
    },
    AGE_COLUMN,
  ],
  rules: [...nameIsDnsLabel(DEPLOYMENT_NAME_MAX), PROMOTION_IS_FROM_ANOTHER],
  scale: {
    specReplicasPath: '.spec.predictor.replicas',
    statusReplicasPath: '.status.replicas',
    labelSelectorPath: '.status.selector',
  },
  implemented: true,
});

export type DeploymentSpec = Served<typeof deployment.spec>;
export type DeploymentStatus = Served<typeof deployment.status>;
export type Deployment = Resource<DeploymentSpec, DeploymentStatus>;
