import { ANNOTATIONS } from '../../../../crds/schema/names.ts';
import { MlflowError } from '../mlflow-error.ts';
import { aliasesOfVersion } from './registry-objects.ts';
import type { Registered } from './registry-objects.ts';
import type { NumberedVersion } from './version-numbers.ts';

/** MLflow's stages, which it has deprecated in favour of aliases. */
export const STAGES = ['None', 'Staging', 'Production', 'Archived'] as const;
export type Stage = (typeof STAGES)[number];

/** A stage is the alias of that name; one version at a time has it. */
export const STAGE_ALIASES: Readonly<Partial<Record<Stage, string>>> = {
  Staging: 'staging',
  Production: 'production',
};

export const parseStage = (text: string): Stage => {
  const stage = STAGES.find((each) => each.toLowerCase() === text.toLowerCase());
  if (stage !== undefined) return stage;
  throw new MlflowError(
    'INVALID_PARAMETER_VALUE',
    `Invalid Model Version stage: ${text.slice(0, 64)}. Value must be one of ${STAGES.join(', ')}.`,
  );
};

export const stageOf = (all: Registered, version: NumberedVersion): Stage => {
  const names = aliasesOfVersion(all, version).map(({ spec }) => spec.alias);
  if (names.includes('production')) return 'Production';
  if (names.includes('staging')) return 'Staging';
  const { annotations } = version.object.metadata;
  return annotations?.[ANNOTATIONS.mlflowStage] === 'Archived' ? 'Archived' : 'None';
};
