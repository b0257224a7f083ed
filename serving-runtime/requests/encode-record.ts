/** A request and its answer as one line of JSON. Pure. */
import type { ModelIdentity } from '../model-identity.ts';
import type { Tensor } from '../tensors.ts';

/** The tensors of a request; nobody changes them once it is answered. */
export type Exchange = {
  /** Who answered. */
  readonly of: ModelIdentity;
  readonly inputs: ReadonlyMap<string, Tensor>;
  readonly outputNames: readonly { readonly name: string }[];
  readonly outputs: readonly Tensor[];
};

/** What is known of a request when it has its answer; references only. */
export type CapturedRequest = {
  readonly of: ModelIdentity;
  readonly id: string;
  readonly unit: string | undefined;
  readonly variant: string | undefined;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly status: number;
  readonly latencyMs: number;
  /** Of the trace its client said it is in. */
  readonly traceId?: string | undefined;
  /** Absent where the request was refused before it had tensors, or failed. */
  readonly exchange: Exchange | undefined;
};

export type RecordOptions = {
  readonly logMode: 'all' | 'request' | 'response';
  readonly redact: ReadonlySet<string>;
};

/** The line of a PredictionRecord, without its end. */
export function encodeRecord(captured: CapturedRequest, options: RecordOptions): string {
  const { of, id, unit, variant, at, status, latencyMs, exchange } = captured;
  let line = `{"type":"prediction","id":${JSON.stringify(id)},"time":"${new Date(at).toISOString()}"`;
  if (unit !== undefined) line += `,"unit":${JSON.stringify(unit)}`;
  if (captured.traceId !== undefined) line += `,"traceId":"${captured.traceId}"`;
  if (variant !== undefined) line += `,"variant":${JSON.stringify(variant)}`;
  line += `,"model":${JSON.stringify(of.model)},"version":${JSON.stringify(of.version)}`;
  line += `,"status":${String(status)}`;
  line += `,"latencyMs":${String(Math.round(latencyMs * 1000) / 1000)}`;
  if (exchange === undefined) return `${line}}`;
  if (options.logMode !== 'response') line += `,"inputs":[${inputsOf(exchange, options.redact)}]`;
  if (options.logMode !== 'request') line += `,"outputs":[${outputsOf(exchange)}]`;
  return `${line}}`;
}

function inputsOf({ inputs }: Exchange, redact: ReadonlySet<string>): string {
  const encoded: string[] = [];
  for (const [name, tensor] of inputs) encoded.push(encodeTensor(name, tensor, redact.has(name)));
  return encoded.join(',');
}

function outputsOf({ outputNames, outputs }: Exchange): string {
  return outputs
    .map((tensor, i) => encodeTensor(outputNames[i]?.name ?? '', tensor, false))
    .join(',');
}

function encodeTensor(name: string, tensor: Tensor, isRedacted: boolean): string {
  const head = `{"name":${JSON.stringify(name)},"datatype":"${tensor.datatype}","shape":[${tensor.shape.join(',')}]`;
  return isRedacted ? `${head},"redacted":true}` : `${head},"data":[${encodeData(tensor)}]}`;
}

function encodeData({ datatype, data }: Tensor): string {
  if (datatype === 'BYTES') return JSON.stringify(data).slice(1, -1);
  if (datatype === 'BOOL') {
    return Array.from(data as Uint8Array, (value) => value !== 0).join(',');
  }
  const text = data.join(',');
  // JSON has no word for these, and a log must not lose which it was. No number has an "N" or an "I".
  return /[NI]/.test(text) ? text.replace(/NaN|-?Infinity/g, '"$&"') : text;
}

/** About how much memory a request holds while it waits: its tensors, and the rest lumped together. */
export function sizeOf({ exchange }: CapturedRequest): number {
  if (exchange === undefined) return overheadBytes;
  let bytes = overheadBytes;
  for (const tensor of exchange.inputs.values()) bytes += tensorBytes(tensor);
  for (const tensor of exchange.outputs) bytes += tensorBytes(tensor);
  return bytes;
}

const overheadBytes = 512;

function tensorBytes({ data }: Tensor): number {
  if (ArrayBuffer.isView(data)) return data.byteLength;
  let bytes = 0;
  for (const text of data) bytes += 2 * text.length + 16;
  return bytes;
}
