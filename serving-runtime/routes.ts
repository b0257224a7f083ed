/** Which address means what. Pure. */
import type { RepositoryRoute } from './repository/repository-routes.ts';
import { invalidRequest, ProtocolError } from './protocol/protocol-error.ts';

type ModelRoute = { readonly model: string; readonly version: string | undefined };

export type Route =
  | { readonly kind: 'server' | 'live' | 'ready' | 'metrics' | 'openapi' }
  /** Of the model the address names with `?model=`, or the first. */
  | { readonly kind: 'score'; readonly model?: string | undefined }
  | { readonly kind: 'docs'; readonly model?: string | undefined }
  | RepositoryRoute
  | ({ readonly kind: 'model' | 'modelReady' } & ModelRoute)
  | ({ readonly kind: 'infer' } & ModelRoute);

const fixed: Readonly<Record<string, Route>> = {
  '/v2': { kind: 'server' },
  '/v2/health/live': { kind: 'live' },
  '/v2/health/ready': { kind: 'ready' },
  '/metrics': { kind: 'metrics' },
  '/ping': { kind: 'ready' },
  '/invocations': { kind: 'score' },
  '/openapi.json': { kind: 'openapi' },
  '/docs': { kind: 'docs' },
  '/v2/repository/index': { kind: 'index' },
};

const posted: ReadonlySet<Route['kind']> = new Set(['infer', 'score', 'index', 'load', 'unload']);
const repositoryPath = /^\/v2\/repository\/models\/([^/]+)\/(load|unload)$/;

const modelPath = /^\/v2\/models\/([^/]+)(?:\/versions\/([^/]+))?(\/ready|\/infer)?$/;

/** Throws ProtocolError 404 for an unknown address, 405 for the wrong method. */
export function matchRoute(method: string, url: string): Route {
  const [path = '', query] = url.split('?', 2);
  const route = matchFixed(path, query) ?? matchRepository(path) ?? matchModel(path);
  if (route === undefined) {
    throw new ProtocolError(
      'NotFound',
      `there is nothing at ${path.slice(0, 200)}; see GET /docs, GET /v2 and POST /v2/models/<model>/infer`,
    );
  }
  const allowed = posted.has(route.kind) ? 'POST' : 'GET';
  if (method === allowed || (method === 'HEAD' && allowed === 'GET')) return route;
  throw new ProtocolError('MethodNotAllowed', `${path} takes ${allowed}, not ${method}`, {
    headers: { allow: allowed === 'GET' ? 'GET, HEAD' : allowed },
  });
}

function matchFixed(path: string, query: string | undefined): Route | undefined {
  const key = path.length > 1 ? path.replace(/\/$/, '') : path;
  const route = Object.hasOwn(fixed, key) ? fixed[key] : undefined;
  if (query === undefined || (route?.kind !== 'docs' && route?.kind !== 'score')) return route;
  return { ...route, model: new URLSearchParams(query).get('model') ?? undefined };
}

function matchRepository(path: string): RepositoryRoute | undefined {
  const [, model, kind] = repositoryPath.exec(path) ?? [];
  if (model === undefined) return undefined;
  return { kind: kind === 'load' ? 'load' : 'unload', model: decode(model) };
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
