import { HttpMethod, KubeConfig } from '@kubernetes/client-node';
import { fetch, type Response } from 'undici';
import {
  ApiError,
  isNotFound,
  type ApplyOptions,
  type Cluster,
  type DeleteOptions,
  type JsonPatchOperation,
  type ListOptions,
  type ObjectList,
  type WatchEvent,
  type WatchOptions,
} from './cluster.ts';
import { Connections } from './connections.ts';
import { jsonLines } from './json-lines.ts';
import {
  keyOf,
  type KubernetesObject,
  type ObjectKey,
  type ResourceType,
} from './resource-type.ts';
import { noSpans, type Spans } from './spans.ts';

export type ApiCallMetrics = {
  called(verb: string, resource: string, code: number, seconds: number): void;
};

type Call = {
  readonly verb: string;
  readonly method: HttpMethod;
  readonly type: ResourceType;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly body?: { readonly contentType: string; readonly value: unknown };
  readonly signal?: AbortSignal | undefined;
};

const CALL_TIMEOUT_MS = 30_000;

/**
 * `Cluster` on the configuration, authentication and connections of @kubernetes/client-node:
 * tokens and certificates are re-read by it. The calls are made here because its own generic client
 * knows no status subresource and its watch swallows broken lines (decisions/0002).
 */
export class KubernetesCluster implements Cluster {
  readonly #connections: Connections;
  readonly #server: string;
  readonly #metrics: ApiCallMetrics;
  readonly #spans: Spans;

  constructor(config: KubeConfig, metrics: ApiCallMetrics, spans: Spans = noSpans) {
    const cluster = config.getCurrentCluster();
    if (cluster === null)
      throw new Error('The kubeconfig names no current cluster; set KUBECONFIG or run in a pod.');
    this.#connections = new Connections(config);
    this.#server = cluster.server.replace(/\/$/, '');
    this.#metrics = metrics;
    this.#spans = spans;
  }

  /** The cluster that KUBECONFIG, the user's kubeconfig or the pod's service account names. */
  static fromEnvironment(metrics: ApiCallMetrics, spans: Spans = noSpans): KubernetesCluster {
    const config = new KubeConfig();
    config.loadFromDefault();
    return new KubernetesCluster(config, metrics, spans);
  }

  async get<T extends KubernetesObject>(
    type: ResourceType,
    key: ObjectKey,
  ): Promise<T | undefined> {
    try {
      return await this.#json<T>({
        verb: 'get',
        method: HttpMethod.GET,
        type,
        path: objectPath(type, key),
      });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async list<T extends KubernetesObject>(
    type: ResourceType,
    options: ListOptions = {},
  ): Promise<ObjectList<T>> {
    const answer = await this.#json<RawList<T>>({
      verb: 'list',
      method: HttpMethod.GET,
      type,
      path: collectionPath(type, options.namespace),
      query: {
        labelSelector: options.labelSelector,
        fieldSelector: options.fieldSelector,
        limit: options.limit?.toString(),
        continue: options.continueToken,
      },
      signal: options.signal,
    });
    const continueToken = answer.metadata.continue;
    return {
      // Items of a list of a built-in type carry neither apiVersion nor kind.
      items: (answer.items ?? []).map((item) => ({
        ...item,
        apiVersion: answer.apiVersion,
        kind: answer.kind.replace(/List$/, ''),
      })),
      resourceVersion: answer.metadata.resourceVersion,
      ...(continueToken !== undefined && continueToken !== '' && { continueToken }),
    };
  }

  apply<T extends KubernetesObject>(
    type: ResourceType,
    object: KubernetesObject,
    options: ApplyOptions,
  ): Promise<T> {
    const suffix = options.subresource === undefined ? '' : `/${options.subresource}`;
    return this.#json<T>({
      verb: 'apply',
      method: HttpMethod.PATCH,
      type,
      path: objectPath(type, keyOf(object)) + suffix,
      query: {
        fieldManager: options.fieldManager,
        force: 'true',
        dryRun: options.dryRun === true ? 'All' : undefined,
      },
      body: { contentType: 'application/apply-patch+yaml', value: object },
    });
  }

  create<T extends KubernetesObject>(
    type: ResourceType,
    object: KubernetesObject,
    options: { readonly fieldManager: string },
  ): Promise<T> {
    return this.#json<T>({
      verb: 'create',
      method: HttpMethod.POST,
      type,
      path: collectionPath(type, object.metadata.namespace),
      query: { fieldManager: options.fieldManager },
      body: { contentType: 'application/json', value: object },
    });
  }

  patch<T extends KubernetesObject>(
    type: ResourceType,
    key: ObjectKey,
    operations: readonly JsonPatchOperation[],
    options: { readonly fieldManager: string },
  ): Promise<T> {
    return this.#json<T>({
      verb: 'patch',
      method: HttpMethod.PATCH,
      type,
      path: objectPath(type, key),
      query: { fieldManager: options.fieldManager },
      body: { contentType: 'application/json-patch+json', value: operations },
    });
  }

  async delete(type: ResourceType, key: ObjectKey, options: DeleteOptions = {}): Promise<void> {
    const value = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      propagationPolicy: options.propagation ?? 'Background',
      ...(options.uid !== undefined && { preconditions: { uid: options.uid } }),
    };
    try {
      await this.#json({
        verb: 'delete',
        method: HttpMethod.DELETE,
        type,
        path: objectPath(type, key),
        body: { contentType: 'application/json', value },
      });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  async *watch(type: ResourceType, options: WatchOptions): AsyncIterable<WatchEvent> {
    const response = await this.#call({
      verb: 'watch',
      method: HttpMethod.GET,
      type,
      path: collectionPath(type, options.namespace),
      query: {
        watch: 'true',
        allowWatchBookmarks: 'true',
        resourceVersion: options.resourceVersion,
        timeoutSeconds: options.timeoutSeconds.toString(),
        labelSelector: options.labelSelector,
      },
      signal: options.signal,
    });
    if (response.body !== null) yield* jsonLines<WatchEvent>(response.body);
  }

  async #json<T>(call: Call): Promise<T> {
    const timeout = AbortSignal.timeout(CALL_TIMEOUT_MS);
    const signal = call.signal === undefined ? timeout : AbortSignal.any([call.signal, timeout]);
    const attributes = { 'url.path': call.path, 'http.request.method': call.method };
    return this.#spans(`${call.verb} ${call.type.plural}`, attributes, async () => {
      const response = await this.#call({ ...call, signal });
      return (await response.json()) as T;
    });
  }

  async #call(call: Call): Promise<Response> {
    const url = new URL(this.#server + call.path);
    for (const [name, value] of Object.entries(call.query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, value);
    }
    const { headers: authentication, dispatcher } = await this.#connections.credentials();
    const headers: Record<string, string> = { ...authentication, accept: 'application/json' };
    if (call.body !== undefined) headers['content-type'] = call.body.contentType;
    const startedAt = performance.now();
    const measured = (code: number): void =>
      this.#metrics.called(
        call.verb,
        call.type.plural,
        code,
        (performance.now() - startedAt) / 1000,
      );
    const response = await fetch(url, {
      method: call.method,
      headers,
      ...(call.body !== undefined && { body: JSON.stringify(call.body.value) }),
      ...(call.signal !== undefined && { signal: call.signal }),
      ...(dispatcher !== undefined && { dispatcher }),
    }).catch((error: unknown) => {
      measured(0);
      throw error;
    });
    measured(response.status);
    if (!response.ok) throw await apiError(response, call);
    return response;
  }
}

