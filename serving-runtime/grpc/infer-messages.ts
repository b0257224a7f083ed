/** ModelInfer's messages ⇄ inferences. Pure. */
import { create, toBinary } from '@bufbuild/protobuf';
import { decodeBinaryTensor, encodeBinaryData } from '../binary-tensors.ts';
import type { Answer, PreparedInference } from '../infer.ts';
import { completeRequest, gatherInputs } from '../infer.ts';
import type { InferenceRequest } from '../protocol/messages.ts';
import { parseInferenceRequest } from '../protocol/messages.ts';
import { invalidRequest } from '../protocol/protocol-error.ts';
import type { ModelSignature } from '../protocol/signature.ts';
import type { LoadedModel } from '../repository/loaded-model.ts';
import type { Tensor } from '../tensors.ts';
import type { InferParameter, ModelInferRequest } from './generated/inference_pb.js';
import { ModelInferResponseSchema } from './generated/inference_pb.js';
import { decodeContents, encodeContents, hasContents } from './tensor-contents.ts';

/** Checks a message against the model. Throws ProtocolError (400) naming the tensor at fault. */
export function prepareMessage(
  message: ModelInferRequest,
  signature: ModelSignature,
): PreparedInference {
  const request = readRequest(message);
  const { inputs, rawInputContents: raw } = message;
  if (raw.length > 0 && raw.length !== inputs.length) {
    throw invalidRequest(
      `raw_input_contents has ${String(raw.length)} entries for ${String(inputs.length)} inputs; send one for each, or none`,
    );
  }
  const tensors = gatherInputs(request, signature, (input, i) => {
    const contents = inputs[i]?.contents;
    const bytes = raw[i];
    if (bytes === undefined) return decodeContents(input, contents);
    if (contents === undefined) return decodeBinaryTensor(input, bytes);
    throw invalidRequest(`input "${input.name}": has both contents and raw bytes; send one`);
  });
  return completeRequest(request, tensors, signature);
}

/** The same checks of form as for JSON. */
function readRequest({ id, parameters, inputs, outputs }: ModelInferRequest): InferenceRequest {
  return parseInferenceRequest({
    id: id === '' ? undefined : id,
    parameters: readParameters(parameters),
    inputs: inputs.map(({ name, datatype, shape }) => ({
      name,
      datatype,
      shape: shape.map(Number),
    })),
    outputs: outputs.map((output) => ({
      name: output.name,
      parameters: readParameters(output.parameters),
    })),
  });
}

type Parameters = Readonly<Record<string, InferParameter>>;

const readParameters = (parameters: Parameters): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    Object.entries(parameters).map(([name, { parameterChoice }]) => [name, parameterChoice.value]),
  );

/** Answers as it was asked: raw bytes to raw bytes and wherever a datatype has no list. */
export function encodeMessage(
  { rawInputContents, inputs }: ModelInferRequest,
  prepared: PreparedInference,
  results: readonly Tensor[],
  { entry }: Pick<LoadedModel, 'entry'>,
): Answer {
  const wasRaw = rawInputContents.length > 0 || inputs.length === 0;
  const isRaw = wasRaw || results.some(({ datatype }) => !hasContents(datatype));
  const message = create(ModelInferResponseSchema, {
    modelName: entry.model,
    modelVersion: entry.version,
    id: prepared.id ?? '',
    outputs: prepared.outputs.flatMap(({ name }, i) => {
      const tensor = results[i];
      if (tensor === undefined) throw new Error(`the session gave no tensor for "${name}"`);
      const { datatype, shape } = tensor;
      const contents = isRaw ? {} : { contents: encodeContents(tensor) };
      return [{ name, datatype, shape: shape.map(BigInt), ...contents }];
    }),
    rawOutputContents: isRaw ? results.map(encodeBinaryData) : [],
  });
  const bytes = toBinary(ModelInferResponseSchema, message);
  return {
    body: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    headers: {},
    exchange: {
      of: entry,
      inputs: prepared.inputs,
      outputNames: prepared.outputs,
      outputs: results,
    },
  };
}
