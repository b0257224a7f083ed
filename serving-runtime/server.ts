/** HTTP: every request gets an answer, every answer a request id. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Answer } from './infer.ts';
import { describeApi } from './docs/describe-api.ts';
import { docsPage } from './docs/docs-page.ts';
import type { HttpExchange, InferenceParts } from './inference-handler.ts';
import { handleInference } from './inference-handler.ts';
import type { Refused } from './explain-refusal.ts';
import { explainRefusal } from './explain-refusal.ts';
import type { ErrorResponse, ModelMetadata } from './protocol/messages.ts';
import { ProtocolError } from './protocol/protocol-error.ts';
import { discardBody } from './read-body.ts';
import { recordInference } from './record-inference.ts';
import { requestIdOf } from './request-id.ts';
import type { RepositoryParts } from './repository/repository-api.ts';
import type { RepositoryRoute } from './repository/repository-routes.ts';
import { answerRepository } from './repository/repository-routes.ts';
import type { LoadedModel } from './repository/loaded-model.ts';
import type { Subject } from './repository/repository.ts';
import type { RequestSink } from './requests/open-request-log.ts';
import type { Route } from './routes.ts';
import { matchRoute } from './routes.ts';
import { mlflowScoring } from './scoring/mlflow-scoring.ts';
import { serverMetadata } from './server-metadata.ts';
import type { Metrics } from './telemetry/metrics.ts';
import type { RequestTrace, Tracing } from './telemetry/request-trace.ts';

export type ServerParts = InferenceParts &
  RepositoryParts & {
    readonly metrics: Metrics;
    readonly newRequestId: () => string;
    readonly requestLog?: RequestSink | undefined;
    readonly tracing?: Tracing | undefined;
    /** True from SIGTERM on: answers go on, readiness is gone, connections end with their answer. */
    readonly isDraining: () => boolean;
  };

/** How long a body that is too large is read on, as most clients see no answer before they sent all. */
const politeMs = 2000;

type Reply = Answer & { readonly status: number };

/** The server of everything; it does not listen yet. */
export function createServingServer(parts: ServerParts): Server {
  const server = createServer(
    // Longer than gateways keep idle connections, so that they end them and never race us.
    {
      keepAliveTimeout: 620_000,
      headersTimeout: 30_000,
      // Bodies of inferences have their own, exact limit; this one is for what nobody reads.
      requestTimeout: parts.timeoutMs + 30_000,
    },
    (request, response) => {
      void serve(parts, request, response);
    },
  );
  server.on('clientError', refuseMalformed);
  return server;
}

/** Only metrics and health, for a port that the gateway does not reach. */
export function createMetricsServer(parts: ServerParts): Server {
  return createServer((request, response) => {
    if (/^\/(metrics|v2\/health\/)/.test(request.url ?? '')) void serve(parts, request, response);
    else response.writeHead(404).end();
  });
}

/** Never rejects: an error is an answer. */
async function serve(
  parts: ServerParts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const started = parts.now();
  const requestId = requestIdOf(request.headers, parts.newRequestId);
  let route: Route | undefined;
  let reply: Reply;
  let trace: RequestTrace | undefined;
  try {
    refuseManyHeaders(request);
    route = matchRoute(request.method ?? '', request.url ?? '');
    if (isInference(route)) trace = parts.tracing?.begin(route.kind, request.headers);
    reply = await answer(parts, route, { request, response, trace });
  } catch (error) {
    reply = refuse(parts, error, { requestId, headers: request.headers });
  }
  const subject = route && subjectOf(route, parts);
  if (subject !== undefined) {
    recordInference(
      parts,
      subject,
      { id: requestId, headers: request.headers, started, trace },
      reply,
    );
  }
  if (reply.status === 413) await discardBody(request, politeMs);
  // Clients then open their next connection, which no longer reaches this pod.
  const closing = parts.isDraining() ? { connection: 'close' } : {};
  send(response, reply, { 'x-request-id': requestId, ...closing });
}

const isInference = (route: Route): route is AsksModel =>
  route.kind === 'infer' || route.kind === 'score';

/** Of a request that asks a model of ours, and so counts. */
function subjectOf(route: Route, { repository }: ServerParts): Subject | undefined {
  if (route.kind === 'score') return repository.subject(route.model, undefined);
  return route.kind === 'infer' ? repository.subject(route.model, route.version) : undefined;
}

