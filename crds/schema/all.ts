import { abTest } from './ab-test.ts';
import { deployment } from './deployment.ts';
import { experiment } from './experiment.ts';
import { model } from './model.ts';
import { modelAlias } from './model-alias.ts';
import { modelVersion } from './model-version.ts';
import { pipeline } from './pipeline.ts';
import { pipelineRun } from './pipeline-run.ts';
import type { KindDefinition } from './resource.ts';
import { retrainPolicy } from './retrain-policy.ts';

/** The one list of kinds: everything that handles all of them walks it. */
export const kinds: readonly KindDefinition[] = [
  model,
  modelVersion,
  modelAlias,
  experiment,
  pipeline,
  pipelineRun,
  deployment,
  abTest,
  retrainPolicy,
];
