/** inference.GRPCInferenceService: the Open Inference Protocol v2. */
import { inferUnderLimits } from '../inference-handler.ts';
import { ProtocolError } from '../protocol/protocol-error.ts';
import type { TensorSignature } from '../protocol/signature.ts';
import type { Readiness } from '../readiness.ts';
import { recordInference } from '../record-inference.ts';
import { serverMetadata } from '../server-metadata.ts';
import type { ServerParts } from '../server.ts';
import { receiveMessage } from './frames.ts';
import * as pb from './generated/inference_pb.js';
import { encodeMessage, prepareMessage } from './infer-messages.ts';
import type { Call, Methods } from './method.ts';
import { decodeMessage, unary } from './method.ts';

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
      () => ({ ...serverMetadata, extensions: [] }),
    ),
    [path('ModelMetadata')]: unary(
      pb.ModelMetadataRequestSchema,
      pb.ModelMetadataResponseSchema,
      (asked) => {
        const { metadata } = repository.find(asked.name, asked.version || undefined);
        const { name, versions, platform, inputs, outputs, parameters } = metadata;
        return {
          ...{ name, platform, versions: [...versions] },
          ...{ inputs: inputs.map(describe), outputs: outputs.map(describe) },
          properties: { digest: parameters.digest, size_bytes: String(parameters.size_bytes) },
        };
      },
    ),
    [path('ModelInfer')]: { kind: 'unary', answer: (call) => modelInfer(parts, call) },
  };
}

const describe = ({ name, datatype, shape }: TensorSignature) => ({
  name,
  datatype,
  shape: shape.map(BigInt),
});

async function modelInfer(parts: ServerParts, call: Call): Promise<Uint8Array> {
  const recorded = { id: call.requestId, headers: call.headers, started: parts.now() };
  try {
    const answer = await inferUnderLimits(parts, call.caller, async (limits) => {
      const bytes = await receiveMessage(call.stream, limits);
      const message = decodeMessage(pb.ModelInferRequestSchema, bytes);
      const { modelName, modelVersion } = message;
      const model = parts.repository.find(modelName, modelVersion || undefined);
      return {
        model,
        decode: () => prepareMessage(message, model.model.signature),
        encode: (prepared, results) => encodeMessage(message, prepared, results, model),
      };
    });
    recordInference(parts, recorded, { status: 200, exchange: answer.exchange });
    return answer.body as Buffer;
  } catch (error) {
    const { code, status } =
      error instanceof ProtocolError ? error : { code: undefined, status: 500 };
    // The status that REST would answer; as there, what asks for another model is no request for the one that is served.
    if (code !== 'UnknownModel') recordInference(parts, recorded, { status });
    throw error;
  }
}
