/** What the main thread and its inference workers say to each other. */
import type { Tensor } from '../tensors.ts';

export type WorkerStart = {
  /** Tells this worker from others that a program may have. */
  readonly role: 'inference';
  readonly path: string;
  /** Threads of one computation. */
  readonly threads: number;
};

export type ComputeRequest = {
  readonly id: number;
  readonly inputs: ReadonlyMap<string, Tensor>;
  readonly outputs: readonly string[];
};

export type WorkerMessage =
  | { readonly is: 'ready' }
  /** It cannot load the model. */
  | { readonly is: 'useless'; readonly message: string }
  | { readonly is: 'done'; readonly id: number; readonly results: readonly Tensor[] }
  | { readonly is: 'failed'; readonly id: number; readonly message: string };
