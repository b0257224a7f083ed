import { expectSame, expectThat, NotApplicable, type Case } from '../case.ts';
import {
  answerOf,
  expectRefused,
  infer,
  inferUrl,
  rawBytesOf,
  wholeRequest,
  type Answer,
} from '../inference.ts';
import { binaryOf, sampleInputs, type SampleInput } from '../sample-request.ts';
import { call, type Reply, type Target } from '../target.ts';

const lengthHeader = 'inference-header-content-length';

const rawCases: readonly Case[] = [
  {
    name: 'raw inputs get the answer that JSON gets',
    check: async (target) => {
      const { head, tail } = rawRequest(target, {});
      const reply = await callRaw(target, head, tail);
      expectSame(reply.status, 200, 'status');
      const wanted = await infer(target, wholeRequest(target));
      expectSame(valuesOf(answerOf(split(reply).json)), valuesOf(wanted), 'values');
    },
  },
  {
    name: 'all outputs come raw for binary_data_output',
    check: async (target) => {
      const { head, tail } = rawRequest(target, { parameters: { binary_data_output: true } });
      await expectRawOutputs(target, await callRaw(target, head, tail));
    },
  },
  {
    name: 'an output comes raw where its own parameter asks for it',
    check: async (target) => {
      const outputs = target.metadata.outputs.map(({ name }) => ({
        ...{ name, parameters: { binary_data: true } },
      }));
      await expectRawOutputs(target, await callRaw(target, wholeRequest(target, { outputs }), []));
    },
  },
  {
    name: 'a size that is not that of the tensor is refused',
    check: async (target) => {
      const { head, tail } = rawRequest(target, {}, 1);
      expectRefused(await callRaw(target, head, [...tail, Buffer.alloc(tail.length)]));
    },
  },
  {
    name: 'raw bytes that are cut off are refused',
    check: async (target) => {
      const { head, tail } = rawRequest(target, {});
      expectRefused(await callRaw(target, head, tail.slice(0, -1)));
    },
  },
  {
    name: 'a length of the JSON beyond the body is refused',
    check: async (target) => {
      const { head, tail } = rawRequest(target, {});
      expectRefused(await callRaw(target, head, tail, 1_000_000));
    },
  },
];

/**
 * Raw tensors behind the JSON:
 * https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md
 */
export const binaryCases: readonly Case[] = rawCases.map(({ name, check }) => ({
  name,
  check: async (target) => {
    if (!target.extensions.includes('binary_tensor_data'))
      throw new NotApplicable('the server has no extension binary_tensor_data');
    await check(target);
  },
}));

const rawRequest = (target: Target, more: object, tooMuch = 0) => {
  const tail = sampleInputs(target).map(binaryOf);
  const inputs = sampleInputs(target).map(({ data: _data, ...input }: SampleInput, i) => ({
    ...input,
    parameters: { binary_data_size: (tail[i]?.length ?? 0) + tooMuch },
  }));
  return { head: { ...more, inputs }, tail };
};

const callRaw = (
  target: Target,
  head: object,
  tail: readonly Buffer[],
  beyond = 0,
): Promise<Reply> => {
  const json = Buffer.from(JSON.stringify(head));
  return call(inferUrl(target), {
    headers: {
      'content-type': 'application/octet-stream',
      [lengthHeader]: String(json.length + beyond),
    },
    body: Buffer.concat([json, ...tail]),
  });
};

/** The JSON of an answer and the raw bytes behind it. */
const split = ({ headers, body }: Reply) => {
  const length = Number(headers[lengthHeader] ?? body.length);
  return {
    json: JSON.parse(body.subarray(0, length).toString()) as unknown,
    tail: body.subarray(length),
  };
};

const expectRawOutputs = async (target: Target, reply: Reply): Promise<void> => {
  expectSame(reply.status, 200, 'status');
  const { json, tail } = split(reply);
  const wanted = await infer(target, wholeRequest(target));
  let offset = 0;
  for (const output of answerOf(json).outputs) {
    const size = Number(output.parameters?.['binary_data_size']);
    expectThat(Number.isInteger(size), `binary_data_size of ${output.name}`, output);
    const meant = wanted.outputs.find(({ name }) => name === output.name);
    const bytes = rawBytesOf({ ...output, data: meant?.data ?? [] });
    expectSame(
      tail.subarray(offset, offset + size).toString('hex'),
      bytes.toString('hex'),
      'bytes',
    );
    offset += size;
  }
  expectSame(offset, tail.length, 'raw bytes');
};

const valuesOf = ({ outputs }: Answer) =>
  Object.fromEntries(outputs.map(({ name, data }) => [name, data?.flat(32)]));
