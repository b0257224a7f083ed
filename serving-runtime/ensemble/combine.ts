/// <reference lib="es2025.float16" />
/** Several models' answers made one. Pure. */
import type { Datatype } from '../protocol/datatypes.ts';
import { isFloatingPoint } from '../protocol/datatypes.ts';
import { ProtocolError } from '../protocol/protocol-error.ts';
import { formatShape } from '../protocol/signature.ts';
import type { Tensor } from '../tensors.ts';
import { allocateNumbers, rounded } from '../tensors.ts';
import type { Rule } from './graph.ts';

/** Means are of real numbers, votes of everything else. */
export const suits = (rule: Rule, datatype: Datatype): boolean =>
  isFloatingPoint(datatype) === (rule === 'mean');

/**
 * Element by element: the weighted mean, in double precision; or the value with the most weight, of
 * several the one whose branch comes first. Throws ProtocolError where the shapes differ.
 */
export function combine(
  name: string,
  rule: Rule,
  tensors: readonly Tensor[],
  weights: readonly number[],
): Tensor {
  const [first, ...others] = tensors;
  if (first === undefined) throw new Error('there is nothing to combine');
  const differing = others.find(({ shape }) => formatShape(shape) !== formatShape(first.shape));
  if (differing !== undefined) {
    throw new ProtocolError(
      'InferenceFailed',
      `the branches gave "${name}" in shapes ${formatShape(first.shape)} and ${formatShape(differing.shape)}, which cannot be combined`,
    );
  }
  const data = rule === 'mean' ? meanOf(tensors, weights) : voteOf(tensors, weights);
  return { ...first, data };
}

function meanOf(tensors: readonly Tensor[], weights: readonly number[]): Tensor['data'] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const [first] = tensors;
  const length = first?.data.length ?? 0;
  const datatype = first?.datatype as Exclude<Datatype, 'BYTES'>;
  const mean = allocateNumbers(datatype, length) as Float64Array;
  for (let i = 0; i < length; i++) {
    let sum = 0;
    for (const [branch, { data }] of tensors.entries())
      sum += Number(data[i]) * (weights[branch] ?? 0);
    mean[i] = rounded(datatype, sum / total);
  }
  return mean;
}

function voteOf(tensors: readonly Tensor[], weights: readonly number[]): Tensor['data'] {
  const [first] = tensors;
  const elected = Array.from({ length: first?.data.length ?? 0 }, (_, i) => {
    const votes = new Map<unknown, number>();
    for (const [branch, { data }] of tensors.entries()) {
      votes.set(data[i], (votes.get(data[i]) ?? 0) + (weights[branch] ?? 0));
    }
    // A Map keeps the order of the branches, and only more weight displaces.
    return [...votes].reduce((best, each) => (each[1] > best[1] ? each : best))[0];
  });
  if (first?.datatype === 'BYTES') return elected as readonly string[];
  const data = allocateNumbers(first?.datatype as Exclude<Datatype, 'BYTES'>, elected.length);
  for (const [i, value] of elected.entries()) data[i] = value as never;
  return data;
}
