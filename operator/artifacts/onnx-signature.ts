import { type MessageTable, MalformedMessage, scanMessage } from './protobuf-scanner.ts';
import { foreignFormat } from './foreign-format.ts';
import { decodeOpset, decodeValueInfo, nameOf } from './onnx-value-info.ts';
import { InvalidModel } from './invalid-model.ts';

export type TensorSignature = {
  readonly name: string;
  /** As the Open Inference Protocol names it: FP32, INT64, BYTES, … */
  readonly datatype: string;
  /** -1 where the size is open (symbolic or unknown); `[-1]` also when the rank is unknown. */
  readonly shape: readonly number[];
};

export type OnnxSignature = {
  /** What a caller must send: graph inputs that no initializer fills. */
  readonly inputs: readonly TensorSignature[];
  readonly outputs: readonly TensorSignature[];
  /** Operator set versions by domain; the default domain is ''. */
  readonly opsets: Readonly<Record<string, number>>;
  readonly irVersion: number;
  /** Name and version of what wrote the file, when it says. */
  readonly producer: string;
  /** Weights lie in other files beside this one. */
  readonly externalData: boolean;
};

/** Names of initializers kept to tell them from inputs; real models have some thousands. */
const MAX_INITIALIZERS = 200_000;
const NAME_LIMIT = 64 * 1024;
const VALUE_INFO_LIMIT = 1024 * 1024;

type Draft = {
  irVersion: number;
  producer: string;
  producerVersion: string;
  graphs: number;
  opsets: Buffer[];
  initializers: Set<string>;
  inputs: Buffer[];
  outputs: Buffer[];
  externalData: boolean;
};

type Table = MessageTable<Draft>;

const text = (assign: (draft: Draft, value: string) => void) => ({
  limit: NAME_LIMIT,
  bytes: (draft: Draft, value: Buffer) => assign(draft, value.toString('utf8')),
});

// Field numbers: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3
const tensor: Table = {
  // Every large payload of a tensor (raw_data, float_data, …) is absent here, therefore skipped.
  13: { into: () => ({}), enter: (draft) => void (draft.externalData = true) },
  14: { varint: (draft, location) => void (draft.externalData ||= location === 1) },
};
const initializer: Table = {
  ...tensor,
  8: text((draft, name) => {
    if (draft.initializers.size >= MAX_INITIALIZERS)
      throw new MalformedMessage(`more than ${MAX_INITIALIZERS} initializers`);
    draft.initializers.add(name);
  }),
};
const sparse = (values: Table): Table => ({
  1: { into: () => values },
  2: { into: () => tensor },
});
const attribute: Table = {
  5: { into: () => tensor },
  6: { into: () => subgraph },
  10: { into: () => tensor },
  11: { into: () => subgraph },
  22: { into: () => sparse(tensor) },
  23: { into: () => sparse(tensor) },
};
const node: Table = { 5: { into: () => attribute } };
const subgraph: Table = {
  1: { into: () => node },
  5: { into: () => tensor },
  15: { into: () => sparse(tensor) },
};
const graph: Table = {
  1: { into: () => node },
  5: { into: () => initializer },
  11: { limit: VALUE_INFO_LIMIT, bytes: (draft, value) => void draft.inputs.push(value) },
  12: { limit: VALUE_INFO_LIMIT, bytes: (draft, value) => void draft.outputs.push(value) },
  15: { into: () => sparse(initializer) },
};
const model: Table = {
  1: { varint: (draft, version) => void (draft.irVersion = version) },
  2: text((draft, name) => void (draft.producer = name)),
  3: text((draft, version) => void (draft.producerVersion = version)),
  7: { into: () => graph, enter: (draft) => void draft.graphs++ },
  8: { limit: NAME_LIMIT, bytes: (draft, value) => void draft.opsets.push(value) },
  25: { into: () => ({ 7: { into: () => node } }) },
};

/**
 * Reads what a model takes and gives from the stream of its ONNX file, in one pass and constant
 * memory: weights are skipped, so a file of gigabytes costs its I/O only.
 *
 * Throws `InvalidModel` for what is not a whole ONNX file or cannot be served. The iterator is left
 * where reading stopped: not closed, so that the caller can go on hashing the rest.
 */
export const readOnnxSignature = async (
  chunks: AsyncIterator<Uint8Array>,
): Promise<OnnxSignature> => {
  const draft: Draft = {
    irVersion: 0,
    producer: '',
    producerVersion: '',
    graphs: 0,
    opsets: [],
    initializers: new Set(),
    inputs: [],
    outputs: [],
    externalData: false,
  };
  const head = new FileHead(chunks);
  try {
    await scanMessage(head, model, draft);
    return signatureOf(draft);
  } catch (error) {
    if (error instanceof MalformedMessage) throw await refusal(head, draft, error);
    throw error;
  }
};

const signatureOf = (draft: Draft): OnnxSignature => {
  if (draft.irVersion === 0 || draft.opsets.length === 0)
    throw new MalformedMessage('the file names no format version or operator set', true);
  if (draft.graphs === 0) throw new MalformedMessage('the file holds no graph', true);
  const outputs = draft.outputs.map(decodeValueInfo);
  if (outputs.length === 0) throw new InvalidModel('NotServable', 'the graph has no outputs');
  return {
    inputs: draft.inputs
      .filter((info) => !draft.initializers.has(nameOf(info)))
      .map(decodeValueInfo),
    outputs,
    opsets: Object.fromEntries(draft.opsets.map(decodeOpset)),
    irVersion: draft.irVersion,
    producer: `${draft.producer} ${draft.producerVersion}`.trim(),
    externalData: draft.externalData,
  };
};

/** A foreign format says so; a file that began well was cut off; the rest is not ONNX. */
const refusal = async (
  head: FileHead,
  draft: Draft,
  error: MalformedMessage,
): Promise<InvalidModel> => {
  const foreign = foreignFormat(await head.bytes());
  if (foreign !== undefined) return new InvalidModel('NotOnnx', foreign, error);
  if (error.truncated && draft.irVersion > 0)
    return new InvalidModel(
      'Truncated',
      `the file is cut off (${error.message}); upload it again`,
      error,
    );
  return new InvalidModel('NotOnnx', `the file is not an ONNX model (${error.message})`, error);
};

/** Passes chunks on and remembers the first bytes, by which other formats are known. */
class FileHead implements AsyncIterator<Uint8Array> {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #head = Buffer.alloc(0);

  constructor(chunks: AsyncIterator<Uint8Array>) {
    this.#chunks = chunks;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    const result = await this.#chunks.next();
    if (!result.done && this.#head.length < HEAD_BYTES)
      this.#head = Buffer.concat([this.#head, result.value]).subarray(0, HEAD_BYTES);
    return result;
  }

  /** Reads on when too little has been read to judge. */
  async bytes(): Promise<Buffer> {
    while (this.#head.length < HEAD_BYTES && !(await this.next()).done);
    return this.#head;
  }
}

const HEAD_BYTES = 64;
