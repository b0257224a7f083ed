import type { TensorSignature } from '../protocol/signature.ts';
import { combine, suits } from './combine.ts';
import type { ParallelNode, Rule } from './graph.ts';
import type { Place } from './place.ts';
import type { Asked, Step, Tensors } from './step.ts';
import {
  checkDistinct,
  checkNames,
  invalidEnsemble,
  mergeGives,
  mergeNeeds,
  pick,
} from './step.ts';

export function compileParallel(
  { parallel, combine: rules, weights }: ParallelNode,
  { at, compile }: Place,
): Step {
  const steps = parallel.map((node, i) => compile(node, `parallel[${String(i)}]`));
  const needs = mergeNeeds(
    steps.flatMap((step) => step.needs),
    at,
  );
  const run = (tensors: Tensors, asked: Asked) =>
    Promise.all(steps.map((step) => step.run(tensors, asked)));
  if (rules === undefined) {
    if (weights !== undefined)
      throw invalidEnsemble(`${at}.weights`, 'say nothing without combine');
    const gives = steps.flatMap((step) => step.gives);
    checkDistinct(gives, at);
    return {
      needs,
      gives,
      run: async (...args) => new Map((await run(...args)).flatMap((given) => [...given])),
    };
  }
  const counts = weights ?? steps.map(() => 1);
  checkWeights(counts, steps.length, `${at}.weights`);
  const all = mergeGives(
    steps.map((step) => step.gives),
    at,
  );
  const chosen = rulesOf(rules, all, `${at}.combine`);
  return {
    needs,
    gives: all.filter(({ name }) => chosen.has(name)),
    run: async (...args) => {
      const answers = await run(...args);
      return new Map(
        Array.from(chosen, ([name, rule]) => [
          name,
          combine(
            name,
            rule,
            answers.map((given) => pick(given, name)),
            counts,
          ),
        ]),
      );
    },
  };
}

function rulesOf(
  rules: Rule | Readonly<Record<string, Rule>>,
  gives: readonly TensorSignature[],
  at: string,
): ReadonlyMap<string, Rule> {
  const named =
    typeof rules === 'string' ? Object.fromEntries(gives.map(({ name }) => [name, rules])) : rules;
  checkNames(Object.keys(named), gives, at);
  return new Map(
    gives.flatMap(({ name, datatype }) => {
      const rule = Object.hasOwn(named, name) ? named[name] : undefined;
      if (rule === undefined) return [];
      if (suits(rule, datatype)) return [[name, rule] as const];
      const better = rule === 'mean' ? 'vote' : 'mean';
      throw invalidEnsemble(
        at,
        `"${name}" is ${datatype}, for which there is no ${rule}; write ${name}: ${better}, or leave it out`,
      );
    }),
  );
}

function checkWeights(weights: readonly number[], count: number, at: string): void {
  if (weights.length !== count)
    throw invalidEnsemble(at, `are ${String(weights.length)} for ${String(count)} branches`);
  if (weights.every((weight) => weight === 0)) throw invalidEnsemble(at, 'are all 0');
}
