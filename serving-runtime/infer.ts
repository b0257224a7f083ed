/** An inference from body to body: decode, check against the model, run, encode. */
import { binarySize, decodeBinaryTensor, encodeBinaryData } from './binary-tensors.ts';
import { parseLifted } from './lift-numbers.ts';
import { parseJson } from './parse-json.ts';
import type { InferenceRequest, RequestInput, RequestedOutput } from './protocol/messages.ts';
import { parseInferenceRequest } from './protocol/messages.ts';
import { invalidRequest } from './protocol/protocol-error.ts';
import type { ModelSignature, TensorSignature } from './protocol/signature.ts';
import { formatShape, shapeFits } from './protocol/signature.ts';
import type { LoadedModel } from './repository/loaded-model.ts';
import type { Exchange } from './requests/encode-record.ts';
import type { Tensor } from './tensors.ts';
import { decodeJsonTensor, encodeJsonData } from './tensors.ts';

/** The header that says how long the JSON is when raw tensors follow it. */
export const jsonLengthHeader = 'inference-header-content-length';

export type PreparedInference = {
  readonly id: string | undefined;
  readonly inputs: ReadonlyMap<string, Tensor>;
  readonly outputs: readonly PreparedOutput[];
  readonly parameters?: InferenceRequest['parameters'];
  /** Milliseconds its client gives it from here on, where it says so. */
  readonly timeoutMs?: number | undefined;
};

type PreparedOutput = { readonly name: string; readonly isBinary: boolean };

export type Answer = {
  readonly body: string | Buffer;
  readonly headers: Readonly<Record<string, string>>;
  /** What was computed of what, for the request log. */
  readonly exchange?: Exchange;
};

/**
 * Decodes a request's body and checks it against the model. `jsonLength` is the value of the header
 * above. Throws ProtocolError (400) naming the tensor at fault and what the model wants.
 */
export function prepareInference(
  body: Buffer,
  jsonLength: string | undefined,
  signature: ModelSignature,
): PreparedInference {
  const { json, tail } = splitBody(body, jsonLength);
  const lifted = hasLongIntegers(signature) ? undefined : parseLifted(json);
  const request = parseInferenceRequest(lifted ?? parseModelJson(json, signature));
  return prepareRequest(request, tail, signature);
}

/** The JSON of a body, with all digits of integers where the model has 64-bit ones. */
export function parseModelJson(json: Buffer, signature: ModelSignature): unknown {
  return parseJson(json, hasLongIntegers(signature));
}

const hasLongIntegers = ({ inputs }: ModelSignature): boolean =>
  inputs.some(({ datatype }) => datatype === 'INT64' || datatype === 'UINT64');

/** As prepareInference, of a request that is parsed; `tail` are its raw tensors. */
export function prepareRequest(
  request: InferenceRequest,
  tail: Buffer,
  signature: ModelSignature,
): PreparedInference {
  return completeRequest(request, decodeInputs(request, tail, signature), signature);
}

/** With what else it asks, however its tensors came. */
export function completeRequest(
  request: InferenceRequest,
  inputs: PreparedInference['inputs'],
  signature: ModelSignature,
): PreparedInference {
  const outputs = chooseOutputs(request, signature);
  const { id, parameters } = request;
  return { id, inputs, outputs, parameters, timeoutMs: timeoutOf(request) };
}

/** The parameter `timeout`, in microseconds as Triton has it. Throws ProtocolError (400) for anything else. */
function timeoutOf({ parameters: { timeout } }: InferenceRequest): number | undefined {
  if (timeout === undefined) return undefined;
  const microseconds = typeof timeout === 'bigint' ? Number(timeout) : timeout;
  if (Number.isSafeInteger(microseconds) && Number(microseconds) > 0)
    return Number(microseconds) / 1000;
  throw invalidRequest('parameters: timeout is no whole number of microseconds from 1 up');
}

function splitBody(body: Buffer, jsonLength: string | undefined) {
  if (jsonLength === undefined) return { json: body, tail: body.subarray(body.length) };
  const length = Number(jsonLength);
  if (!/^[0-9]+$/.test(jsonLength) || length > body.length) {
    throw invalidRequest(
      `Inference-Header-Content-Length is "${jsonLength}", which is no number up to the body's ${String(body.length)} bytes`,
    );
  }
  return { json: body.subarray(0, length), tail: body.subarray(length) };
}

function decodeInputs(
  request: InferenceRequest,
  tail: Buffer,
  signature: ModelSignature,
): ReadonlyMap<string, Tensor> {
  let offset = 0;
  const tensors = gatherInputs(request, signature, (input) => {
    const size = binarySize(input);
    const end = offset + (size ?? 0);
    if (end > tail.length) {
      throw invalidRequest(
        `input "${input.name}": binary_data_size reaches beyond the body's end; send its bytes after the JSON and the JSON's length in Inference-Header-Content-Length`,
      );
    }
    const tensor = decodeInput(input, tail.subarray(offset, end), size);
    offset = end;
    return tensor;
  });
  if (offset !== tail.length) {
    throw invalidRequest(
      `${String(tail.length - offset)} bytes after the JSON belong to no input; give each its binary_data_size`,
    );
  }
  return tensors;
}

