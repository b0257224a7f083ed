import { ProtocolError } from '../protocol/protocol-error.ts';
import { compileCondition } from './condition.ts';
import type { SwitchNode } from './graph.ts';
import type { Place } from './place.ts';
import type { Step } from './step.ts';
import { checkNames, mergeGives, mergeNeeds } from './step.ts';

export function compileSwitch(
  { switch: cases, otherwise }: SwitchNode,
  { at, known, compile }: Place,
): Step {
  const compiled = cases.map(({ when, then }, i) => ({
    condition: compileCondition(when, `${at}.switch[${String(i)}].when`),
    step: compile(then, `switch[${String(i)}].then`),
  }));
  const last = otherwise && compile(otherwise, 'otherwise');
  const steps = [...compiled.map(({ step }) => step), ...(last ? [last] : [])];
  const needs = mergeNeeds(
    steps.flatMap((step) => step.needs),
    at,
  );
  const mentions = compiled.flatMap(({ condition }) => condition.mentions);
  checkNames(mentions, [...known.values(), ...needs], `${at}.switch`);
  return {
    needs,
    gives: mergeGives(
      steps.map((step) => step.gives),
      at,
    ),
    run: (tensors, asked) => {
      const chosen =
        compiled.find(({ condition }) => condition.holds(tensors, asked))?.step ?? last;
      if (chosen !== undefined) return chosen.run(tensors, asked);
      throw new ProtocolError(
        'InvalidRequest',
        `no case of ${at}.switch holds for this request, and there is no otherwise`,
      );
    },
  };
}
