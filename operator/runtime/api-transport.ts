import type { HttpMethod } from '@kubernetes/client-node';
import { type KubeConfig } from '@kubernetes/client-node';
import { request, type Dispatcher } from 'undici';
import { ApiError } from './cluster.ts';
import { Connections } from './connections.ts';
import { apiError } from './refused-call.ts';
import type { ResourceType } from './resource-type.ts';
import type { Spans } from './spans.ts';

export type ApiCallMetrics = {
  called(verb: string, resource: string, code: number, seconds: number): void;
};

export type Call = {
  readonly verb: string;
  readonly method: HttpMethod;
  readonly type: ResourceType;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly accept?: string;
  readonly body?: { readonly contentType: string; readonly value: unknown };
  readonly signal?: AbortSignal | undefined;
  /** Of a write: the server gives it up, too, when it takes longer. */
  readonly withinMs?: number | undefined;
  /** On `performance`'s clock. */
  readonly sendBy?: number;
};

/** Status code, headers and the body as a stream. */
export type ApiAnswer = Pick<Dispatcher.ResponseData, 'statusCode' | 'headers' | 'body'>;

const CALL_TIMEOUT_MS = 30_000;

/** Calls to the API server of a kubeconfig: authenticated, measured, traced, and limited in time. */
export class ApiTransport {
  readonly #connections: Connections;
  readonly #server: string;
  readonly #metrics: ApiCallMetrics;
  readonly #spans: Spans;

  constructor(config: KubeConfig, metrics: ApiCallMetrics, spans: Spans) {
    const cluster = config.getCurrentCluster();
    if (cluster === null)
      throw new Error('The kubeconfig names no current cluster; set KUBECONFIG or run in a pod.');
    this.#connections = new Connections(config);
    this.#server = cluster.server.replace(/\/$/, '');
    this.#metrics = metrics;
    this.#spans = spans;
  }

  /** The answer, parsed. Throws ApiError when it is not a success. */
  async json<T>(call: Call): Promise<T> {
    const { withinMs = CALL_TIMEOUT_MS } = call;
    const limitMs = Math.max(1, Math.floor(Math.min(withinMs, CALL_TIMEOUT_MS)));
    const timeout = AbortSignal.timeout(limitMs);
    const signal = call.signal === undefined ? timeout : AbortSignal.any([call.signal, timeout]);
    const attributes = { 'url.path': call.path, 'http.request.method': call.method };
    return this.#spans(`${call.verb} ${call.type.plural}`, attributes, async () => {
      const response = await this.open({ ...call, signal, ...limited(call, limitMs) });
      return (await response.body.json()) as T;
    });
  }

  /** The answer's head; the caller reads the body. Throws ApiError when it is not a success. */
  async open(call: Call): Promise<ApiAnswer> {
    const { headers: authentication, dispatcher } = await this.#connections.credentials();
    const headers: Record<string, string> = {
      ...authentication,
      accept: call.accept ?? 'application/json',
    };
    if (call.body !== undefined) headers['content-type'] = call.body.contentType;
    const startedAt = performance.now();
    // A process that was stopped after it had asked must not send when it wakes up, timers or not.
    if (startedAt > (call.sendBy ?? Number.POSITIVE_INFINITY))
      throw new ApiError(504, 'Timeout', `${call.verb} ${call.path} was not sent in time.`);
    const measured = (code: number): void =>
      this.#metrics.called(
        call.verb,
        call.type.plural,
        code,
        (performance.now() - startedAt) / 1000,
      );
    // Not fetch: its streams and checks are half of what a call costs.
    const response = await request(urlOf(this.#server, call), {
      method: call.method as Dispatcher.HttpMethod,
      headers,
      ...(call.body !== undefined && { body: JSON.stringify(call.body.value) }),
      ...(call.signal !== undefined && { signal: call.signal }),
      ...(dispatcher !== undefined && { dispatcher }),
      // A watch may be silent for longer than undici waits by itself; the reflector looks after that.
      bodyTimeout: 0,
    }).catch((error: unknown) => {
      measured(0);
      throw error;
    });
    const { statusCode } = response;
    measured(statusCode);
    if (statusCode < 200 || statusCode > 299) throw await apiError(response, call);
    return response;
  }
}

const urlOf = (server: string, { path, query = {} }: Call): URL => {
  const url = new URL(server + path);
  for (const [name, value] of Object.entries(query))
    if (value !== undefined) url.searchParams.set(name, value);
  return url;
};

/** What tells both sides when a write that has its time is too late. */
const limited = (call: Call, limitMs: number): Pick<Call, 'query' | 'sendBy'> =>
  call.withinMs === undefined
    ? {}
    : {
        query: { ...call.query, timeout: `${limitMs}ms` },
        sendBy: performance.now() + limitMs,
      };
