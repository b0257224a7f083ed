import type { ModelNode } from './graph.ts';
import type { Place } from './place.ts';
import type { Step } from './step.ts';
import { checkDistinct, checkNames, mergeNeeds, pick } from './step.ts';

export function compileModel(
  { model, version, inputs = {}, outputs }: ModelNode,
  { find, at }: Place,
): Step {
  const member = find(model, version);
  const { signature } = member;
  checkNames(Object.keys(inputs), signature.inputs, `${at}.inputs`);
  checkNames(Object.keys(outputs ?? {}), signature.outputs, `${at}.outputs`);
  const taken = signature.inputs.map(
    (input) => [input.name, inputs[input.name] ?? input.name] as const,
  );
  const given = signature.outputs.flatMap(({ name }) =>
    outputs === undefined
      ? [[name, name] as const]
      : outputs[name] === undefined
        ? []
        : [[name, outputs[name]] as const],
  );
  const needs = signature.inputs.map((input, i) => ({
    ...input,
    name: taken[i]?.[1] ?? input.name,
  }));
  const gives = given.flatMap(([from, name]) =>
    signature.outputs
      .filter((output) => output.name === from)
      .map((output) => ({ ...output, name })),
  );
  checkDistinct(gives, `${at}.outputs`);
  return {
    needs: mergeNeeds(needs, at),
    gives,
    run: async (tensors, asked) => {
      const refusal = asked.refusal();
      if (refusal !== undefined) throw refusal;
      const results = await member.run({
        ...asked,
        inputs: new Map(taken.map(([input, name]) => [input, pick(tensors, name)])),
        outputs: given.map(([name]) => name),
      });
      return new Map(
        given.flatMap(([, name], i) => (results[i] === undefined ? [] : [[name, results[i]]])),
      );
    },
  };
}
