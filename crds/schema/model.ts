import { z } from 'zod';
import { AGE_COLUMN, READY_COLUMN } from './columns.ts';
import { MODEL_NAME_MAX, count, dnsLabel, integer, listMap, setOf, tags, text } from './fields.ts';
import { defineKind } from './resource.ts';
import type { Resource, Served } from './resource.ts';
import { statusOf } from './status.ts';

const spec = z
  .strictObject({
    description: text('What the model is for.', 4096).optional(),
    owner: text('Who answers for the model: a person, a team or an address.').optional(),
    task: z
      .enum(['classification', 'regression', 'anomaly-detection', 'ranking', 'other'])
      .describe('What kind of answer the model gives; metrics are chosen by it.')
      .optional(),
    retention: z
      .strictObject({
        keepLast: integer(
          'How many of the newest versions keep their bytes.',
          1,
          100000,
        ).optional(),
      })
      .describe(
        'Which bytes are kept. This release does not act on it yet: all bytes are kept. Versions that are served, aliased or a rollback target will keep theirs in any case, and records are never deleted.',
      )
      .optional(),
    sharedWith: setOf(
      dnsLabel('A namespace.'),
      'Namespaces that may refer to this Model with modelRef.namespace.',
      256,
    ).optional(),
    tags: tags('Free names and values to search by.').optional(),
  })
  .describe('What the Model is; everything is optional.')
  .prefault({});

const status = statusOf({
  latestVersion: text('The highest version by SemVer order.', 63).optional(),
  versions: count('How many ModelVersions the Model has.').optional(),
  aliases: listMap(
    z.strictObject({
      name: text('Name of the alias.', 63),
      version: text('Version the alias names.', 63),
    }),
    'The ModelAliases of this Model.',
    { max: 1000 },
  ).optional(),
});

export const model = defineKind({
  kind: 'Model',
  plural: 'models',
  singular: 'model',
  shortNames: ['mlm'],
  description: 'A model by name: what its versions, aliases and Deployments belong to.',
  spec,
  status,
  printerColumns: [
    READY_COLUMN,
    {
      name: 'Champion',
      type: 'string',
      jsonPath: '.status.aliases[?(@.name=="champion")].version',
      description: 'The version that the alias champion names.',
    },
    {
      name: 'Latest',
      type: 'string',
      jsonPath: '.status.latestVersion',
      description: 'The highest version.',
    },
    {
      name: 'Versions',
      type: 'integer',
      jsonPath: '.status.versions',
      description: 'How many versions there are.',
    },
    AGE_COLUMN,
  ],
  rules: [
    {
      rule: `size(self.metadata.name) <= ${MODEL_NAME_MAX}`,
      message: `metadata.name must be at most ${MODEL_NAME_MAX} characters, because it becomes a label value`,
      fieldPath: '.metadata.name',
    },
  ],
  implemented: true,
});

export type ModelSpec = Served<typeof model.spec>;
export type ModelStatus = Served<typeof model.status>;
export type Model = Resource<ModelSpec, ModelStatus>;
