import { describe, expect, test } from '@jest/globals';
import { runCases } from './run-cases.ts';
import { openTarget } from './target.ts';
import { faults, startEchoServer, type Fault } from './testing/echo-server.ts';

/** What of the suite fails for a server with this fault. */
const failures = async (fault: Fault): Promise<readonly string[]> => {
  const server = await startEchoServer(fault);
  const failed: string[] = [];
  for await (const { name, outcome } of runCases(await openTarget(server.url, 'echo')))
    if (outcome !== 'ok' && !name.startsWith('gRPC')) failed.push(name);
  await server.close();
  return failed;
};

const caughtBy: Readonly<Record<Exclude<Fault, 'none'>, string>> = {
  'no id': 'the id of a request comes back',
  'all outputs always': 'requested outputs come alone, in the order asked for',
  'outputs in the order of the model': 'requested outputs come alone, in the order asked for',
  'digits lost': 'integers of 64 bits keep their digits',
  'wrong shape taken': 'another number of dimensions is refused',
  'unknown input taken': 'an input the model has not is refused',
  'missing input taken': 'a missing input is refused',
  'few values taken': 'fewer values than the shape says is refused',
  'text taken as number': 'a value of another kind is refused',
  'datatype not checked': 'another datatype is refused',
  '500 for wrong JSON': 'a body that is no JSON is refused',
  'error without words': 'a body without inputs is refused',
  'nested data refused': 'data may be nested as the shape is',
  'parameters refused': 'parameters and fields that are not known are ignored',
  'never ready': 'GET /v2/health/ready answers 200',
  'raw size not checked': 'a size that is not that of the tensor is refused',
  'raw outputs as JSON': 'all outputs come raw for binary_data_output',
  'raw bytes swapped': 'an output comes raw where its own parameter asks for it',
  'unknown model served': 'a model nobody has is refused with an error',
  'answers of others': 'the same request gets the same answer',
  'metadata without shapes': 'the metadata of the model names each tensor',
};

describe('the conformance suite', () => {
  test('finds nothing in a server without faults', async () => {
    expect(await failures('none')).toEqual([]);
  });

  test.each(faults.filter((fault) => fault !== 'none'))('catches: %s', async (fault) => {
    const failed = await failures(fault);
    expect(failed.filter((name) => name.startsWith(caughtBy[fault]))).toHaveLength(1);
  });
});
