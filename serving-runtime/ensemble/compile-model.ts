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
  const taken = signature.inputs.map((input) => ({
    ...input,
    from: ownValue(inputs, input.name) ?? input.name,
  }));
  const given = signature.outputs.flatMap((output) => {
    const as = outputs === undefined ? output.name : ownValue(outputs, output.name);
    return as === undefined ? [] : [{ ...output, as }];
  });
  const gives = given.map(({ as, ...output }) => ({ ...output, name: as }));
  checkDistinct(gives, `${at}.outputs`);
  return {
    needs: mergeNeeds(
      taken.map(({ from, ...input }) => ({ ...input, name: from })),
      at,
    ),
    gives,
    run: async (tensors, asked) => {
      const refusal = asked.refusal();
      if (refusal !== undefined) throw refusal;
      const results = await member.run({
        ...asked,
        inputs: new Map(taken.map(({ name, from }) => [name, pick(tensors, from)])),
        outputs: given.map(({ name }) => name),
      });
      return new Map(
        given.flatMap(({ as }, i) => (results[i] === undefined ? [] : [[as, results[i]]])),
      );
    },
  };
}

/** Names come from files: one may be that of something every object has. */
const ownValue = (names: Readonly<Record<string, string>>, name: string): string | undefined =>
  Object.hasOwn(names, name) ? names[name] : undefined;
