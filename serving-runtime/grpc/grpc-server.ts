/** gRPC on node:http2: every call gets a status, every status a reason. */
import type {
  IncomingHttpHeaders,
  Http2Server,
  ServerHttp2Session,
  ServerHttp2Stream,
} from 'node:http2';
import { constants, createServer } from 'node:http2';
import type { DrainableServer } from '../drain.ts';
import { explainRefusal } from '../explain-refusal.ts';
import { invalidRequest, ProtocolError } from '../protocol/protocol-error.ts';
import type { Readiness } from '../readiness.ts';
import { requestIdOf } from '../request-id.ts';
import type { ServerParts } from '../server.ts';
import { StreamCaller } from '../stream-caller.ts';
import { frame, FrameDecoder } from './frames.ts';
import { encodeStatusMessage, grpcStatus, parseGrpcTimeout, statusOf } from './grpc-status.ts';
import { healthService } from './health-service.ts';
import { inferenceService } from './inference-service.ts';
import type { Call, Method, Methods } from './method.ts';
import { smallMessage } from './method.ts';
import { reflectionService } from './reflection-service.ts';

export type GrpcParts = ServerParts & { readonly readiness: Readiness };

const mebibyte = 1024 ** 2;

export function createGrpcServer(parts: GrpcParts): DrainableServer {
  const methods: Methods = {
    ...inferenceService(parts, parts.readiness),
    ...healthService(parts.readiness),
    ...reflectionService(),
  };
  const server = createServer({
    // More calls than this wait at the client, and not in our memory.
    settings: { initialWindowSize: mebibyte, maxConcurrentStreams: 1000 },
    maxSessionMemory: 128,
  });
  const conversations = new Set<ServerHttp2Stream>();
  const serving = { ...parts, methods, conversations };
  server.on('stream', (stream, headers) => {
    // A stream that breaks off also closes, and that is what calls listen to.
    stream.on('error', () => undefined);
    void serve(serving, stream, headers);
  });
  server.on('sessionError', (error) => {
    parts.logger.debug({ error }, 'a connection is no HTTP/2');
  });
  return drainableSessions(server, conversations);
}

/** Conversations would go on for ever: they are ended with what is unused. */
function drainableSessions(
  server: Http2Server,
  conversations: ReadonlySet<ServerHttp2Stream>,
): DrainableServer {
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session) => {
    sessions.add(session);
    session.setLocalWindowSize(4 * mebibyte);
    session.once('close', () => sessions.delete(session));
  });
  return {
    server,
    announce: () => {
      // GOAWAY: calls at work go on; those it crosses were not begun, and clients send them again.
      for (const session of sessions) session.close();
    },
    closeUnused: () => {
      for (const stream of conversations) stream.close(constants.NGHTTP2_NO_ERROR);
      for (const session of sessions) session.close();
    },
  };
}

type Serving = GrpcParts & {
  readonly methods: Methods;
  readonly conversations: Set<ServerHttp2Stream>;
};

/** Never rejects: an error is a status. */
async function serve(
  parts: Serving,
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
): Promise<void> {
  const requestId = requestIdOf(headers, parts.newRequestId);
  try {
    if (!/^application\/grpc($|[+;])/.test(headers['content-type'] ?? '')) {
      stream.respond({ ':status': 415 }, { endStream: true });
      return;
    }
    const method = findMethod(parts.methods, headers);
    const deadline = parts.now() + timeoutOf(headers, parts.timeoutMs);
    const isGone = () => stream.aborted || stream.destroyed;
    const trace =
      method.kind === 'unary' && method.isTraced === true
        ? parts.tracing?.begin('infer', headers)
        : undefined;
    const caller = new StreamCaller(stream, { deadline, isGone, trace });
    const call = { stream, headers, requestId, caller };
    if (method.kind === 'streaming') converse(parts, method, call);
    else answer(stream, await method.answer(call), requestId);
  } catch (error) {
    refuse(stream, explainRefusal(error, { requestId, headers }, parts.logger), requestId);
  }
}

function findMethod(methods: Methods, headers: IncomingHttpHeaders): Method {
  const path = headers[':path'] as string;
  const method = Object.hasOwn(methods, path) ? methods[path] : undefined;
  if (method !== undefined) return method;
  throw new ProtocolError(
    'NotFound',
    `there is no method ${path.slice(0, 200)}; list them with grpcurl -plaintext <address> list`,
  );
}

function timeoutOf(headers: IncomingHttpHeaders, longest: number): number {
  const given = headers['grpc-timeout'];
  if (given === undefined) return longest;
  const ms = typeof given === 'string' ? parseGrpcTimeout(given) : undefined;
  if (ms === undefined) throw invalidRequest('grpc-timeout is no number with one of H M S m u n');
  return Math.min(ms, longest);
}

const accepted = (requestId: string) => ({
  ':status': 200,
  'content-type': 'application/grpc',
  'x-request-id': requestId,
});

function begin(stream: ServerHttp2Stream, requestId: string): void {
  stream.respond(accepted(requestId), { waitForTrailers: true });
  stream.once('wantTrailers', () => {
    stream.sendTrailers({ 'grpc-status': String(grpcStatus.OK) });
  });
}

function answer(stream: ServerHttp2Stream, message: Uint8Array, requestId: string): void {
  if (stream.destroyed) return;
  begin(stream, requestId);
  stream.end(frame(message));
}

function refuse(stream: ServerHttp2Stream, error: ProtocolError, requestId: string): void {
  if (stream.destroyed) return;
  if (stream.headersSent) {
    stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    return;
  }
  const after = error.headers['retry-after'];
  stream.respond(
    {
      ...accepted(requestId),
      'grpc-status': String(statusOf[error.code]),
      'grpc-message': encodeStatusMessage(error.message),
      // gRFC A6: when a client that retries by itself may try again.
      ...(after === undefined ? {} : { 'grpc-retry-pushback-ms': String(Number(after) * 1000) }),
    },
    { endStream: true },
  );
  // What is still being sent is not read.
  if (!stream.readableEnded) stream.close(constants.NGHTTP2_NO_ERROR);
}

function converse(
  { conversations, logger }: Serving,
  { converse: open }: Extract<Method, { readonly kind: 'streaming' }>,
  call: Call,
): void {
  const { stream, requestId, headers } = call;
  conversations.add(stream);
  stream.once('close', () => conversations.delete(stream));
  begin(stream, requestId);
  const conversation = open(call, (message) => {
    if (!stream.destroyed) stream.write(frame(message));
  });
  const decoder = new FrameDecoder(smallMessage.maxBytes);
  stream.on('data', (chunk: Buffer) => {
    try {
      for (const message of decoder.push(chunk)) conversation.received(message);
    } catch (error) {
      refuse(stream, explainRefusal(error, { requestId, headers }, logger), requestId);
    }
  });
  stream.on('end', () => {
    if (conversation.endsWithClient) stream.end();
  });
}
