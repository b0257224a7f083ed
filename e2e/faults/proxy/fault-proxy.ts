import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { apiServerOf, passedOn, type ApiServer } from './api-server.ts';
import { CallLog } from './call-log.ts';
import { factsOf, type RequestFacts } from './request-facts.ts';
import type { RequestFault } from './rule.ts';
import { RuleBook } from './rule-book.ts';
import { seededRandom } from '../../seeded-random.ts';
import { WatchRelay } from './watch-relay.ts';

export type FaultProxyOptions = {
  /** Path of the kubeconfig whose server and client certificate are used behind the proxy. */
  readonly kubeconfig: string;
  /** A free port when absent. */
  readonly port?: number;
  /** Of all that is left to chance. */
  readonly seed?: number;
  /** caller: passes on the caller's own token instead of the kubeconfig's certificate. */
  readonly credentials?: 'kubeconfig' | 'caller';
};

type Recorded = { readonly code: number; readonly headers: object; readonly body: Buffer };

const REQUEST_FAULTS = [
  'status',
  'applyThenCut',
  'applyThenHold',
  'refuse',
  'blackhole',
  'staleList',
  'truncateBody',
] as const satisfies readonly RequestFault['type'][];

/** Starts a proxy on a loopback port, plain HTTP/1.1 in front of a real API server. */
export const startFaultProxy = async (options: FaultProxyOptions): Promise<FaultProxy> => {
  const { kubeconfig, credentials = 'kubeconfig', port = 0, seed = 1 } = options;
  const proxy = new FaultProxy(await apiServerOf(kubeconfig, credentials), seededRandom(seed));
  await proxy.listen(port);
  return proxy;
};

/**
 * Stands between an API server and its clients and does to their requests what its rules say, all
 * that a network and a server in trouble do: refuse, delay, cut, lose answers, freeze, lie.
 */
export class FaultProxy {
  readonly rules: RuleBook;
  readonly calls = new CallLog();
  readonly #api: ApiServer;
  readonly #server: Server;
  readonly #watches = new Set<WatchRelay>();
  /** By path and query, without the page: each one's first list since `recordLists`. */
  #recorded: Map<string, Recorded> | undefined;

