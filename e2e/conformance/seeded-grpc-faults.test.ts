import { describe, expect, test } from '@jest/globals';
import { runCases } from './run-cases.ts';
import { openTarget } from './target.ts';
import { grpcFaults, startEchoGrpc, type GrpcFault } from './testing/echo-grpc.ts';
import { startEchoServer } from './testing/echo-server.ts';

const failures = async (fault: GrpcFault): Promise<readonly string[]> => {
  const [rest, grpc] = await Promise.all([startEchoServer('none'), startEchoGrpc(fault)]);
  const target = { ...(await openTarget(rest.url, 'echo')), grpc: grpc.url };
  const failed: string[] = [];
  for await (const { name, outcome } of runCases(target)) if (outcome !== 'ok') failed.push(name);
  await rest.close();
  grpc.close();
  return failed;
};

const caughtBy: Readonly<Record<Exclude<GrpcFault, 'none'>, string>> = {
  'never ready': 'the server lives and is ready, and so is the model',
  'metadata without shapes': 'the metadata of the model is that of REST',
  'raw bytes swapped': 'raw tensors get the answer that JSON gets',
  'lists not read': 'lists get the answer that JSON gets',
  'no id': 'the id and the model come back',
  'all outputs always': 'requested outputs come alone, in the order asked for',
  'unknown model served': 'a model nobody has is NOT_FOUND',
  'raw size not checked': 'raw bytes that are cut off are INVALID_ARGUMENT',
  'missing input taken': 'a missing input is INVALID_ARGUMENT',
  'garbage ends it': 'bytes that are no message are refused',
  'unknown method answered': 'an unknown method is UNIMPLEMENTED',
};

describe('the gRPC part of the conformance suite', () => {
  test('finds nothing in a server without faults', async () => {
    expect(await failures('none')).toEqual([]);
  });

  test.each(grpcFaults)('catches: %s', async (fault) => {
    expect(await failures(fault)).toContain(`gRPC: ${caughtBy[fault]}`);
  });
});
