/** Makes a graph a model: checks that its parts fit each other, and runs them. */
import type { ServedModel } from '../inference/served-model.ts';
import type { TensorSignature } from '../protocol/signature.ts';
import { compileModel } from './compile-model.ts';
import { compileParallel } from './compile-parallel.ts';
import { compileSequence } from './compile-sequence.ts';
import { compileSwitch } from './compile-switch.ts';
import type { EnsembleNode } from './graph.ts';
import { maxDepth } from './graph.ts';
import type { FindModel, Place } from './place.ts';
import type { Step } from './step.ts';
import { invalidEnsemble, pick } from './step.ts';

/** Throws ModelFailure `InvalidModel` naming the place in the graph and what does not fit. */
export function compileEnsemble(
  graph: EnsembleNode,
  find: FindModel,
): Pick<ServedModel, 'signature' | 'run'> {
  const { needs, gives, run } = compileNode(graph, placeAt('ensemble', find, new Map(), 0));
  return {
    signature: { inputs: needs, outputs: gives },
    run: async ({ inputs, outputs, ...asked }) => {
      const given = await run(inputs, asked);
      return outputs.map((name) => pick(given, name));
    },
  };
}

function compileNode(node: EnsembleNode, place: Place): Step {
  if ('model' in node) return compileModel(node, place);
  if ('sequence' in node) return compileSequence(node, place);
  if ('parallel' in node) return compileParallel(node, place);
  return compileSwitch(node, place);
}

function placeAt(
  at: string,
  find: FindModel,
  known: ReadonlyMap<string, TensorSignature>,
  depth: number,
): Place {
  if (depth > maxDepth) throw invalidEnsemble(at, 'is nested too deep');
  return {
    ...{ at, find, known },
    compile: (node, where, more = []) => {
      const there = new Map([...known, ...more.map((given) => [given.name, given] as const)]);
      return compileNode(node, placeAt(`${at}.${where}`, find, there, depth + 1));
    },
  };
}
