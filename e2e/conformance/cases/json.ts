import { expectSame, expectThat, NotApplicable, type Case } from '../case.ts';
import { answerOf, infer, inferReply, inferUrl, wholeRequest } from '../inference.ts';
import { pipelined } from '../pipelined.ts';
import { nested, sampleInputs } from '../sample-request.ts';
import { jsonOf, type Target } from '../target.ts';

/** Inference over JSON: https://github.com/kserve/open-inference-protocol, "Inference". */
export const jsonCases: readonly Case[] = [
  {
    name: 'an inference answers all outputs with their datatypes, shapes and as many values',
    check: async (target) => {
      const { outputs, model_name: name } = await infer(target, wholeRequest(target));
      expectSame(name, target.model, 'model_name');
      const { outputs: wanted } = target.metadata;
      expectSame(
        outputs.map((each) => each.name).toSorted(),
        wanted.map((each) => each.name).toSorted(),
        'outputs',
      );
      for (const { name: output, datatype, shape, data } of outputs) {
        const meant = wanted.find((each) => each.name === output);
        expectSame(datatype, meant?.datatype, `datatype of ${output}`);
        const count = shape.reduce((product, dimension) => product * dimension, 1);
        expectSame(data?.flat(32).length, count, `number of values of ${output}`);
      }
    },
  },
  {
    name: 'the id of a request comes back',
    check: async (target) => {
      const { id } = await infer(target, wholeRequest(target, { id: 'my request' }));
      expectSame(id, 'my request', 'id');
    },
  },
  {
    name: 'the same request gets the same answer',
    check: async (target) => {
      const [first, again] = [
        await infer(target, wholeRequest(target)),
        await infer(target, wholeRequest(target)),
      ];
      expectSame(again.outputs, first.outputs, 'outputs');
    },
  },
  {
    name: 'data may be nested as the shape is',
    check: async (target) => {
      const flat = await infer(target, wholeRequest(target));
      const inputs = sampleInputs(target).map((input) => ({ ...input, data: nested(input) }));
      if (inputs.some(({ data }) => !Array.isArray(data)))
        throw new NotApplicable('a scalar input');
      expectSame((await infer(target, { inputs })).outputs, flat.outputs, 'outputs');
    },
  },
  {
    name: 'inputs may come in any order',
    check: async (target) => {
      const inputs = sampleInputs(target);
      if (inputs.length < 2) throw new NotApplicable('the model has one input');
      const usual = await infer(target, { inputs });
      expectSame(
        (await infer(target, { inputs: inputs.toReversed() })).outputs,
        usual.outputs,
        'outputs',
      );
    },
  },
  {
    name: 'requested outputs come alone, in the order asked for',
    check: async (target) => {
      const names = target.metadata.outputs.map(({ name }) => name).toReversed();
      const [last] = names;
      const all = await infer(
        target,
        wholeRequest(target, { outputs: names.map((name) => ({ name })) }),
      );
      expectSame(
        all.outputs.map(({ name }) => name),
        names,
        'outputs',
      );
      const one = await infer(target, wholeRequest(target, { outputs: [{ name: last }] }));
      expectSame(one.outputs, all.outputs.slice(0, 1), 'outputs');
    },
  },
  {
    name: 'parameters and fields that are not known are ignored',
    check: async (target) => {
      const usual = await infer(target, wholeRequest(target));
      const more = { parameters: { priority_of_somebody: 3 }, of_somebody: true };
      expectSame(
        (await infer(target, wholeRequest(target, more))).outputs,
        usual.outputs,
        'outputs',
      );
    },
  },
  {
    name: 'integers of 64 bits keep their digits',
    check: async (target) => {
      const input = target.metadata.inputs.find(({ datatype }) => datatype === 'INT64');
      if (input === undefined || !(await isIdentity(target, input.name)))
        throw new NotApplicable('the model gives no INT64 input back');
      const text = JSON.stringify(wholeRequest(target));
      const digits = '9007199254740993';
      const asked = JSON.parse(text) as { inputs: { name: string; data: unknown[] }[] };
      for (const each of asked.inputs) if (each.name === input.name) each.data.fill('DIGITS');
      const reply = await inferReply(target, JSON.stringify(asked).replaceAll('"DIGITS"', digits));
      expectSame(reply.status, 200, 'status');
      expectThat(
        reply.body.toString().includes(digits),
        `the digits ${digits}`,
        reply.body.toString(),
      );
    },
  },
  {
    name: 'requests sent one behind the other on a connection are answered in order',
    check: async (target) => {
      const ids = ['first', 'second', 'third'];
      const bodies = ids.map((id) => JSON.stringify(wholeRequest(target, { id })));
      const replies = await pipelined(inferUrl(target), bodies);
      expectSame(
        replies.map((reply) => answerOf(jsonOf(reply)).id),
        ids,
        'ids',
      );
    },
  },
];

/** Whether some output is the input of this name, unchanged. */
const isIdentity = async (target: Target, name: string): Promise<boolean> => {
  const input = sampleInputs(target).find((each) => each.name === name);
  const { outputs } = await infer(target, wholeRequest(target));
  return outputs.some(
    ({ datatype, data }) =>
      datatype === 'INT64' && JSON.stringify(data?.flat(32)) === JSON.stringify(input?.data),
  );
};
