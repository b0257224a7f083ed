import * as pb from '../../../serving-runtime/grpc/generated/inference_pb.js';
import { expectSame, expectThat, type Case } from '../case.ts';
import {
  ask,
  bytesByOutput,
  expectRefusedCall,
  inferByGrpc,
  listCall,
  rawCall,
  sendBytes,
} from '../grpc-calls.ts';
import { infer, rawBytesOf, wholeRequest } from '../inference.ts';
import type { Target } from '../target.ts';

/** Status codes: https://grpc.github.io/grpc/core/md_doc_statuscodes.html */
const [invalidArgument, notFound, unimplemented, internal] = [3, 5, 12, 13];

const wantedBytes = async (target: Target) => {
  const { outputs } = await infer(target, wholeRequest(target));
  return Object.fromEntries(
    outputs.map((output) => [output.name, rawBytesOf(output).toString('hex')]),
  );
};

const cutOff = (target: Target): readonly Uint8Array[] => {
  const [first = new Uint8Array(), ...rest] = rawCall(target).rawInputContents ?? [];
  return [first.subarray(1), ...rest];
};

/** gRPC: https://github.com/kserve/open-inference-protocol, inference_grpc.md; skipped without --grpc. */
export const grpcCases: readonly Case[] = [
  {
    name: 'gRPC: the server lives and is ready, and so is the model',
    check: async (target) => {
      const live = await ask(
        target,
        'ServerLive',
        [pb.ServerLiveRequestSchema, pb.ServerLiveResponseSchema],
        {},
      );
      const ready = await ask(
        target,
        'ServerReady',
        [pb.ServerReadyRequestSchema, pb.ServerReadyResponseSchema],
        {},
      );
      const model = await ask(
        target,
        'ModelReady',
        [pb.ModelReadyRequestSchema, pb.ModelReadyResponseSchema],
        { name: target.model },
      );
      expectSame([live.live, ready.ready, model.ready], [true, true, true], 'live, ready, ready');
    },
  },
  {
    name: 'gRPC: the metadata of the model is that of REST',
    check: async (target) => {
      const about = await ask(
        target,
        'ModelMetadata',
        [pb.ModelMetadataRequestSchema, pb.ModelMetadataResponseSchema],
        { name: target.model },
      );
      const brief = (
        tensors: readonly { name: string; datatype: string; shape: readonly unknown[] }[],
      ) => tensors.map(({ name, datatype, shape }) => [name, datatype, shape.map(Number)]);
      const { inputs, outputs } = target.metadata;
      expectSame(brief(about.inputs), brief(inputs), 'inputs');
      expectSame(brief(about.outputs), brief(outputs), 'outputs');
    },
  },
  {
    name: 'gRPC: raw tensors get the answer that JSON gets',
    check: async (target) => {
      const answer = await inferByGrpc(target, rawCall(target));
      expectSame(bytesByOutput(answer), await wantedBytes(target), 'bytes of outputs');
    },
  },
  {
    name: 'gRPC: lists get the answer that JSON gets',
    check: async (target) => {
      const answer = await inferByGrpc(target, listCall(target));
      expectSame(bytesByOutput(answer), await wantedBytes(target), 'bytes of outputs');
    },
  },
  {
    name: 'gRPC: the id and the model come back',
    check: async (target) => {
      const { id, modelName } = await inferByGrpc(target, rawCall(target, { id: 'a-b' }));
      expectSame([id, modelName], ['a-b', target.model], 'id and model');
    },
  },
  {
    name: 'gRPC: requested outputs come alone, in the order asked for',
    check: async (target) => {
      const names = target.metadata.outputs.map(({ name }) => name).reverse();
      for (const asked of [names, names.slice(0, 1)]) {
        const outputs = asked.map((name) => ({ name }));
        const answer = await inferByGrpc(target, rawCall(target, { outputs }));
        expectSame(
          answer.outputs.map(({ name }) => name),
          asked,
          'outputs',
        );
      }
    },
  },
  {
    name: 'gRPC: a model nobody has is NOT_FOUND',
    check: (target) =>
      expectRefusedCall(target, rawCall(target, { modelName: 'nobody-has-this' }), [notFound]),
  },
  {
    name: 'gRPC: raw bytes that are cut off are INVALID_ARGUMENT',
    check: (target) =>
      expectRefusedCall(target, rawCall(target, { rawInputContents: [...cutOff(target)] }), [
        invalidArgument,
      ]),
  },
  {
    name: 'gRPC: a missing input is INVALID_ARGUMENT',
    check: (target) => expectRefusedCall(target, { modelName: target.model }, [invalidArgument]),
  },
  {
    name: 'gRPC: bytes that are no message are refused',
    check: async (target) => {
      const bytes = Buffer.from([0, 0, 0, 0, 3, 255, 255, 255]);
      const { status } = await sendBytes(target, 'ModelInfer', bytes);
      expectThat([invalidArgument, internal].includes(status), 'status 3 or 13', status);
      await inferByGrpc(target, rawCall(target));
    },
  },
  {
    name: 'gRPC: an unknown method is UNIMPLEMENTED',
    check: async (target) => {
      const { status } = await sendBytes(target, 'NoSuchMethod', Buffer.alloc(5));
      expectSame(status, unimplemented, 'status');
    },
  },
];