/** All inputs of the model, by name, each checked before `decode` makes its tensor. */
export function gatherInputs(
  request: InferenceRequest,
  signature: ModelSignature,
  decode: (input: RequestInput, index: number) => Tensor,
): ReadonlyMap<string, Tensor> {
  const wanted = new Map(signature.inputs.map((input) => [input.name, input]));
  const tensors = new Map<string, Tensor>();
  for (const [i, input] of request.inputs.entries()) {
    checkInput(input, wanted.get(input.name), signature);
    tensors.set(input.name, decode(input, i));
  }
  const missing = signature.inputs.filter((input) => !tensors.has(input.name));
  if (missing.length > 0) {
    throw invalidRequest(
      `inputs: ${quoted(missing)} is missing; the model wants all of ${quoted(signature.inputs)}`,
    );
  }
  return tensors;
}

function decodeInput(input: RequestInput, bytes: Uint8Array, size: number | undefined): Tensor {
  if (size !== undefined) {
    if (input.data === undefined) return decodeBinaryTensor(input, bytes);
    throw invalidRequest(`input "${input.name}": has both data and binary_data_size; send one`);
  }
  if (input.data === undefined) {
    throw invalidRequest(`input "${input.name}": data is missing`);
  }
  return decodeJsonTensor(input, input.data);
}

function checkInput(
  input: RequestInput,
  wanted: TensorSignature | undefined,
  signature: ModelSignature,
): asserts wanted is TensorSignature {
  if (wanted === undefined) {
    throw invalidRequest(
      `inputs: the model has no input "${input.name}"; it has ${quoted(signature.inputs)}`,
    );
  }
  if (input.datatype !== wanted.datatype) {
    throw invalidRequest(
      `input "${input.name}": datatype is ${input.datatype}, the model wants ${wanted.datatype}`,
    );
  }
  if (!shapeFits(input.shape, wanted.shape)) {
    throw invalidRequest(
      `input "${input.name}": shape is ${formatShape(input.shape)}, the model wants ${formatShape(wanted.shape)} (-1 may be any size)`,
    );
  }
}

/** Those that were asked for, or all. Throws ProtocolError (400) for one the model has not. */
function chooseOutputs(
  request: InferenceRequest,
  signature: ModelSignature,
): readonly PreparedOutput[] {
  const all = request.parameters['binary_data_output'] === true;
  const requested: readonly RequestedOutput[] =
    request.outputs ?? signature.outputs.map(({ name }) => ({ name, parameters: {} }));
  return requested.map(({ name, parameters }) => {
    if (!signature.outputs.some((output) => output.name === name)) {
      throw invalidRequest(
        `outputs: the model has no output "${name}"; it has ${quoted(signature.outputs)}`,
      );
    }
    return {
      name,
      isBinary: parameters['binary_data'] === undefined ? all : parameters['binary_data'] === true,
    };
  });
}

function quoted(tensors: readonly { readonly name: string }[]): string {
  return tensors.map(({ name }) => `"${name}"`).join(', ');
}

/** Throws ProtocolError (422) for values JSON cannot carry. */
export function encodeAnswer(
  prepared: PreparedInference,
  results: readonly Tensor[],
  { entry }: Pick<LoadedModel, 'entry'>,
): Answer {
  const tails: Uint8Array[] = [];
  const outputs = prepared.outputs.map((output, i) => {
    const tensor = results[i];
    if (tensor === undefined) throw new Error(`the session gave no tensor for "${output.name}"`);
    return encodeOutput(output, tensor, tails);
  });
  const id = prepared.id === undefined ? '' : `"id":${JSON.stringify(prepared.id)},`;
  const json = `{"model_name":${JSON.stringify(entry.model)},"model_version":${JSON.stringify(entry.version)},${id}"outputs":[${outputs.join(',')}]}`;
  const exchange = {
    ...{ of: entry, inputs: prepared.inputs },
    ...{ outputNames: prepared.outputs, outputs: results },
  };
  if (tails.length === 0) {
    return { body: json, headers: { 'content-type': 'application/json' }, exchange };
  }
  const head = Buffer.from(json);
  return {
    body: Buffer.concat([head, ...tails]),
    headers: {
      'content-type': 'application/octet-stream',
      [jsonLengthHeader]: String(head.byteLength),
    },
    exchange,
  };
}

function encodeOutput(output: PreparedOutput, tensor: Tensor, tails: Uint8Array[]): string {
  const { name, isBinary } = output;
  const start = `{"name":${JSON.stringify(name)},"datatype":"${tensor.datatype}","shape":[${tensor.shape.join(',')}],`;
  if (!isBinary) return `${start}"data":${encodeJsonData(tensor, name)}}`;
  const bytes = encodeBinaryData(tensor);
  tails.push(bytes);
  return `${start}"parameters":{"binary_data_size":${String(bytes.byteLength)}}}`;
}