function answer(parts: ServerParts, route: Route, exchange: HttpExchange): Promise<Reply> | Reply {
  switch (route.kind) {
    case 'server':
      return json(200, serverMetadata);
    case 'live':
      return json(200, { live: true });
    case 'ready':
      return readiness(parts, {});
    case 'metrics':
      return renderMetrics(parts);
    case 'model':
      return json(200, parts.repository.describe(route.model, route.version));
    case 'modelReady':
      return modelReadiness(parts, route.model, route.version);
    case 'infer':
    case 'score':
      return infer(parts, route, exchange);
    case 'openapi':
      return json(200, describeApi(servedModels(parts)));
    case 'docs':
      return { status: 200, ...docsOf(parts, route.model) };
    default:
      return repositoryAnswer(parts, route, exchange.request);
  }
}

type AsksModel =
  | { readonly kind: 'score'; readonly model?: string | undefined }
  | { readonly kind: 'infer'; readonly model: string; readonly version: string | undefined };

async function infer(parts: ServerParts, route: AsksModel, exchange: HttpExchange): Promise<Reply> {
  const answered =
    route.kind === 'infer'
      ? handleInference(parts, () => parts.repository.find(route.model, route.version), exchange)
      : handleInference(parts, () => findOrFirst(parts, route.model), {
          ...exchange,
          dialect: mlflowScoring,
        });
  return { status: 200, ...(await answered) };
}

async function repositoryAnswer(
  parts: ServerParts,
  route: RepositoryRoute,
  request: IncomingMessage,
): Promise<Reply> {
  return json(200, await answerRepository(parts, route, request));
}

/** Throws ProtocolError 404, or 503 while it is not loaded. */
const findOrFirst = ({ repository }: ServerParts, name: string | undefined): LoadedModel =>
  name === undefined ? repository.first() : repository.find(name, undefined);

/** Throws ProtocolError 503 while there is none. */
function servedModels({ repository }: ServerParts): readonly ModelMetadata[] {
  repository.first();
  return repository.defaults.map(({ entry }) => repository.describe(entry.model, undefined));
}

function docsOf(parts: ServerParts, name: string | undefined): ReturnType<typeof docsPage> {
  const shown = findOrFirst(parts, name).entry.model;
  const served = parts.repository.defaults.map(({ entry }) => entry.model);
  return docsPage(
    parts.repository.describe(shown, undefined),
    served.filter((each) => each !== shown),
  );
}

function readiness(parts: ServerParts, fields: object): Reply {
  const state = parts.isDraining() ? 'draining' : parts.repository.state;
  const ready = state === 'ready';
  return json(ready ? 200 : 503, { ...fields, ready, ...(ready ? {} : { state }) });
}

function modelReadiness(parts: ServerParts, model: string, version: string | undefined): Reply {
  // Throws where the model is not ours; not loaded yet is an answer, which readiness gives.
  const ready = parts.repository.isLoaded(model, version);
  if (ready && !parts.isDraining()) return json(200, { name: model, ready });
  return readiness(parts, { name: model });
}

async function renderMetrics(parts: ServerParts): Promise<Reply> {
  const { contentType, text } = await parts.metrics.render();
  return { status: 200, body: text, headers: { 'content-type': contentType } };
}

function json(status: number, body: unknown): Reply {
  return { status, body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
}

function refuse(parts: ServerParts, error: unknown, refused: Refused): Reply {
  const { status, message, headers } = explainRefusal(error, refused, parts.logger);
  const refusal: ErrorResponse = { error: message };
  const reply = json(status, refusal);
  return { ...reply, headers: { ...reply.headers, ...headers } };
}

/** Their size is bounded by Node (431); many small ones cost more than they weigh. */
const maxHeaders = 200;

function refuseManyHeaders({ rawHeaders }: IncomingMessage): void {
  if (rawHeaders.length <= 2 * maxHeaders) return;
  throw new ProtocolError(
    'TooManyHeaders',
    `the request has ${String(rawHeaders.length / 2)} headers; send at most ${String(maxHeaders)}`,
  );
}

function send(response: ServerResponse, reply: Reply, headers: Record<string, string>): void {
  if (response.destroyed) return;
  // A text goes out with its headers in one write; bytes would be a second part of it.
  response.writeHead(reply.status, {
    ...reply.headers,
    ...headers,
    'content-length': Buffer.byteLength(reply.body),
  });
  response.end(reply.body);
}

function refuseMalformed(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, text] =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? ['431 Request Header Fields Too Large', 'the headers are too large']
      : ['400 Bad Request', 'this is not HTTP/1.1'];
  const body = JSON.stringify({ error: text });
  socket.end(
    `HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${String(body.length)}\r\n\r\n${body}`,
  );
}
