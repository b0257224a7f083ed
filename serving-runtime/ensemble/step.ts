/** A part of an ensemble that is checked and can be run. */
import type { Inference } from '../inference/compute.ts';
import { ModelFailure } from '../model-failure.ts';
import type { TensorSignature } from '../protocol/signature.ts';
import { formatShape } from '../protocol/signature.ts';
import type { Tensor } from '../tensors.ts';

export type Tensors = ReadonlyMap<string, Tensor>;

/** What it asks goes for all members: whether it is still wanted, and its parameters. */
export type Asked = Pick<Inference, 'refusal' | 'parameters'>;

export type Step = {
  /** Tensors it takes. */
  readonly needs: readonly TensorSignature[];
  /** Tensors it gives. */
  readonly gives: readonly TensorSignature[];
  /** Gets at least what it needs. Rejects with a ProtocolError. */
  readonly run: (tensors: Tensors, asked: Asked) => Promise<Tensors>;
};

export const invalidEnsemble = (at: string, what: string): ModelFailure =>
  new ModelFailure('InvalidModel', `${at}: ${what}`);

/** What all of them together need. Throws ModelFailure where two cannot take the same tensor. */
export function mergeNeeds(
  needs: readonly TensorSignature[],
  at: string,
): readonly TensorSignature[] {
  const merged = new Map<string, TensorSignature>();
  for (const need of needs) {
    const other = merged.get(need.name);
    if (other === undefined) merged.set(need.name, need);
    else {
      checkFit(other, need, at);
      const [a, b] = [other.shape, need.shape];
      const shape = a.length === 0 ? b : a.map((size, i) => (size === -1 ? (b[i] ?? -1) : size));
      merged.set(need.name, { ...other, shape });
    }
  }
  return [...merged.values()];
}

/** Throws ModelFailure where no tensor can be both. */
export function checkFit(given: TensorSignature, wanted: TensorSignature, at: string): void {
  const [a, b] = [given.shape, wanted.shape];
  // ONNX does not tell a scalar from a tensor of any rank.
  const isAny = a.length === 0 || b.length === 0;
  const fits =
    isAny ||
    (a.length === b.length && a.every((size, i) => size === -1 || b[i] === -1 || size === b[i]));
  if (given.datatype === wanted.datatype && fits) return;
  throw invalidEnsemble(
    at,
    `tensor "${given.name}" is ${given.datatype} ${formatShape(a)}, and ${wanted.datatype} ${formatShape(b)} is wanted`,
  );
}

/** What branches give that answer in each other's place. Throws ModelFailure where they differ. */
export function mergeGives(
  branches: readonly (readonly TensorSignature[])[],
  at: string,
): readonly TensorSignature[] {
  const [first = [], ...others] = branches;
  const names = first.map(({ name }) => name);
  for (const other of others) {
    const theirs = other.map(({ name }) => name);
    if (names.length === theirs.length && theirs.every((name) => names.includes(name))) continue;
    throw invalidEnsemble(
      at,
      `one branch gives ${names.join(', ')} and another ${theirs.join(', ')}; rename or leave out outputs until they agree`,
    );
  }
  return first.map((given) =>
    others.reduce((merged, other) => {
      const theirs = other.find(({ name }) => name === given.name) ?? given;
      checkFit(merged, theirs, at);
      const shape = merged.shape.map((size, i) => (size === theirs.shape[i] ? size : -1));
      return { ...merged, shape };
    }, given),
  );
}

export function checkNames(
  names: readonly string[],
  there: readonly TensorSignature[],
  at: string,
): void {
  const unknown = names.find((name) => !there.some((tensor) => tensor.name === name));
  if (unknown === undefined) return;
  throw invalidEnsemble(
    at,
    `there is no "${unknown}"; there is ${there.map(({ name }) => `"${name}"`).join(', ')}`,
  );
}

export function checkDistinct(tensors: readonly TensorSignature[], at: string): void {
  const names = tensors.map(({ name }) => name);
  const repeated = names.find((name, i) => names.indexOf(name) !== i);
  if (repeated === undefined) return;
  throw invalidEnsemble(
    at,
    `"${repeated}" is given twice; rename one, leave one out, or combine them`,
  );
}

export function pick(tensors: Tensors, name: string): Tensor {
  const tensor = tensors.get(name);
  if (tensor === undefined) throw new Error(`the ensemble lost its tensor "${name}"`);
  return tensor;
}
