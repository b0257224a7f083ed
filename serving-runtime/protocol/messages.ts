/** Bodies of the Open Inference Protocol v2 over REST, and the parser of an inference request. */
import type { Datatype } from './datatypes.ts';
import { datatypes, isDatatype } from './datatypes.ts';
import { isRecord } from './is-record.ts';
import { invalidRequest } from './protocol-error.ts';
import type { TensorSignature } from './signature.ts';

type Parameters = Readonly<Record<string, unknown>>;

/** An array of a body; flat numbers may come without being boxed. */
export type JsonValues = readonly unknown[] | Float64Array;

export type RequestInput = {
  readonly name: string;
  readonly shape: readonly number[];
  readonly datatype: Datatype;
  readonly parameters: Parameters;
  /** Flat or nested as `shape`; absent when the tensor follows the JSON in binary form. */
  readonly data: JsonValues | undefined;
};

export type RequestedOutput = { readonly name: string; readonly parameters: Parameters };

export type InferenceRequest = {
  readonly id: string | undefined;
  readonly parameters: Parameters;
  readonly inputs: readonly RequestInput[];
  /** `undefined`: all outputs of the model, in its order. */
  readonly outputs: readonly RequestedOutput[] | undefined;
};

type ResponseOutput = {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly parameters?: Parameters;
  readonly data?: readonly unknown[];
};

export type InferenceResponse = {
  readonly model_name: string;
  readonly model_version: string;
  readonly id?: string;
  readonly outputs: readonly ResponseOutput[];
};

export type ServerMetadata = {
  readonly name: string;
  readonly version: string;
  readonly extensions: readonly string[];
};

export type ModelMetadata = {
  readonly name: string;
  readonly versions: readonly string[];
  readonly platform: string;
  readonly inputs: readonly TensorSignature[];
  readonly outputs: readonly TensorSignature[];
  /** `digest`: the SHA-256 the loaded bytes were verified against. */
  readonly parameters: { readonly digest: string; readonly size_bytes: number };
};

export type ErrorResponse = { readonly error: string };

/** No tensor of practice has more; it bounds how deep nested data is walked. */
const maximumRank = 32;

/**
 * Checks the form of an inference request; what depends on the model (names, shapes, datatypes) is
 * checked where the tensors are decoded. Throws a ProtocolError (400) naming the field.
 */
export function parseInferenceRequest(body: unknown): InferenceRequest {
  if (!isRecord(body)) {
    throw invalidRequest('the body is not a JSON object; send {"inputs": [...]}');
  }
  return {
    id: parseId(body['id']),
    parameters: parseParameters(body['parameters'], 'parameters'),
    inputs: parseInputs(body['inputs']),
    outputs: parseOutputs(body['outputs']),
  };
}

function parseId(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw invalidRequest('id: is not a string; quote it or leave it');
  return value;
}

function parseParameters(value: unknown, where: string): Parameters {
  if (value === undefined || value === null) return {};
  if (!isRecord(value)) throw invalidRequest(`${where}: is not an object of names and values`);
  return value;
}

function parseName(value: unknown, where: string): string {
  if (typeof value !== 'string' || value === '') {
    throw invalidRequest(`${where}.name: is missing or not a string; give the tensor's name`);
  }
  return value;
}

function parseInputs(value: unknown): readonly RequestInput[] {
  if (!Array.isArray(value) || value.length === 0) {
    throw invalidRequest('inputs: is missing or empty; send one entry for each input of the model');
  }
  return refuseRepeats(
    value.map((entry: unknown, i) => parseInput(entry, `inputs[${String(i)}]`)),
    'inputs',
  );
}

function parseInput(entry: unknown, where: string): RequestInput {
  if (!isRecord(entry)) throw invalidRequest(`${where}: is not an object`);
  const name = parseName(entry['name'], where);
  const at = `input "${name}"`;
  const datatype = entry['datatype'];
  if (!isDatatype(datatype)) {
    throw invalidRequest(
      `${at}: datatype is missing or unknown; use one of ${datatypes.join(', ')}`,
    );
  }
  const data = entry['data'];
  if (data !== undefined && !Array.isArray(data) && !(data instanceof Float64Array)) {
    throw invalidRequest(`${at}: data is not an array`);
  }
  return {
    name,
    datatype,
    data,
    shape: parseShape(entry['shape'], at),
    parameters: parseParameters(entry['parameters'], `${at}: parameters`),
  };
}

function parseShape(value: unknown, at: string): readonly number[] {
  if (!Array.isArray(value) || value.length > maximumRank) {
    throw invalidRequest(
      `${at}: shape is missing or no array of at most ${String(maximumRank)} numbers`,
    );
  }
  return value.map((dimension: unknown) => {
    if (!Number.isSafeInteger(dimension) || Number(dimension) < 0) {
      throw invalidRequest(
        `${at}: shape has ${describe(dimension)} for a dimension, which is no whole number from 0 up; send the tensor's actual size`,
      );
    }
    return Number(dimension);
  });
}

function describe(value: unknown): string {
  return typeof value === 'number' ? String(value) : 'something else';
}

function parseOutputs(value: unknown): readonly RequestedOutput[] | undefined {
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value)) throw invalidRequest('outputs: is not an array; leave it out for all');
  if (value.length === 0) return undefined;
  const outputs = value.map((entry: unknown, i) => {
    const where = `outputs[${String(i)}]`;
    if (!isRecord(entry)) throw invalidRequest(`${where}: is not an object`);
    const parameters = parseParameters(entry['parameters'], `${where}.parameters`);
    if (Number(parameters['classification'] ?? 0) > 0) {
      throw invalidRequest(
        `${where}: the classification extension is not served; ask for the tensor`,
      );
    }
    return { name: parseName(entry['name'], where), parameters };
  });
  return refuseRepeats(outputs, 'outputs');
}

function refuseRepeats<T extends { readonly name: string }>(
  entries: readonly T[],
  where: string,
): readonly T[] {
  const seen = new Set<string>();
  for (const { name } of entries) {
    if (seen.has(name)) throw invalidRequest(`${where}: "${name}" is given twice; send it once`);
    seen.add(name);
  }
  return entries;
}
