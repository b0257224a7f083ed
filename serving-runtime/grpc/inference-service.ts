/** inference.GRPCInferenceService: the Open Inference Protocol v2. */
import { inferUnderLimits } from '../inference-handler.ts';
import { ProtocolError } from '../protocol/protocol-error.ts';
import type { TensorSignature } from '../protocol/signature.ts';
import type { Readiness } from '../readiness.ts';
import { recordInference } from '../record-inference.ts';
import { grpcExtensions, serverMetadata } from '../server-metadata.ts';
import type { Answered } from '../requests/request-log.ts';
import type { ServerParts } from '../server.ts';
import { receiveMessage } from './frames.ts';
import * as pb from './generated/inference_pb.js';
import { encodeMessage, prepareMessage } from './infer-messages.ts';
import type { Call, Methods } from './method.ts';
import { decodeMessage, unary } from './method.ts';
import { repositoryMethods } from './repository-methods.ts';

const path = (method: string): string => `/${pb.GRPCInferenceService.typeName}/${method}`;

export function inferenceService(parts: ServerParts, readiness: Readiness): Methods {
  const { repository } = parts;
  return {
    [path('ServerLive')]: unary(pb.ServerLiveRequestSchema, pb.ServerLiveResponseSchema, () => ({
      live: true,
    })),
    [path('ServerReady')]: unary(pb.ServerReadyRequestSchema, pb.ServerReadyResponseSchema, () => ({
      ready: readiness.isReady,
    })),
    [path('ModelReady')]: unary(
      pb.ModelReadyRequestSchema,
      pb.ModelReadyResponseSchema,
      ({ name, version }) => ({
        ready: repository.isLoaded(name, version || undefined) && readiness.isReady,
      }),
    ),
    [path('ServerMetadata')]: unary(
      pb.ServerMetadataRequestSchema,
      pb.ServerMetadataResponseSchema,
      () => ({ ...serverMetadata, extensions: [...grpcExtensions] }),
    ),
    [path('ModelMetadata')]: unary(
      pb.ModelMetadataRequestSchema,
      pb.ModelMetadataResponseSchema,
      (asked) => {
        const { name, versions, platform, inputs, outputs, parameters } = repository.describe(
          asked.name,
          asked.version || undefined,
        );
        return {
          ...{ name, platform, versions: [...versions] },
          ...{ inputs: inputs.map(describe), outputs: outputs.map(describe) },
          properties: { digest: parameters.digest, size_bytes: String(parameters.size_bytes) },
        };
      },
    ),
    ...repositoryMethods(parts, path),
    [path('ModelInfer')]: {
      ...{ kind: 'unary', isTraced: true },
      answer: (call) => modelInfer(parts, call),
    },
  };
}

const describe = ({ name, datatype, shape }: TensorSignature) => ({
  name,
  datatype,
  shape: shape.map(BigInt),
});

async function modelInfer(parts: ServerParts, call: Call): Promise<Uint8Array> {
  const { requestId: id, headers, caller } = call;
  const recorded = { id, headers, started: parts.now(), trace: caller.trace };
  const { repository } = parts;
  // Until its message is read, the default stands for whom it may ask.
  let subject = repository.subject(undefined, undefined);
  const record = (answered: Answered) => {
    if (subject !== undefined) recordInference(parts, subject, recorded, answered);
  };
  try {
    const answer = await inferUnderLimits(parts, call.caller, async (limits) => {
      const bytes = await receiveMessage(call.stream, limits);
      const message = decodeMessage(pb.ModelInferRequestSchema, bytes);
      const [name, version] = [message.modelName, message.modelVersion || undefined];
      subject = repository.subject(name, version);
      const model = repository.find(name, version);
      return {
        model,
        decode: () => prepareMessage(message, model.model.signature),
        encode: (prepared, results) => encodeMessage(message, prepared, results, model),
      };
    });
    record({ status: 200, exchange: answer.exchange });
    return answer.body as Buffer;
  } catch (error) {
    // The status that REST would answer.
    record({ status: error instanceof ProtocolError ? error.status : 500 });
    throw error;
  }
}
