import type { FastifyInstance } from 'fastify';
import type { RouteContext } from '../../route-context.ts';
import { aliasRoutes } from './alias-routes.ts';
import { modelVersionRoutes } from './model-version-routes.ts';
import { registeredModelRoutes } from './registered-model-routes.ts';
import { registrySearchRoutes } from './registry-search.ts';

/** MLflow's model registry, kept in Models, ModelVersions and ModelAliases. */
export const registryRoutes = (app: FastifyInstance, context: RouteContext): void => {
  registeredModelRoutes(app, context);
  modelVersionRoutes(app, context);
  aliasRoutes(app, context);
  registrySearchRoutes(app, context);
};
