import { z } from 'zod';
import { alias, modelRef, tags, text } from './fields.ts';
import { trialSpec } from './experiment-trial.ts';
import { modelFormat } from './model-version.ts';
import { shaped } from './rules.ts';

/** How the best run of an Experiment becomes a ModelVersion. */
export const register = z
  .strictObject({
    modelRef: modelRef('The Model that gets the version; it is created where there is none.'),
    bump: z
      .enum(['major', 'minor', 'patch'])
      .describe('Which part of the last version is raised; the first version is 1.0.0.')
      .default('minor'),
    artifactPath: shaped(
      text("Path of the model among the run's artifacts, a file or a folder.", 700),
      /^[^/\s.][^/\s]*(\/[^/\s.][^/\s]*)*$/,
      'must be a relative path such as model.onnx or export/model.onnx: no leading "/", no spaces, no part that starts with "."',
    ),
    modelFormat: modelFormat.prefault({ name: 'onnx' }),
    when: text(
      'CEL that must be true for the version to be made, such as metrics.accuracy >= 0.9; metrics holds the latest values of the best run. Left out, it is always made.',
      2048,
    ).optional(),
    retrain: z
      .strictObject({
        trialSpec: trialSpec(
          'spec of the Job, as in batch/v1; placeholders as in trialTemplate, filled with the best parameters.',
          'The Job of the final training, such as one on more data; left out, that of trialTemplate. It has the same primaryContainerName.',
        ).optional(),
      })
      .describe(
        'After the search, when its best trial passed when, one more training runs on the best parameters, and its run is registered instead. It is no trial, is started again as trialTemplate.retryPolicy says, and when it fails, so does the Experiment and nothing is registered. Then when is evaluated again on what it logged; metrics it did not log count as those of the best trial.',
      )
      .optional(),
    alias: z
      .strictObject({
        name: alias('Name of the alias, such as champion.'),
        move: z
          .enum(['IfUnset', 'Always'])
          .describe(
            'IfUnset: only when the Model has no such alias; Always: also away from another version.',
          )
          .default('IfUnset'),
      })
      .describe('The alias that names the new version.')
      .optional(),
    tags: tags('Tags of the ModelVersion.').optional(),
  })
  .describe(
    'The best run becomes a ModelVersion, which is never deleted with the Experiment. Left out, nothing is registered.',
  );
