import type { FastifyRequest } from 'fastify';

/**
 * Where the client reached this API, for links that go back to the same client and nobody else. A
 * proxy that ends TLS says so in X-Forwarded-Proto; only the caller's own answer depends on it.
 */
export const originOf = ({ headers }: FastifyRequest): string => {
  const forwarded = headers['x-forwarded-proto'];
  const scheme = forwarded === 'https' ? 'https' : 'http';
  return `${scheme}://${headers.host ?? ''}`;
};
