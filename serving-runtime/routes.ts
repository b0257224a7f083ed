/** Which address means what. Pure. */
import { invalidRequest, ProtocolError } from './protocol/protocol-error.ts';

type ModelRoute = { readonly model: string; readonly version: string | undefined };

export type Route =
  | { readonly kind: 'server' | 'live' | 'ready' | 'metrics' | 'score' | 'openapi' | 'docs' }
  | ({ readonly kind: 'model' | 'modelReady' | 'infer' } & ModelRoute);

const fixed: Readonly<Record<string, Route>> = {
  '/v2': { kind: 'server' },
  '/v2/health/live': { kind: 'live' },
  '/v2/health/ready': { kind: 'ready' },
  '/metrics': { kind: 'metrics' },
  '/ping': { kind: 'ready' },
  '/invocations': { kind: 'score' },
  '/openapi.json': { kind: 'openapi' },
  '/docs': { kind: 'docs' },
};

const modelPath = /^\/v2\/models\/([^/]+)(?:\/versions\/([^/]+))?(\/ready|\/infer)?$/;

/** Throws ProtocolError 404 for an unknown address, 405 for the wrong method. */
export function matchRoute(method: string, url: string): Route {
  const path = url.split('?', 1)[0] ?? '';
  const route = fixed[path.length > 1 ? path.replace(/\/$/, '') : path] ?? matchModel(path);
  if (route === undefined) {
    throw new ProtocolError(
      'NotFound',
      `there is nothing at ${path.slice(0, 200)}; see GET /docs, GET /v2 and POST /v2/models/<model>/infer`,
    );
  }
  const allowed = route.kind === 'infer' || route.kind === 'score' ? 'POST' : 'GET';
  if (method === allowed || (method === 'HEAD' && allowed === 'GET')) return route;
  throw new ProtocolError('MethodNotAllowed', `${path} takes ${allowed}, not ${method}`, {
    headers: { allow: allowed === 'GET' ? 'GET, HEAD' : allowed },
  });
}

function matchModel(path: string): Route | undefined {
  const match = modelPath.exec(path);
  const [, model, version, action] = match ?? [];
  if (model === undefined) return undefined;
  const kind = action === '/infer' ? 'infer' : action === '/ready' ? 'modelReady' : 'model';
  return {
    kind,
    model: decode(model),
    version: version === undefined ? undefined : decode(version),
  };
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw invalidRequest(
      `the address has "${segment.slice(0, 100)}", which is not percent-encoded UTF-8`,
    );
  }
}
