import type { ApiRoutes } from '../../api/route-context.ts';
import type { LabelStore } from '../../store/labels.ts';
import { labelRoutes } from './label-routes.ts';
import type { ShadowStore } from './shadow-store.ts';
import { shadowRoutes } from './shadow-routes.ts';

/** What the API offers of Deployments beyond the objects themselves. */
export const deploymentRoutes =
  (labels: LabelStore, shadow: ShadowStore): ApiRoutes =>
  (app, context) => {
    labelRoutes(labels)(app, context);
    shadowRoutes(shadow)(app, context);
  };
