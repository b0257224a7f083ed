/** Clients of a serving process: those that check every answer, and those that vanish. */
import { connect as connectTcp } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import {
  ModelInferRequestSchema,
  ModelInferResponseSchema,
} from '../../../serving-runtime/grpc/generated/inference_pb.js';
import { GrpcClient } from '../../../serving-runtime/testing/grpc-client.ts';

export type Addresses = { readonly httpUrl: string; readonly grpcUrl: string };

/** What went wrong, and which requests were answered. */
export type Tally = { readonly answered: Set<string>; readonly wrong: string[] };

const X = [1, 2, 3, 4];
const INFER = '/inference.GRPCInferenceService/ModelInfer';

/** Even versions answer 2 X, odd ones 3 X. */
const check = (version: string, data: readonly number[], { wrong }: Tally): void => {
  const factor = Number(version) % 2 === 0 ? 2 : 3;
  const isRight = X.every((value, i) => data[i] === factor * value);
  if (!isRight || data.length !== X.length)
    wrong.push(`version ${version} answered ${String(data)}`);
};

export const restClient = async (
  { httpUrl }: Addresses,
  name: string,
  tally: Tally,
  stop: AbortSignal,
) => {
  const body = JSON.stringify({
    inputs: [{ name: 'X', datatype: 'FP32', shape: [1, 4], data: X }],
  });
  for (let i = 0; !stop.aborted; i++) {
    const id = `${name}-${i}`;
    const response = await fetch(`${httpUrl}/v2/models/swapped/infer`, {
      ...{ method: 'POST', body, headers: { 'x-request-id': id } },
    });
    const text = await response.text();
    if (response.status !== 200) {
      tally.wrong.push(`REST ${response.status}: ${text}`);
      continue;
    }
    tally.answered.add(id);
    const { model_version: version, outputs } = JSON.parse(text) as {
      readonly model_version: string;
      readonly outputs: readonly { readonly data: readonly number[] }[];
    };
    check(version, outputs[0]?.data ?? [], tally);
    await delay(2);
  }
};

export const grpcCaller = async (
  { grpcUrl }: Addresses,
  name: string,
  tally: Tally,
  stop: AbortSignal,
) => {
  const client = new GrpcClient(grpcUrl);
  const raw = new Uint8Array(Float32Array.from(X).buffer);
  const inputs = [{ name: 'X', datatype: 'FP32', shape: [1n, 4n] }];
  const message = { modelName: 'swapped', inputs, rawInputContents: [raw] };
  for (let i = 0; !stop.aborted; i++) {
    const id = `${name}-${i}`;
    try {
      const types = [ModelInferRequestSchema, ModelInferResponseSchema] as const;
      const answer = await client.call(INFER, types, message, { 'x-request-id': id });
      tally.answered.add(id);
      const [bytes = new Uint8Array()] = answer.rawOutputContents;
      check(answer.modelVersion, [...new Float32Array(new Uint8Array(bytes).buffer)], tally);
    } catch (error) {
      tally.wrong.push(`gRPC: ${String(error)}`);
    }
    await delay(2);
  }
  client.close();
};

/** Keeps the heavy model's threads busy: a thread that dies must not cost an answer. */
export const heavyClient = async (
  { httpUrl }: Addresses,
  name: string,
  tally: Tally,
  stop: AbortSignal,
) => {
  const input = { name: 'steps', datatype: 'INT64', shape: [], data: [2000] };
  let first: string | undefined;
  for (let i = 0; !stop.aborted; i++) {
    const id = `${name}-${i}`;
    const response = await fetch(`${httpUrl}/v2/models/heavy/infer`, {
      ...{
        method: 'POST',
        body: JSON.stringify({ inputs: [input] }),
        headers: { 'x-request-id': id },
      },
    });
    const text = await response.text();
    first ??= text;
    if (response.status === 200) tally.answered.add(id);
    if (response.status !== 200 || text !== first)
      tally.wrong.push(`heavy ${response.status}: ${text}`);
  }
};

/** Goes away in the middle of its body, or right after it. */
export const vanishingClient = async ({ httpUrl }: Addresses, stop: AbortSignal) => {
  const port = Number(new URL(httpUrl).port);
  const body = JSON.stringify({
    inputs: [{ name: 'X', datatype: 'FP32', shape: [1, 4], data: X }],
  });
  const head = `POST /v2/models/swapped/infer HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n`;
  for (let i = 0; !stop.aborted; i++) {
    const socket = connectTcp(port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.end(head + body.slice(0, i % 2 === 0 ? 20 : body.length));
    await delay(5);
    socket.destroy();
    await delay(20);
  }
};
