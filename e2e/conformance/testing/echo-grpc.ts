/** The echo server's gRPC: its model gives its inputs back, and faults are put into it. */
import type { DescMessage, MessageInitShape } from '@bufbuild/protobuf';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import type { ServerHttp2Stream } from 'node:http2';
import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { frame } from '../../../serving-runtime/grpc/frames.ts';
import * as pb from '../../../serving-runtime/grpc/generated/inference_pb.js';
import { decodeBinaryTensor } from '../../../serving-runtime/binary-tensors.ts';
import { echoTensors } from './echo-server.ts';

export const grpcFaults = [
  ...['never ready', 'metadata without shapes', 'raw bytes swapped', 'lists not read', 'no id'],
  ...['all outputs always', 'unknown model served', 'raw size not checked', 'missing input taken'],
  ...['garbage ends it', 'unknown method answered'],
] as const;
export type GrpcFault = (typeof grpcFaults)[number] | 'none';

class Refusal extends Error {
  readonly status: number;
  constructor(status: number) {
    super('this is refused');
    this.status = status;
  }
}

export const startEchoGrpc = async (fault: GrpcFault) => {
  const server = createServer();
  const sessions = new Set<{ destroy: () => void }>();
  server.on('session', (session) => sessions.add(session));
  server.on('stream', (stream, headers) => {
    const chunks: Buffer[] = [];
    stream.on('error', () => undefined);
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => {
      const method = String(headers[':path']).split('/').at(-1) ?? '';
      answer(stream, () => respond(method, Buffer.concat(chunks).subarray(5), fault));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      for (const session of sessions) session.destroy();
      server.close();
    },
  };
};

const answer = (stream: ServerHttp2Stream, respondTo: () => Uint8Array): void => {
  const head = { ':status': 200, 'content-type': 'application/grpc' };
  try {
    const message = respondTo();
    stream.respond(head, { waitForTrailers: true });
    stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.end(frame(message));
  } catch (error) {
    const status = error instanceof Refusal ? error.status : 3;
    const trailers = { 'grpc-status': String(status), 'grpc-message': 'refused' };
    stream.respond({ ...head, ...trailers }, { endStream: true });
  }
};

const encode = <T extends DescMessage>(type: T, message: MessageInitShape<T>): Uint8Array =>
  toBinary(type, create(type, message));

const respond = (method: string, bytes: Buffer, fault: GrpcFault): Uint8Array => {
  switch (method) {
    case 'ServerLive':
      return encode(pb.ServerLiveResponseSchema, { live: true });
    case 'ServerReady':
      return encode(pb.ServerReadyResponseSchema, { ready: fault !== 'never ready' });
    case 'ModelReady':
      return encode(pb.ModelReadyResponseSchema, { ready: true });
    case 'ModelMetadata': {
      const tensors = echoTensors.map(({ name, datatype, shape }) => ({
        ...{ name, datatype },
        shape: fault === 'metadata without shapes' ? [] : shape.map(BigInt),
      }));
      return encode(pb.ModelMetadataResponseSchema, { inputs: tensors, outputs: tensors });
    }
    case 'ModelInfer':
      return infer(bytes, fault);
    default:
      if (fault === 'unknown method answered') return new Uint8Array();
      throw new Refusal(12);
  }
};

const infer = (bytes: Buffer, fault: GrpcFault): Uint8Array => {
  const asked = readRequest(bytes, fault);
  if (asked.modelName !== 'echo' && fault !== 'unknown model served') throw new Refusal(5);
  if (asked.inputs.length === 0 && fault !== 'missing input taken') throw new Refusal(3);
  const isRaw = asked.rawInputContents.length > 0;
  const tensors = asked.inputs.map(({ name, datatype, shape, contents }, i) => {
    const raw = asked.rawInputContents[i];
    if (raw === undefined) return { name, datatype, shape, contents: contents ?? {} };
    const bytesOf = fault === 'raw bytes swapped' ? Uint8Array.from(raw).reverse() : raw;
    return { name, datatype, shape, contents: {}, raw: checked(bytesOf, datatype, shape, fault) };
  });
  const all = fault === 'all outputs always' || asked.outputs.length === 0;
  const wanted = all ? tensors.map(({ name }) => name) : asked.outputs.map(({ name }) => name);
  const chosen = wanted.flatMap((name) => tensors.find((tensor) => tensor.name === name) ?? []);
  return encode(pb.ModelInferResponseSchema, {
    modelName: 'echo',
    id: fault === 'no id' ? '' : asked.id,
    outputs: chosen.map(({ name, datatype, shape, contents }) => ({
      ...{ name, datatype, shape },
      ...(isRaw || fault === 'lists not read' ? {} : { contents }),
    })),
    rawOutputContents: isRaw ? chosen.flatMap(({ raw }) => raw ?? []) : [],
  });
};

const readRequest = (bytes: Buffer, fault: GrpcFault): pb.ModelInferRequest => {
  try {
    return fromBinary(pb.ModelInferRequestSchema, bytes);
  } catch {
    throw new Refusal(fault === 'garbage ends it' ? 14 : 3);
  }
};

/** Throws where the bytes are not those of such a tensor. */
const checked = (
  bytes: Uint8Array,
  datatype: string,
  shape: readonly bigint[],
  fault: GrpcFault,
): Uint8Array => {
  if (fault === 'raw size not checked') return bytes;
  const input = { name: '', datatype: datatype as 'FP32', shape: shape.map(Number) };
  decodeBinaryTensor({ ...input, parameters: {}, data: undefined }, bytes);
  return bytes;
};
