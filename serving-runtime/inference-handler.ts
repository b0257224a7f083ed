import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Admission, Caller } from './admission.ts';
import { HttpCaller } from './http-caller.ts';
import type { Answer, PreparedInference } from './infer.ts';
import { encodeAnswer, jsonLengthHeader, prepareInference } from './infer.ts';
import { ProtocolError } from './protocol/protocol-error.ts';
import { checkBodyHeaders, readBody } from './read-body.ts';
import type { ModelSignature } from './protocol/signature.ts';
import type { Tensor } from './tensors.ts';
import type { LoadedModel } from './repository.ts';
import type { InferenceStage, Metrics } from './telemetry/metrics.ts';

export type InferenceParts = {
  readonly admission: Admission;
  readonly metrics: Metrics;
  readonly maxBodyBytes: number;
  readonly timeoutMs: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
};

/** How a body becomes an inference, and its results an answer. */
export type Dialect = {
  readonly decode: (
    body: Buffer,
    request: IncomingMessage,
    signature: ModelSignature,
  ) => PreparedInference;
  readonly encode: (
    prepared: PreparedInference,
    results: readonly Tensor[],
    model: LoadedModel,
  ) => Answer;
};

/** JSON and the binary extension of the Open Inference Protocol. */
export const openInference: Dialect = {
  decode: (body, request, signature) =>
    prepareInference(body, headerOf(request, jsonLengthHeader), signature),
  encode: encodeAnswer,
};

/**
 * One inference request under its limits: a slot first, then the body, then the model, all before the
 * deadline. Work whose client has gone, or whose time is over, is not begun; an answer that is there
 * is sent.
 */
export async function handleInference(
  parts: InferenceParts,
  model: LoadedModel,
  { request, response, dialect = openInference }: HttpExchange,
): Promise<Answer> {
  const { admission, now } = parts;
  checkBodyHeaders(request, parts.maxBodyBytes);
  const started = now();
  const deadline = started + parts.timeoutMs;
  const caller = new HttpCaller(response, deadline);
  await admission.enter(caller);
  try {
    const entered = observe(parts, 'queue', started);
    const limits = { maxBytes: parts.maxBodyBytes, withinMs: Math.max(1, deadline - entered) };
    const body = await readBody(request, limits);
    const decode = () => dialect.decode(body, request, model.model.signature);
    return await infer(parts, model, caller, { decode, encode: dialect.encode });
  } finally {
    admission.release();
  }
}

export type HttpExchange = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly dialect?: Dialect;
};

type Asked = { readonly decode: () => PreparedInference; readonly encode: Dialect['encode'] };

async function infer(
  parts: InferenceParts,
  loaded: LoadedModel,
  caller: Caller,
  { decode, encode }: Asked,
): Promise<Answer> {
  const received = parts.now();
  const prepared = decode();
  const decoded = observe(parts, 'decode', received);
  const refusal = () => refusalOf(caller, parts.now());
  const over = refusal();
  if (over !== undefined) throw over;
  const results = await loaded.model.run({
    inputs: prepared.inputs,
    outputs: prepared.outputs.map(({ name }) => name),
    refusal,
  });
  const computed = observe(parts, 'compute', decoded);
  const answer = encode(prepared, results, loaded);
  observe(parts, 'encode', computed);
  return answer;
}

/** Why work for this caller must not begin now; undefined where it may. */
export function refusalOf(caller: Caller, now: number): ProtocolError | undefined {
  if (caller.isGone()) return new ProtocolError('RequestTimeout', 'the client went away');
  if (now <= caller.deadline) return undefined;
  return new ProtocolError(
    'DeadlineExceeded',
    'the time allowed passed before the model could begin',
  );
}

/** Records the stage that began at `since` and ends now; gives now. */
function observe(parts: InferenceParts, stage: InferenceStage, since: number): number {
  const now = parts.now();
  parts.metrics.inferenceStageTook(stage, (now - since) / 1000);
  return now;
}

function headerOf(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}
