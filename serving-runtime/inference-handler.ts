import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Admission } from './admission.ts';
import type { Answer } from './infer.ts';
import { encodeAnswer, jsonLengthHeader, prepareInference, runInference } from './infer.ts';
import { ProtocolError } from './protocol/protocol-error.ts';
import { checkBodyHeaders, readBody } from './read-body.ts';
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

/**
 * One inference request under its limits: a slot first, then the body, then the model, all before the
 * deadline. Work whose client has gone, or whose time is over, is not begun; an answer that is there
 * is sent.
 */
export async function handleInference(
  parts: InferenceParts,
  model: LoadedModel,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<Answer> {
  const { admission, now } = parts;
  checkBodyHeaders(request, parts.maxBodyBytes);
  const started = now();
  const deadline = started + parts.timeoutMs;
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort();
  });
  await admission.enter({ deadline, gone: gone.signal });
  try {
    const entered = observe(parts, 'queue', started);
    const limits = { maxBytes: parts.maxBodyBytes, withinMs: Math.max(1, deadline - entered) };
    const body = await readBody(request, limits);
    return await infer(parts, model, body, {
      deadline,
      gone: gone.signal,
      jsonLength: headerOf(request, jsonLengthHeader),
    });
  } finally {
    admission.release();
  }
}

type Call = {
  readonly deadline: number;
  readonly gone: AbortSignal;
  readonly jsonLength: string | undefined;
};

async function infer(
  parts: InferenceParts,
  model: LoadedModel,
  body: Buffer,
  call: Call,
): Promise<Answer> {
  const received = parts.now();
  const prepared = prepareInference(body, call.jsonLength, model.session.signature);
  const decoded = observe(parts, 'decode', received);
  if (call.gone.aborted) throw new ProtocolError('RequestTimeout', 'the client went away');
  if (decoded > call.deadline) {
    throw new ProtocolError(
      'DeadlineExceeded',
      'the time allowed passed before the model could begin',
    );
  }
  const results = await runInference(prepared, model);
  const computed = observe(parts, 'compute', decoded);
  const answer = encodeAnswer(prepared, results, model);
  observe(parts, 'encode', computed);
  return answer;
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
