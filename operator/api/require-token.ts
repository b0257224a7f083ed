import type { FastifyInstance } from 'fastify';
import type { Authenticator } from './auth.ts';

/** Every request of this scope carries a token the cluster accepts, before its body is read. */
export const requireToken = (scope: FastifyInstance, authenticate: Authenticator): void => {
  scope.addHook('onRequest', async (request) => {
    if (request.routeOptions.config.auth === 'none') return;
    request.identity = await authenticate(request.headers.authorization);
  });
};
