import { OBJECT_PARAMS } from '../../api/schemas.ts';
import type { ApiRoutes } from '../../api/route-context.ts';
import type { ObjectKey } from '../../runtime/resource-type.ts';
import { importancesOf } from './importance.ts';
import { chosenObjective, objectivesToPlot } from './plot-choice.ts';
import { experimentOf } from './required-experiment.ts';
import type { ImportanceSource } from './search-engine.ts';

const IMPORTANCE = {
  type: 'object',
  required: ['objective', 'importances'],
  properties: {
    objective: { type: 'string' },
    evaluator: { type: 'string', description: 'What judged it: PED-ANOVA (Watanabe et al. 2023).' },
    importances: {
      type: 'array',
      description: 'The most important first; 1 in all.',
      items: {
        type: 'object',
        required: ['parameter', 'importance'],
        properties: { parameter: { type: 'string' }, importance: { type: 'number' } },
      },
    },
    reason: { enum: ['NotEnoughRuns'] },
    message: { type: 'string' },
  },
} as const;

/** Which parameters of a search matter; "not enough runs" instead of a guess. */
export const importanceRoute =
  (source: ImportanceSource): ApiRoutes =>
  (app, context) => {
    app.get<{ Params: ObjectKey; Querystring: { readonly objective?: string } }>(
      '/api/v1/namespaces/:namespace/experiments/:name/importance',
      {
        schema: {
          operationId: 'getExperimentImportance',
          summary: 'How much each parameter of a search matters for an objective',
          tags: ['experiments'],
          params: OBJECT_PARAMS,
          querystring: {
            type: 'object',
            properties: {
              objective: {
                type: 'string',
                maxLength: 250,
                description: 'Name of the objective; the first by default.',
              },
            },
          },
          response: { 200: IMPORTANCE },
        },
      },
      async (request) => {
        const experiment = await experimentOf(request, context);
        const objectives = objectivesToPlot(experiment);
        const place = chosenObjective(objectives, 'objective', { name: request.query.objective });
        const objective = objectives[place]?.name ?? '';
        const found = await importancesOf(experiment, place, source);
        if (found.importances.length > 0) return { objective, ...found };
        return {
          ...{ objective, importances: [], reason: 'NotEnoughRuns' },
          message: 'Too few trials have finished well to say which parameters matter.',
        };
      },
    );
  };