  constructor(api: ApiServer, random: () => number) {
    this.#api = api;
    this.rules = new RuleBook(random);
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch(() => response.destroy());
    });
    // Clients keep connections as long as they like; a fault ends them, not a timeout of ours.
    this.#server.keepAliveTimeout = 0;
    this.#server.requestTimeout = 0;
  }

  listen(port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, '127.0.0.1', resolve);
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Watches that are open now. */
  get openWatches(): number {
    return this.#watches.size;
  }

  /** From now on the first answer to each list is kept for `staleList`. */
  recordLists(): void {
    this.#recorded = new Map();
  }

  cutWatches(): void {
    for (const watch of this.#watches) watch.cut();
  }

  /** All open watches go silent for good, with their sockets open; later ones do not. */
  freezeWatches(): void {
    for (const watch of this.#watches) watch.freeze();
  }

  /** Takes the clients off the network; the returned function puts them back. */
  partition(how: 'refuse' | 'blackhole'): () => void {
    const rule = this.rules.add({ name: `partition (${how})`, fault: { type: how } });
    if (how === 'refuse') this.#server.closeAllConnections();
    else this.freezeWatches();
    return () => rule.remove();
  }

  async stop(): Promise<void> {
    this.cutWatches();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    this.#api.close();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const facts = factsOf(request);
    const lag = this.rules.strike(facts, ['delay']);
    if (lag !== undefined) await delay(lag.fault.ms);
    const struck = this.rules.strike(facts, REQUEST_FAULTS);
    const before = struck === undefined ? false : this.#instead(struck.fault, request, response);
    if (before !== false) {
      this.calls.note(facts, before);
      struck?.onHit();
      return;
    }
    await this.#forward(facts, { request, response, ...(struck !== undefined && { struck }) });
  }

  /** What is answered without asking the server: the code the client sees, or false to ask it. */
  #instead(
    fault: RequestFault,
    request: IncomingMessage,
    response: ServerResponse,
  ): number | false {
    switch (fault.type) {
      case 'status':
        request.resume();
        answerStatus(response, fault);
        return fault.code;
      case 'refuse':
        request.socket.destroy();
        return 0;
      case 'blackhole':
        request.resume();
        return 0;
      case 'staleList': {
        const recorded = this.#recorded?.get(listKey(request));
        if (recorded === undefined) return false;
        response.writeHead(recorded.code, { ...recorded.headers }).end(recorded.body);
        return recorded.code;
      }
      default:
        return false;
    }
  }

  async #forward(facts: RequestFacts, exchange: Exchange): Promise<void> {
    const { request, response, struck } = exchange;
    const answer = await this.#ask(request, response).catch((error: unknown) => {
      this.calls.note(facts, 0);
      throw error;
    });
    const { statusCode: code = 502 } = answer;
    if (struck?.fault.type === 'applyThenCut' || struck?.fault.type === 'applyThenHold') {
      await buffer(answer);
      this.calls.note(facts, 0);
      if (struck.fault.type === 'applyThenCut') request.socket.destroy();
      struck.onHit();
      return;
    }
    this.calls.note(facts, code);
    response.writeHead(code, passedOn(answer.headers));
    if (facts.verb === 'watch' && code === 200) await this.#watch(facts, answer, response);
    else if (facts.verb === 'list' || struck !== undefined)
      await this.#answerWhole({ code, answer }, exchange);
    else answer.pipe(response);
  }

  #ask(request: IncomingMessage, response: ServerResponse): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const onward = this.#api.request(request, resolve);
      onward.on('error', reject);
      response.once('close', () => {
        if (!response.writableFinished) onward.destroy();
      });
      request.pipe(onward);
    });
  }

  async #answerWhole(
    { code, answer }: { readonly code: number; readonly answer: IncomingMessage },
    { request, response, struck }: Exchange,
  ): Promise<void> {
    const body = await buffer(answer);
    if (struck?.fault.type === 'truncateBody') {
      response.write(body.subarray(0, body.length >> 1), () => request.socket.destroy());
      struck.onHit();
      return;
    }
    this.#record(request, { code, headers: passedOn(answer.headers), body });
    response.end(body);
  }

  #record(request: IncomingMessage, answer: Recorded): void {
    const key = listKey(request);
    if (answer.code === 200 && this.#recorded?.has(key) === false) this.#recorded.set(key, answer);
  }

  async #watch(
    facts: RequestFacts,
    upstream: IncomingMessage,
    client: ServerResponse,
  ): Promise<void> {
    const relay = new WatchRelay(facts, this.rules, { upstream, client });
    this.#watches.add(relay);
    client.once('close', () => {
      upstream.destroy();
      this.#watches.delete(relay);
    });
    await relay.run();
  }
}

type Exchange = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly struck?: { readonly fault: RequestFault; readonly onHit: () => void };
};

const listKey = ({ url = '/' }: IncomingMessage): string => {
  const { pathname, searchParams } = new URL(url, 'http://localhost');
  searchParams.sort();
  return `${pathname}?${searchParams.toString()}`;
};

const REASONS: Readonly<Record<number, string>> = {
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  409: 'Conflict',
  410: 'Expired',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

const answerStatus = (
  response: ServerResponse,
  fault: Extract<RequestFault, { type: 'status' }>,
): void => {
  const { code, retryAfterSeconds, reason = REASONS[code] ?? 'Unknown' } = fault;
  const status = {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: `injected: ${reason}`,
    reason,
    ...(retryAfterSeconds !== undefined && { details: { retryAfterSeconds } }),
    code,
  };
  response.writeHead(code, {
    'content-type': 'application/json',
    ...(retryAfterSeconds !== undefined && { 'retry-after': String(retryAfterSeconds) }),
  });
  response.end(JSON.stringify(status));
};
