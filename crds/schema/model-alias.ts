import { z } from 'zod';
import { AGE_COLUMN } from './columns.ts';
import type { PrinterColumn } from './columns.ts';
import { alias, flag, modelRef, semVer, text } from './fields.ts';
import { defineKind } from './resource.ts';
import type { Resource, Served } from './resource.ts';
import { immutable, withRules } from './rules.ts';
import { statusOf } from './status.ts';

const spec = withRules(
  z
    .strictObject({
      modelRef: modelRef('The Model the alias belongs to.'),
      alias: alias('Name of the alias, such as champion.'),
      version: semVer('Version the alias names; moving it is what a promotion does.'),
      pinned: flag('True: automation never moves the alias, as when it is kept in Git.').default(
        false,
      ),
    })
    .describe('Which version of which Model the alias names.'),
  ...immutable(['modelRef', 'alias'], 'create a ModelAlias named <model>-<alias> instead'),
);

const status = statusOf({
  version: text(
    'The version the alias named when it was last looked at, if there is one.',
    63,
  ).optional(),
  modelVersionName: text('The ModelVersion that holds this version.').optional(),
});

const column = (name: string, jsonPath: string, description: string): PrinterColumn => ({
  name,
  type: 'string',
  jsonPath,
  description,
});

export const modelAlias = defineKind({
  kind: 'ModelAlias',
  plural: 'modelaliases',
  singular: 'modelalias',
  shortNames: ['mla'],
  description:
    'A name for one version of a Model, such as champion. Promotions move it, and Deployments follow it.',
  spec,
  status,
  printerColumns: [
    column('Model', '.spec.modelRef.name', 'The Model.'),
    column('Alias', '.spec.alias', 'The alias.'),
    column('Version', '.spec.version', 'The version it names.'),
    AGE_COLUMN,
  ],
  rules: [
    {
      rule: `self.metadata.name == self.spec.modelRef.name + '-' + self.spec.alias`,
      message:
        'metadata.name must be <model>-<alias>, that is spec.modelRef.name, "-" and spec.alias',
      fieldPath: '.metadata.name',
    },
  ],
  implemented: true,
});

export type ModelAliasSpec = Served<typeof modelAlias.spec>;
export type ModelAliasStatus = Served<typeof modelAlias.status>;
export type ModelAlias = Resource<ModelAliasSpec, ModelAliasStatus>;