type RawList<T> = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items: readonly T[] | null;
};

type RawStatus = {
  readonly reason?: string;
  readonly message?: string;
  readonly details?: {
    readonly retryAfterSeconds?: number;
    readonly causes?: readonly { readonly field?: string }[];
  };
};

const apiError = async (response: Response, call: Call): Promise<ApiError> => {
  const text = await response.text();
  const status = parseStatus(text);
  const header = Number(response.headers.get('retry-after') ?? Number.NaN);
  const asked = Number.isFinite(header) ? header : status.details?.retryAfterSeconds;
  const message =
    status.message ??
    `${call.verb} ${call.path} answered ${response.status}: ${text.slice(0, 500)}`;
  if (isFailedTest(response.status, status, call) || isOtherUid(response.status, status))
    return new ApiError(409, 'Conflict', message);
  return new ApiError(response.status, status.reason ?? 'Unknown', message, {
    retryAfterSeconds: asked,
  });
};

/** A `test` that fails is answered 422 without causes; a patch that makes the object invalid names them. */
const isFailedTest = (code: number, status: RawStatus, { verb, body }: Call): boolean =>
  code === 422 &&
  verb === 'patch' &&
  (status.details?.causes ?? []).length === 0 &&
  (body?.value as readonly JsonPatchOperation[]).some(({ op }) => op === 'test');

/** An apply to another uid than the stored one: 409 where nothing is stored, but 422 where something is. */
const isOtherUid = (code: number, { details }: RawStatus): boolean =>
  code === 422 && details?.causes?.some(({ field }) => field === 'metadata.uid') === true;

const parseStatus = (text: string): RawStatus => {
  try {
    return JSON.parse(text) as RawStatus;
  } catch {
    // A proxy's page, not a Status; the text itself goes into the message.
    return {};
  }
};

const collectionPath = (type: ResourceType, namespace: string | undefined): string => {
  const root = type.group === '' ? `/api/${type.version}` : `/apis/${type.group}/${type.version}`;
  const scope =
    namespace === undefined || namespace === ''
      ? ''
      : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${root}${scope}/${type.plural}`;
};

const objectPath = (type: ResourceType, { namespace, name }: ObjectKey): string => {
  // As a step of a path these would lead to another resource; no object has such a name.
  if ([name, namespace].some((part) => part === '.' || part === '..') || name === '')
    throw new ApiError(404, 'NotFound', `No ${type.kind} can be named "${namespace}/${name}".`);
  return `${collectionPath(type, namespace)}/${encodeURIComponent(name)}`;
};
