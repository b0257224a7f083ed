/** Inferences and what is said of their answers. */
import { expectThat, Mismatch } from './case.ts';
import { binaryOf, sampleInputs, type SampleInput } from './sample-request.ts';
import { call, jsonOf, type Reply, type Target } from './target.ts';

export type AnsweredOutput = {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly parameters?: Readonly<Record<string, unknown>>;
  readonly data?: readonly unknown[];
};

export type Answer = {
  readonly model_name: string;
  readonly id?: string;
  readonly outputs: readonly AnsweredOutput[];
};

export const inferUrl = ({ url, model }: Target): string => `${url}/v2/models/${model}/infer`;

export const inferReply = (target: Target, body: unknown): Promise<Reply> =>
  call(inferUrl(target), {
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

/** The answer to a request that must be answered. Throws `Mismatch`. */
export async function infer(target: Target, body: object): Promise<Answer> {
  const reply = await inferReply(target, body);
  if (reply.status !== 200) {
    throw new Mismatch(
      `wanted status 200, got ${reply.status}: ${reply.body.toString().slice(0, 200)}`,
    );
  }
  return answerOf(jsonOf(reply));
}

/** An output's values as raw bytes. */
export const rawBytesOf = (output: AnsweredOutput): Buffer =>
  binaryOf({ ...output, data: (output.data ?? []).flat(32) as SampleInput['data'] } as SampleInput);

export function answerOf(value: unknown): Answer {
  const { outputs } = value as Partial<Answer>;
  expectThat(Array.isArray(outputs), 'an answer with "outputs"', value);
  return value as Answer;
}

/** A request for everything the model has. */
export const wholeRequest = (target: Target, more: object = {}) => ({
  ...more,
  inputs: sampleInputs(target),
});

/** What is at fault in a refused request stands in {"error": "…"}, with a status of the client's. */
export async function expectRefusal(target: Target, body: unknown): Promise<void> {
  const reply = await inferReply(target, body);
  expectRefused(reply);
  const after = await inferReply(target, wholeRequest(target));
  expectThat(after.status === 200, 'the next request to be answered', after.status);
}

export function expectRefused(reply: Reply): void {
  expectThat(reply.status >= 400 && reply.status < 500, 'a status from 400 to 499', reply.status);
  const { error } = jsonOf(reply) as { error?: unknown };
  expectThat(typeof error === 'string' && error !== '', '{"error": "…"}', reply.body.toString());
}
