import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Admission, Caller } from './admission.ts';
import type { Answer, PreparedInference } from './infer.ts';
import { encodeAnswer, jsonLengthHeader, prepareInference } from './infer.ts';
import { ProtocolError } from './protocol/protocol-error.ts';
import type { BodyLimits } from './read-body.ts';
import { checkBodyHeaders, readBody } from './read-body.ts';
import type { ModelSignature } from './protocol/signature.ts';
import type { Tensor } from './tensors.ts';
import type { LoadedModel } from './repository/loaded-model.ts';
import { StreamCaller } from './stream-caller.ts';
import type { RequestTrace } from './telemetry/request-trace.ts';
import type { InferenceStage } from './telemetry/model-metrics.ts';

export type InferenceParts = {
  readonly admission: Admission;
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

/** What a request turns out to ask, once its body is there. */
export type Asked = {
  readonly model: LoadedModel;
  readonly decode: () => PreparedInference;
  readonly encode: Dialect['encode'];
};

export type HttpExchange = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly trace?: RequestTrace | undefined;
  readonly dialect?: Dialect;
};

/** One inference over HTTP. `find` throws ProtocolError where the model is not served. */
export async function handleInference(
  parts: InferenceParts,
  find: () => LoadedModel,
  { request, response, trace, dialect = openInference }: HttpExchange,
): Promise<Answer> {
  // Before its body is received, and again after: another version may answer by then.
  find();
  checkBodyHeaders(request, parts.maxBodyBytes);
  const isGone = () => response.destroyed && !response.writableFinished;
  const deadline = parts.now() + parts.timeoutMs;
  const caller = new StreamCaller(response, { deadline, isGone, trace });
  return inferUnderLimits(parts, caller, async (limits) => {
    const body = await readBody(request, limits);
    const model = find();
    return {
      model,
      decode: () => dialect.decode(body, request, model.model.signature),
      encode: dialect.encode,
    };
  });
}

/**
 * One inference request under its limits: a slot first, then the body, then the model, all before the
 * deadline. Work whose client has gone, or whose time is over, is not begun; an answer that is there
 * is sent.
 */
export async function inferUnderLimits(
  parts: InferenceParts,
  caller: Caller,
  receive: (limits: BodyLimits) => Promise<Asked>,
): Promise<Answer> {
  const arrived = parts.now();
  await parts.admission.enter(caller);
  try {
    const entered = parts.now();
    const withinMs = Math.max(1, caller.deadline - entered);
    const asked = await receive({ maxBytes: parts.maxBodyBytes, withinMs });
    asked.model.metrics.inferenceStageTook('queue', (entered - arrived) / 1000);
    caller.trace?.stage('queue', arrived, entered);
    caller.trace?.stage('receive', entered, parts.now());
    return await infer(parts, caller, asked);
  } finally {
    parts.admission.release();
  }
}

async function infer(
  parts: InferenceParts,
  caller: Caller,
  { model, decode, encode }: Asked,
): Promise<Answer> {
  const received = parts.now();
  /** Records the stage that began at `since` and ends now; gives now. */
  const observe = (stage: InferenceStage, since: number) => {
    const now = parts.now();
    model.metrics.inferenceStageTook(stage, (now - since) / 1000);
    caller.trace?.stage(stage, since, now);
    return now;
  };
  const prepared = decode();
  const decoded = observe('decode', received);
  const deadline = Math.min(caller.deadline, received + (prepared.timeoutMs ?? Infinity));
  const refusal = () => refusalOf({ isGone: caller.isGone, deadline }, parts.now());
  const over = refusal();
  if (over !== undefined) throw over;
  const results = await model.model.run({
    inputs: prepared.inputs,
    outputs: prepared.outputs.map(({ name }) => name),
    refusal,
    parameters: prepared.parameters,
  });
  const computed = observe('compute', decoded);
  const answer = encode(prepared, results, model);
  observe('encode', computed);
  return answer;
}

/** Why work for this caller must not begin now; undefined where it may. */
export function refusalOf(
  caller: Pick<Caller, 'deadline' | 'isGone'>,
  now: number,
): ProtocolError | undefined {
  if (caller.isGone()) return new ProtocolError('RequestTimeout', 'the client went away');
  if (now <= caller.deadline) return undefined;
  return new ProtocolError(
    'DeadlineExceeded',
    'the time allowed passed before the model could begin',
  );
}

function headerOf(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}
