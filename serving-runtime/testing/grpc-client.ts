/** A gRPC client for tests: one connection, unary calls, and the first answers of a stream. */
import type { DescMessage, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { once } from 'node:events';
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import { connect } from 'node:http2';
import { frame, FrameDecoder } from '../grpc/frames.ts';

export type GrpcReply = {
  readonly status: number;
  readonly message: string;
  readonly headers: IncomingHttpHeaders;
  readonly bodies: readonly Buffer[];
};

export class GrpcClient {
  readonly session: ClientHttp2Session;

  constructor(url: string) {
    this.session = connect(url);
    this.session.on('error', () => undefined);
  }

  open(path: string, headers: Readonly<Record<string, string>> = {}): ClientHttp2Stream {
    return this.session.request({
      ...{ ':method': 'POST', ':path': path, te: 'trailers' },
      ...{ 'content-type': 'application/grpc', ...headers },
    });
  }

  /** Sends bytes as they are and waits for the end. */
  async send(
    path: string,
    bytes: Uint8Array,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<GrpcReply> {
    const stream = this.open(path, headers);
    stream.end(bytes);
    return replyOf(stream);
  }

  async call<I extends DescMessage, O extends DescMessage>(
    path: string,
    [input, output]: readonly [I, O],
    message: MessageInitShape<I>,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<MessageShape<O>> {
    const bytes = frame(toBinary(input, create(input, message)));
    const reply = await this.send(path, bytes, headers);
    const [body] = reply.bodies;
    if (reply.status !== 0 || body === undefined) {
      throw Object.assign(new Error(reply.message), { status: reply.status });
    }
    return fromBinary(output, body);
  }

  close(): void {
    this.session.destroy();
  }
}

export async function replyOf(stream: ClientHttp2Stream): Promise<GrpcReply> {
  let headers: IncomingHttpHeaders = {};
  let trailers: IncomingHttpHeaders = {};
  const bodies: Buffer[] = [];
  const decoder = new FrameDecoder(1e9);
  stream.on('response', (got: IncomingHttpHeaders) => (headers = got));
  stream.on('trailers', (got: IncomingHttpHeaders) => (trailers = got));
  stream.on('data', (chunk: Buffer) => bodies.push(...decoder.push(chunk)));
  await once(stream, 'close');
  const all = { ...headers, ...trailers };
  return {
    status: Number(all['grpc-status'] ?? -1),
    message: decodeURIComponent(String(all['grpc-message'] ?? '')),
    headers: all,
    bodies,
  };
}
