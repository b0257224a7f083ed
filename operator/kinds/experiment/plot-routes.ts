import { OBJECT_PARAMS } from '../../api/schemas.ts';
import type { ApiRoutes } from '../../api/route-context.ts';
import type { ObjectKey } from '../../runtime/resource-type.ts';
import type { PlotQuery } from './plot-choice.ts';
import { PLOT_KINDS, plotOf, type PlotKind } from './plots.ts';
import { experimentOf } from './required-experiment.ts';
import type { ImportanceSource } from './search-engine.ts';
import type { TrialStore } from './trial-store.ts';

const named = (what: string): object => ({ type: 'string', maxLength: 250, description: what });

/** Plots of one search. */
export const plotRoutes =
  (trials: Pick<TrialStore, 'list' | 'front'>, importance: ImportanceSource): ApiRoutes =>
  (app, context) => {
    app.get<{ Params: ObjectKey & { readonly kind: PlotKind }; Querystring: PlotQuery }>(
      '/api/v1/namespaces/:namespace/experiments/:name/plots/:kind',
      {
        schema: {
          operationId: 'plotExperiment',
          summary: 'A plot of one search, as SVG',
          tags: ['experiments'],
          params: {
            ...OBJECT_PARAMS,
            required: [...OBJECT_PARAMS.required, 'kind'],
            properties: { ...OBJECT_PARAMS.properties, kind: { enum: PLOT_KINDS } },
          },
          querystring: {
            type: 'object',
            properties: {
              objective: named('Name of the objective; the first by default.'),
              parameter: named('Of a slice: name of the parameter; the first by default.'),
              x: named('Of a contour a parameter, of a Pareto front an objective.'),
              y: named('As x; the second by default.'),
            },
          },
          response: { 200: { type: 'string' } },
        },
        config: { responseMediaType: 'image/svg+xml' },
      },
      async (request, reply) => {
        const experiment = await experimentOf(request, context);
        const sources = { trials, runs: context.runs, importance };
        const svg = await plotOf(request.params.kind, experiment, request.query, sources);
        // Names in it are other people's words: nothing in it may run or load, wherever it is opened.
        return reply
          .type('image/svg+xml; charset=utf-8')
          .header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'")
          .header('x-content-type-options', 'nosniff')
          .send(svg);
      },
    );
  };
