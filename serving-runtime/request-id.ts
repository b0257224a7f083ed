import type { IncomingHttpHeaders } from 'node:http';

/** The id a client gave its request where it can stand in a header, otherwise a new one. */
export function requestIdOf(headers: IncomingHttpHeaders, newRequestId: () => string): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && /^[\x21-\x7e]{1,128}$/.test(given) ? given : newRequestId();
}
