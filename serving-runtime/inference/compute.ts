import type { ProtocolError } from '../protocol/protocol-error.ts';
import type { Tensor } from '../tensors.ts';

/** The wanted outputs, in the order of `outputs`. Rejects with a ProtocolError when the model refuses. */
export type Compute = (
  inputs: ReadonlyMap<string, Tensor>,
  outputs: readonly string[],
) => Promise<readonly Tensor[]>;

/** What is asked of a model, and by whom. */
export type Inference = {
  readonly inputs: ReadonlyMap<string, Tensor>;
  readonly outputs: readonly string[];
  /** Why it must not be begun (its client has gone, its time is over), or undefined. */
  readonly refusal: () => ProtocolError | undefined;
  /** What the request says beside its tensors. */
  readonly parameters?: Readonly<Record<string, unknown>> | undefined;
};

/** For what nobody can withdraw: warm-up, probes. */
export const wanted = (): undefined => undefined;
