/// <reference lib="es2025.float16" />
/** ONNX Runtime: the only file that knows it. */
import { dirname, resolve } from 'node:path';
import * as ort from 'onnxruntime-node';
import type { CastNames } from './bfloat16/cast-ends.ts';
import { readCastModel } from './bfloat16/model-file.ts';
import { ModelFailure } from './model-failure.ts';
import type { Datatype } from './protocol/datatypes.ts';
import { ProtocolError } from './protocol/protocol-error.ts';
import type { ModelSignature, TensorSignature } from './protocol/signature.ts';
import type { Tensor } from './tensors.ts';

/** A loaded model. `run` blocks the event loop for as long as the model computes. */
export type ModelSession = {
  readonly signature: ModelSignature;
  /** The wanted outputs, in the order of `outputs`. Throws a ProtocolError when the model refuses. */
  run(inputs: ReadonlyMap<string, Tensor>, outputs: readonly string[]): Promise<readonly Tensor[]>;
  close(): Promise<void>;
};

type OnnxType = ort.Tensor['type'];

const datatypeOfOnnx: Partial<Record<OnnxType, Datatype>> = {
  bool: 'BOOL',
  uint8: 'UINT8',
  uint16: 'UINT16',
  uint32: 'UINT32',
  uint64: 'UINT64',
  int8: 'INT8',
  int16: 'INT16',
  int32: 'INT32',
  int64: 'INT64',
  float16: 'FP16',
  float32: 'FP32',
  float64: 'FP64',
  string: 'BYTES',
};

const onnxOfDatatype = {
  ...Object.fromEntries(Object.entries(datatypeOfOnnx).map(([onnx, datatype]) => [datatype, onnx])),
  // Cast in the graph, see bfloat16/cast-ends.ts.
  BF16: 'float32',
} as Readonly<Record<Datatype, OnnxType>>;

const noCasts: CastNames = { inputs: new Map(), outputs: new Map() };

/**
 * Loads the ONNX file at `path`; weights in other files are read from its folder only (ONNX Runtime
 * refuses paths that leave it). One computation uses `threads` threads. Throws ModelFailure
 * `InvalidModel`.
 */
export async function openSession(
  path: string,
  { threads = 1 }: { readonly threads?: number } = {},
): Promise<ModelSession> {
  const model = readCastModel(path);
  const casts = model?.names ?? noCasts;
  let session: ort.InferenceSession;
  try {
    session = await load(model?.bytes ?? path, resolve(dirname(path)), threads);
  } catch (error) {
    throw new ModelFailure('InvalidModel', `the file does not load: ${onnxMessage(error)}`, {
      cause: error,
    });
  }
  try {
    return new OnnxSession(session, readSignature(session, casts), casts);
  } catch (error) {
    await session.release();
    throw error;
  }
}

function load(model: string | Uint8Array, folder: string, threads: number) {
  const options = {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    logSeverityLevel: 4,
  } as const;
  // Spinning threads burn the CPU quota of their neighbours between requests.
  const session = { intra_op: { allow_spinning: '0' } };
  if (typeof model === 'string') {
    return ort.InferenceSession.create(model, { ...options, extra: { session } });
  }
  // Bytes have no folder of their own; paths that leave this one are refused as for a file.
  const extra = { session: { ...session, model_external_initializers_file_folder_path: folder } };
  return ort.InferenceSession.create(model, { ...options, extra });
}

function readSignature(session: ort.InferenceSession, casts: CastNames): ModelSignature {
  const named = (role: 'input' | 'output') => {
    const names = new Map(Array.from(casts[`${role}s`], ([name, single]) => [single, name]));
    return (value: ort.InferenceSession.ValueMetadata): TensorSignature => {
      const signature = readTensorSignature(value, role);
      const name = names.get(value.name);
      return name === undefined ? signature : { ...signature, name, datatype: 'BF16' };
    };
  };
  return {
    inputs: session.inputMetadata.map(named('input')),
    outputs: session.outputMetadata.map(named('output')),
  };
}

function readTensorSignature(
  value: ort.InferenceSession.ValueMetadata,
  role: 'input' | 'output',
): TensorSignature {
  if (!value.isTensor) {
    throw new ModelFailure(
      'InvalidModel',
      `${role} "${value.name}" is a sequence or map, and only tensors can be served; for a scikit-learn classifier export with zipmap=False: to_onnx(model, X, options={"zipmap": False})`,
    );
  }
  const datatype = datatypeOfOnnx[value.type];
  if (datatype === undefined) {
    throw new ModelFailure(
      'InvalidModel',
      `${role} "${value.name}" is of type ${value.type}, which the Open Inference Protocol cannot carry; cast it in the graph`,
    );
  }
  // A named dimension is one that may vary; the protocol writes -1.
  const shape = value.shape.map((dimension) => (typeof dimension === 'number' ? dimension : -1));
  return { name: value.name, datatype, shape };
}

class OnnxSession implements ModelSession {
  readonly signature: ModelSignature;
  readonly #session: ort.InferenceSession;
  readonly #casts: CastNames;

  constructor(session: ort.InferenceSession, signature: ModelSignature, casts: CastNames) {
    this.#session = session;
    this.signature = signature;
    this.#casts = casts;
  }

  async run(
    inputs: ReadonlyMap<string, Tensor>,
    outputs: readonly string[],
  ): Promise<readonly Tensor[]> {
    const feeds: Record<string, ort.Tensor> = {};
    const casts = this.#casts;
    for (const [name, tensor] of inputs) feeds[casts.inputs.get(name) ?? name] = toOnnx(tensor);
    const fetches = outputs.map((name) => casts.outputs.get(name) ?? name);
    let results: ort.InferenceSession.ReturnType;
    try {
      results = await this.#session.run(feeds, fetches);
    } catch (error) {
      throw new ProtocolError(
        'InferenceFailed',
        `the model failed on these inputs: ${onnxMessage(error)}`,
        { cause: error },
      );
    }
    return outputs.map((name, i) => {
      const tensor = fromOnnx(name, results[fetches[i] ?? name]);
      return casts.outputs.has(name) ? { ...tensor, datatype: 'BF16' } : tensor;
    });
  }

  async close(): Promise<void> {
    await this.#session.release();
  }
}

function toOnnx({ datatype, shape, data }: Tensor): ort.Tensor {
  if (data instanceof Float16Array) return halfPrecision(shape, data);
  return new ort.Tensor(onnxOfDatatype[datatype], data, shape);
}

/**
 * onnxruntime-node 1.30 reads 0 bytes from a Float16Array, whose kind its N-API does not know, while
 * its Tensor class turns a Uint16Array into one; it reads the same fields from a plain object.
 */
function halfPrecision(dims: readonly number[], data: Float16Array): ort.Tensor {
  const bits = new Uint16Array(data.buffer, data.byteOffset, data.length);
  return { type: 'float16', dims, location: 'cpu', data: bits } as unknown as ort.Tensor;
}

function fromOnnx(name: string, value: ort.OnnxValue | undefined): Tensor {
  const datatype = value && datatypeOfOnnx[value.type];
  if (value === undefined || datatype === undefined) {
    throw new ProtocolError(
      'InferenceFailed',
      `output "${name}" came back empty or of a type that cannot be sent`,
    );
  }
  return { datatype, shape: value.dims, data: value.data };
}

/** ONNX Runtime's words without the paths of its build machine and of our cache. */
function onnxMessage(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text
    .replace(/^Load model from \S+ failed:/, '')
    .replace(/\/onnxruntime_src\/\S+\s/g, '')
    .trim();
}
