/** How models are joined to one: the form of it in the list of models. */
import { z } from 'zod';

export type Rule = 'mean' | 'vote';

export type ModelNode = {
  readonly model: string;
  readonly version?: string | undefined;
  /** The model's input → the tensor it gets; what is left out has the same name. */
  readonly inputs?: Readonly<Record<string, string>> | undefined;
  /** The model's output → the name it goes on under; given, others are left out. */
  readonly outputs?: Readonly<Record<string, string>> | undefined;
};

export type SequenceNode = {
  /** Each gets the tensors of all before it; the last one's outputs are the sequence's. */
  readonly sequence: readonly EnsembleNode[];
};

export type ParallelNode = {
  /** Each gets the same tensors. */
  readonly parallel: readonly EnsembleNode[];
  /** How outputs of one name become one, for all of them or by name; left out, names must differ. */
  readonly combine?: Rule | Readonly<Record<string, Rule>> | undefined;
  /** What each counts for; left out, all the same. */
  readonly weights?: readonly number[] | undefined;
};

export type SwitchCase = { readonly when: string; readonly then: EnsembleNode };

export type SwitchNode = {
  /** The first whose condition holds answers. */
  readonly switch: readonly SwitchCase[];
  readonly otherwise?: EnsembleNode | undefined;
};

export type EnsembleNode = ModelNode | SequenceNode | ParallelNode | SwitchNode;

const maxBranches = 100;
const text = z.string().min(1, 'is empty').max(2048, 'is longer than 2048 characters');
const renamed = z.record(text, text).optional();
const rule = z.enum(['mean', 'vote']);
const nodes = z
  .array(z.lazy(() => ensembleNode))
  .min(1, 'is empty')
  .max(maxBranches);

/** One level deep enough for whatever a person draws; it bounds recursion. */
export const maxDepth = 16;

export const ensembleNode: z.ZodType<EnsembleNode> = z.lazy(() =>
  z.union(
    [
      z.strictObject({ model: text, version: text.optional(), inputs: renamed, outputs: renamed }),
      z.strictObject({ sequence: nodes }),
      z.strictObject({
        parallel: nodes,
        combine: z.union([rule, z.record(text, rule)]).optional(),
        weights: z.array(z.number().nonnegative()).optional(),
      }),
      z.strictObject({
        switch: z
          .array(z.strictObject({ when: text, then: ensembleNode }))
          .min(1, 'is empty')
          .max(maxBranches),
        otherwise: ensembleNode.optional(),
      }),
    ],
    { error: 'is none of model, sequence, parallel and switch' },
  ),
);

/** The models it asks, each mention of them. */
export function membersOf(node: EnsembleNode): readonly ModelNode[] {
  if ('model' in node) return [node];
  if ('sequence' in node) return node.sequence.flatMap(membersOf);
  if ('parallel' in node) return node.parallel.flatMap(membersOf);
  return [
    ...node.switch.map(({ then }) => then),
    ...(node.otherwise ? [node.otherwise] : []),
  ].flatMap(membersOf);
}
