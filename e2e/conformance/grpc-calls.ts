/** Calls of a server's gRPC, and what is said of their answers. */
import type { DescMessage, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import { create, toBinary } from '@bufbuild/protobuf';
import { frame } from '../../serving-runtime/grpc/frames.ts';
import * as pb from '../../serving-runtime/grpc/generated/inference_pb.js';
import type { GrpcReply } from '../../serving-runtime/testing/grpc-client.ts';
import { GrpcClient } from '../../serving-runtime/testing/grpc-client.ts';
import { expectThat, NotApplicable } from './case.ts';
import { binaryOf, sampleInputs, type SampleInput } from './sample-request.ts';
import type { Datatype, Target } from './target.ts';

const service = '/inference.GRPCInferenceService/';

/** With a connection that is closed in the end. Throws `NotApplicable` where no address was given. */
const withClient = async <T>({ grpc }: Target, use: (client: GrpcClient) => Promise<T>) => {
  if (grpc === undefined) throw new NotApplicable('no address for gRPC was given');
  const client = new GrpcClient(grpc);
  try {
    return await use(client);
  } finally {
    client.close();
  }
};

export const ask = <I extends DescMessage, O extends DescMessage>(
  target: Target,
  method: string,
  types: readonly [I, O],
  message: MessageInitShape<I>,
): Promise<MessageShape<O>> =>
  withClient(target, (client) => client.call(service + method, types, message));

export const sendBytes = (target: Target, method: string, bytes: Uint8Array): Promise<GrpcReply> =>
  withClient(target, (client) => client.send(service + method, bytes));

export type InferRequest = MessageInitShape<typeof pb.ModelInferRequestSchema>;

export const inferByGrpc = (target: Target, request: InferRequest) =>
  ask(target, 'ModelInfer', [pb.ModelInferRequestSchema, pb.ModelInferResponseSchema], request);

/** What is refused has a status of the client's and a reason, and does not harm the next call. */
export const expectRefusedCall = async (
  target: Target,
  request: InferRequest,
  statuses: readonly number[],
): Promise<void> => {
  const message = create(pb.ModelInferRequestSchema, request);
  const bytes = frame(toBinary(pb.ModelInferRequestSchema, message));
  const { status, message: reason } = await sendBytes(target, 'ModelInfer', bytes);
  expectThat(statuses.includes(status), `status ${statuses.join(' or ')}`, status);
  expectThat(reason !== '', 'a reason', reason);
  await inferByGrpc(target, rawCall(target));
};

/** A request for everything, with raw tensors. */
export const rawCall = (target: Target, more: InferRequest = {}): InferRequest => ({
  modelName: target.model,
  inputs: sampleInputs(target).map(({ name, datatype, shape }) => ({
    ...{ name, datatype, shape: shape.map(BigInt) },
  })),
  rawInputContents: sampleInputs(target).map(binaryOf),
  ...more,
});

/** The same with lists. */
export const listCall = (target: Target): InferRequest => ({
  modelName: target.model,
  inputs: sampleInputs(target).map((input) => ({
    ...{ name: input.name, datatype: input.datatype, shape: input.shape.map(BigInt) },
    contents: { [fieldOf(input.datatype)]: listOf(input) },
  })),
});

const fieldOf = (datatype: Datatype) => {
  if (/^(FP16|BF16)$/.test(datatype)) throw new NotApplicable(`${datatype} has no list`);
  if (datatype === 'BOOL') return 'boolContents';
  if (datatype === 'BYTES') return 'bytesContents';
  if (datatype === 'INT64') return 'int64Contents';
  if (datatype === 'UINT64') return 'uint64Contents';
  if (datatype === 'FP32') return 'fp32Contents';
  if (datatype === 'FP64') return 'fp64Contents';
  return datatype.startsWith('U') ? 'uintContents' : 'intContents';
};

const listOf = ({ datatype, data }: SampleInput): readonly unknown[] => {
  if (datatype === 'BYTES') return data.map((text) => Buffer.from(String(text)));
  return datatype.endsWith('INT64') ? data.map((value) => BigInt(value)) : data;
};

/** The bytes of each output, however they came, in hexadecimal. */
export const bytesByOutput = ({ outputs, rawOutputContents }: pb.ModelInferResponse) =>
  Object.fromEntries(
    outputs.map(({ name, datatype, shape, contents }, i) => {
      const raw = rawOutputContents[i];
      if (raw !== undefined) return [name, Buffer.from(raw).toString('hex')];
      const kind = datatype as Datatype;
      const values = (contents?.[fieldOf(kind)] ?? []) as readonly unknown[];
      const data = values.map(plain);
      return [
        name,
        binaryOf({ name, datatype: kind, shape: shape.map(Number), data }).toString('hex'),
      ];
    }),
  );

const plain = (value: unknown): number | boolean | string => {
  if (value instanceof Uint8Array) return Buffer.from(value).toString();
  return typeof value === 'bigint' ? Number(value) : (value as number | boolean);
};
