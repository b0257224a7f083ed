import type { TensorSignature } from '../protocol/signature.ts';
import type { SequenceNode } from './graph.ts';
import type { Place } from './place.ts';
import type { Step } from './step.ts';
import { checkFit, mergeNeeds } from './step.ts';

export function compileSequence({ sequence }: SequenceNode, { at, compile }: Place): Step {
  const steps: Step[] = [];
  const given = new Map<string, TensorSignature>();
  const needs: TensorSignature[] = [];
  for (const [i, node] of sequence.entries()) {
    const where = `sequence[${String(i)}]`;
    const step = compile(node, where, [...given.values()]);
    for (const need of step.needs) {
      const known = given.get(need.name);
      if (known === undefined) needs.push(need);
      else checkFit(known, need, `${at}.${where}`);
    }
    for (const tensor of step.gives) given.set(tensor.name, tensor);
    steps.push(step);
  }
  return {
    needs: mergeNeeds(needs, at),
    gives: steps.at(-1)?.gives ?? [],
    run: async (tensors, asked) => {
      let [all, last] = [tensors, tensors];
      for (const step of steps) {
        last = await step.run(all, asked);
        all = new Map([...all, ...last]);
      }
      return last;
    },
  };
}
