import type { IncomingMessage } from 'node:http';

export type Verb =
  | 'get'
  | 'list'
  | 'watch'
  | 'create'
  | 'update'
  | 'patch'
  | 'apply'
  | 'delete'
  | 'deletecollection';

/** What a request to a Kubernetes API server asks for, read from its method, path and headers. */
export type RequestFacts = {
  readonly verb: Verb;
  readonly group: string;
  /** Plural, without the subresource; the path itself where it names none (`/readyz`). */
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  readonly subresource: string;
  readonly userAgent: string;
  /** A later page of a list. */
  readonly continued: boolean;
  /** A watch that begins with all there is (WatchList). */
  readonly initialEvents: boolean;
};

const WRITES: ReadonlySet<Verb> = new Set([
  'create',
  'update',
  'patch',
  'apply',
  'delete',
  'deletecollection',
]);

export const isWrite = ({ verb }: RequestFacts): boolean => WRITES.has(verb);

/** Reads a request's line and headers; its body does not matter. */
export const factsOf = ({
  method,
  url = '/',
  headers,
}: Pick<IncomingMessage, 'method' | 'url' | 'headers'>): RequestFacts => {
  const { pathname, searchParams } = new URL(url, 'http://localhost');
  const place = placeOf(pathname);
  const single = place.name !== '';
  const watches = ['true', '1'].includes(searchParams.get('watch') ?? '');
  const applies = headers['content-type']?.startsWith('application/apply-patch') === true;
  return {
    ...place,
    verb: verbOf(method ?? 'GET', { single, watches, applies }),
    userAgent: headers['user-agent'] ?? '',
    continued: searchParams.has('continue'),
    initialEvents: watches && searchParams.get('sendInitialEvents') === 'true',
  };
};

type Place = Pick<RequestFacts, 'group' | 'resource' | 'namespace' | 'name' | 'subresource'>;

/** `/api/v1/…` and `/apis/GROUP/VERSION/…`, of a namespace or of all; anything else is no resource. */
const RESOURCE =
  /^\/(?:api|apis\/(?<group>[^/]+))\/[^/]+(?:\/namespaces\/(?<namespace>[^/]+)(?=\/(?!finalize|status)))?\/(?<resource>[^/]+)(?:\/(?<name>[^/]+)(?:\/(?<subresource>.+))?)?$/;

const placeOf = (pathname: string): Place => {
  const nothing = { group: '', resource: pathname, namespace: '', name: '', subresource: '' };
  const found = RESOURCE.exec(pathname)?.groups ?? {};
  const named = Object.entries(found).filter(([, value]) => value !== undefined);
  return { ...nothing, ...Object.fromEntries(named) };
};

const verbOf = (
  method: string,
  { single, watches, applies }: { single: boolean; watches: boolean; applies: boolean },
): Verb => {
  switch (method) {
    case 'POST':
      return 'create';
    case 'PUT':
      return 'update';
    case 'PATCH':
      return applies ? 'apply' : 'patch';
    case 'DELETE':
      return single ? 'delete' : 'deletecollection';
    default:
      if (watches) return 'watch';
      return single ? 'get' : 'list';
  }
};
