import type { ServedModel } from '../inference/served-model.ts';
import type { TensorSignature } from '../protocol/signature.ts';
import type { EnsembleNode } from './graph.ts';
import type { Step } from './step.ts';

/** Throws ModelFailure for one that is not there. */
export type FindModel = (
  name: string,
  version: string | undefined,
) => Pick<ServedModel, 'signature' | 'run'>;

/** Where in a graph a part of it stands. */
export type Place = {
  /** For messages, such as `ensemble.sequence[1]`. */
  readonly at: string;
  readonly find: FindModel;
  /** What parts before it have given. */
  readonly known: ReadonlyMap<string, TensorSignature>;
  /** A part within it; `more` is given before it begins. */
  readonly compile: (node: EnsembleNode, where: string, more?: readonly TensorSignature[]) => Step;
};
